"""Rows that may have several labels, and rows with a number."""

from collections.abc import Mapping
from typing import Final

LABELS_AND_NUMBERS: Final[Mapping[str, str]] = {
    "task: {task}, {rows} rows ({fingerprint}), {labels}": "任务：{task}，{rows}（{fingerprint}），{labels}",
    "part: {part}, {metric} of {rows} rows ({fingerprint}), {labels}": (
        "子任务：{part}，{metric}，{rows}（{fingerprint}），{labels}"
    ),
    "labels {names}": "标签：{names}",
    "labels {names}, any number of them each": "标签：{names}，每条可有任意多个",
    "a number each": "每条一个数值",
    "{metric} on test, by the folds' mean": "测试集上的 {metric}，取各折预测值的平均",
    (
        "`result` is {metric} on test, by the mean over folds of what is predicted, `dev` that of all {n} rows, each "
        "judged by the run of its fold"
    ): "`结果` 是测试集上的 {metric}，取各折预测值的平均；`验证` 是全部 {n} 条数据的同一指标，每条由其所在折的运行评判",
    "{split} has rows of {n} of the {total} labels: each of the others counts as 0 in {metric}.": (
        "{split}只有 {total} 个标签中的 {n} 个：其余每个标签在 {metric} 中按 0 计。"
    ),
    "{split} has rows of {n} of the {total} labels: {metric} is the mean over these.": (
        "{split}只有 {total} 个标签中的 {n} 个：{metric} 是这些标签的平均。"
    ),
    "A row that may have several labels is right where all of them are.": (
        "可有多个标签的数据，所有标签都正确才算正确。"
    ),
    "Rows with a number are not among those that are right or wrong.": "数值没有对错之分，这些数据不计在内。",
    "Label by label": "逐个标签",
    (
        "What {cell}, the best on dev, reaches there in each label (mean over {seeds}), and the rows that have it."
    ): "验证集上最好的{cell}在每个标签上达到的结果（{seeds}的平均），以及有该标签的数据条数。",
    "Where all rows have a label, or none, there is nothing to rank: -.": (
        "若所有数据都有某个标签，或都没有，则无从排序，记为 -。"
    ),
    "label": "标签",
    "average precision": "平均精度",
    "Part {part}:": "子任务 {part}：",
    "Part {part}: {text}": "子任务 {part}：{text}",
    "{n} labels with fewer rows are not shown; page.json has them.": "其余 {n} 个条数更少的标签未列出，见 page.json。",
    "How far predictions are off": "预测的偏差",
    "The {n} true numbers of dev are from {low} to {high}: mean {mean}, standard deviation {sd}.": (
        "验证集的 {n} 个真实数值在 {low} 到 {high} 之间：平均 {mean}，标准差 {sd}。"
    ),
    "always the mean, or the median": "总是预测平均数或中位数",
}
