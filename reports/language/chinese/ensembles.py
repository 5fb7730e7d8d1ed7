"""Averages of several runs."""

from collections.abc import Mapping
from typing import Final

ENSEMBLES: Final[Mapping[str, str]] = {
    "Averages of several runs": "多次运行的平均",
    "mean of probabilities": "概率平均",
    "mean of the numbers": "预测值平均",
    "mean of logits": "logits 平均",
    "mean of ranks": "排名平均",
    "weighted by score": "按得分加权",
    "greedy selection": "贪心选择",
    "average": "平均方式",
    "members": "成员数",
    "gain": "增益",
    "naive gain": "朴素增益",
    "the best one alone": "最好的单次运行",
    "{cell} (seed {seed})": "{cell}（种子 {seed}）",
    "A gain over the best one alone: {methods}.": "比最好的单次运行有增益：{methods}。",
    "A loss against the best one alone: {methods}.": "不如最好的单次运行：{methods}。",
    "No gain: {methods}; the interval holds 0.": "没有增益：{methods}；置信区间包含 0。",
    (
        "The naive gain is larger for {methods}: it is of members and weights that were chosen on the very rows that "
        "they are scored on, so that luck with these rows counts as gain."
    ): ("{methods}的朴素增益更大：它的成员和权重正是在用来评分的数据上选出的，因此在这些数据上的运气也算成了增益。"),
    (
        "The naive gain is of members and weights that were chosen on the very rows that they are scored on, so that "
        "luck with these rows counts as gain; here it is no larger."
    ): ("朴素增益的成员和权重正是在用来评分的数据上选出的，因此在这些数据上的运气也算成了增益；这里它并没有更大。"),
    "Members, weights and the best one alone are chosen on other folds than the one that they are scored on.": (
        "成员、权重和最好的单次运行都不在用来评分的那一折上选出，而是在其他折上选出。"
    ),
    (
        "Dev is divided into {n} parts: members, weights and the best one alone are chosen on other parts than the "
        "one that they are scored on."
    ): "验证集分为 {n} 份：成员、权重和最好的单次运行都不在用来评分的那一份上选出，而是在其他份上选出。",
    "An {metric} is the mean over folds: runs of different folds are on different scales.": (
        "{metric} 取各折的平均：不同折的运行尺度不同。"
    ),
    "Intervals are for other such rows, and these trained runs.": (
        "置信区间针对换一批同类数据的情形，训练好的运行不变。"
    ),
    "The best {n} on all rows: cells {names}.": "在全部数据上最好的 {n} 个：组合 {names}。",
    "Greedy selection picks cells {names}.": "贪心选择选中的组合：{names}。",
    "No members: {cells}.": "不作为成员：{cells}。",
    "cells {names} ({why})": "组合 {names}（{why}）",
    "lack some of their folds": "缺少部分折",
    "no logits are kept": "没有保存 logits",
    (
        "Only the best runs on dev are looked at, because all of them are too much to read ({n} are left out): "
        "they were chosen on all rows, so a part of every score is luck."
    ): (
        "全部运行数据量过大，这里只看在验证集上最好的运行（略去 {n} 个）：它们是在全部数据上选出的，因此每个得分都有"
        "一部分来自运气。"
    ),
    "Greedy selection would take long on so many rows: the command below does it.": (
        "数据太多，贪心选择耗时较长：可用下面的命令完成。"
    ),
    "{command} takes other members too, of other studies or from files.": (
        "{command} 还可以加入其他成员：来自其他研究，或来自文件。"
    ),
    "{command} predicts test, and takes other members too, of other studies or from files.": (
        "{command} 给出测试集的预测，还可以加入其他成员：来自其他研究，或来自文件。"
    ),
}
