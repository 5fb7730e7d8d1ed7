"""Sentences about the parts of a task of several."""

from collections.abc import Mapping
from typing import Final

PARTS: Final[Mapping[str, str]] = {
    "mean {metrics}": "{metrics} 均值",
    "{title} (part {part})": "{title}（子任务 {part}）",
    "This page is about the part {part} alone, as if the study selected on its metric. It selects on {target}: its own "
    "page has all parts.": (
        "本报告只关于子任务 {part}，如同研究按它的指标选择。实际上研究按 {target} 选择：研究自己的报告包含全部子任务。"
    ),
    "{columns}: what the same runs reach in each part of the task, at the same epoch.": (
        "{columns}：同样的运行在同一轮中于任务的各个子任务上达到的结果。"
    ),
    "{mark} in the column of a part: a run behind this number is no better on dev than what a guess reaches there "
    "({bounds}).": (
        "{mark} 出现在子任务一列：该数字背后有一次运行，它在验证集上不好于猜测在该子任务上所能达到的水平（{bounds}）。"
    ),
    "{mark} in the column of a part: no better than a guess there": "{mark} 出现在子任务一列：在该子任务上不好于猜测",
    "{split} of the part {part}": "子任务 {part} 的{split}",
    "task of {n} parts: {task} ({fingerprint})": "含 {n} 个子任务的任务：{task}（{fingerprint}）",
    "Runs are averaged part by part: {command} tells what that gains.": (
        "运行的平均按子任务进行：{command} 给出由此带来的增益。"
    ),
    "Parts": "子任务",
    "part": "子任务",
    "dev rows": "验证集条数",
    "labels": "标签数",
    "metric": "指标",
    "a guess reaches": "猜测可达到",
    "mean of the cells": "各组合均值",
    "best cell": "最好的组合",
    "its result on dev": "其验证集结果",
    "What is selected on is the {metric} of {parts}.": "据以选择的是 {parts} 的 {metric}。",
    "What is selected on is the {metric}.": "据以选择的是 {metric}。",
    "Learned beside it, and not counted: {parts}.": "一同学习但不计入的：{parts}。",
    "The best on dev by it, {cell}, is the best in {parts}, too.": (
        "按它在验证集上最好的是{cell}，它在 {parts} 上也最好。"
    ),
    "The best on dev by it, {cell}, is not the best in any of these parts.": (
        "按它在验证集上最好的是{cell}，它在这些子任务上都不是最好的。"
    ),
    "{cell} in {part}": "{part} 上是{cell}",
    "Best elsewhere: {cells}; no test stands behind that, and chance alone may have put them first.": (
        "其他最好的：{cells}；这没有经过检验，可能只是偶然排在最前。"
    ),
    "{command} writes the page of a part: its effects with their tests, its best cell against the baseline, and "
    "averages of its runs.": (
        "{command} 写出一个子任务的报告：其效应及检验、其最好的组合与基线的比较，以及其运行的平均。"
    ),
}
