"""The search by Optuna, in Chinese."""

from collections.abc import Mapping
from typing import Final

SEARCHES: Final[Mapping[str, str]] = {
    "What Optuna found": "Optuna 找到了什么",
    "Optuna's sampler {sampler} proposed {cells} for {objectives} (seed {seed}).": (
        "Optuna 的采样器 {sampler} 提出了 {cells}，目标：{objectives}（种子 {seed}）。"
    ),
    "{cells} were known before.": "此前已知 {cells}。",
    "The pruner {pruner} ended {trials} early: they have no result, and count as spent.": (
        "剪枝器 {pruner} 提前结束了 {trials}：没有结果，但计入预算。"
    ),
    "few seconds": "用时少",
    "a low {metric} on dev": "验证集 {metric} 低",
    "a high {metric} on dev": "验证集 {metric} 高",
    "The best cells": "最好的组合",
    (
        "No other cell is both better on dev and quicker than one of these. Seconds are those of this machine, "
        "with as many trials beside each other as there were workers."
    ): "没有别的组合在验证集上更好又更快。秒数是在这台机器上、各进程同时运行试验时测得的。",
    "Importance": "重要度",
    (
        "How far the best tenth of the cells differs from the others in each factor (PED-ANOVA, shares of 1). It "
        "describes these cells and is no test: on pure noise it names important factors all the same."
    ): (
        "最好的十分之一组合与其余组合在各因素上的差别（PED-ANOVA，各份额之和为 1）。这只是对这些组合的描述，不是检验："
        "即使结果全是噪声，它也会列出“重要”的因素。"
    ),
    "share": "份额",
    "Convergence": "收敛",
    (
        "The best on dev after so many cells, beside the expectation for the same cells in random order. A random "
        "search would have met other cells, and if the sampler is any good, worse ones."
    ): (
        "运行若干组合之后验证集上的最好结果，以及同样这些组合按随机顺序运行时的期望。随机搜索会遇到别的组合；只要采样器"
        "有用，那些组合会更差。"
    ),
    "{low} to {high}, logarithmic": "{low} 至 {high}（对数尺度）",
    "{low} to {high}, step {step}": "{low} 至 {high}，步长 {step}",
    "retried, and pruned": "重试后已剪枝",
    "a contradiction": "自相矛盾",
    "cells": "组合数",
    "as proposed": "按提出的顺序",
    "in random order": "按随机顺序",
}
