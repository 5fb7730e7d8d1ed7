"""Pages of imported rows and logs, in Chinese."""

from collections.abc import Mapping
from typing import Final

IMPORTED: Final[Mapping[str, str]] = {
    # published.py
    "{n} observation": "{n} 条观测",
    "**{observations} of {factors}, imported from a published table**": (
        "**{observations}，{factors}，由已发表的表格导入**"
    ),
    "**{observations} of {factors}, imported from notes**": "**{observations}，{factors}，由笔记导入**",
    "The rows are those of {source}. Nothing of it was trained here: seeds, epochs, machine and recipe are what the "
    "source says, and no row can be repeated from this page.": (
        "各行取自 {source}。这里没有做任何训练：种子、轮数、机器和配方以来源所述为准，凭本报告无法复现任何一行。"
    ),
    "Marked as uncertain by their author, and taken as they are: {n} of {results} ({rows}).": (
        "{results}中有 {n} 个被作者标为不确定，这里照用（{rows}）。"
    ),
    "With a remark behind the number, which alone counts: {n} of {results} ({rows}).": (
        "{results}中有 {n} 个在数字之后附有备注，只取数字（{rows}）。"
    ),
    "{n} of {rows} have a number in {response}; without one: {names}.": (
        "{rows}中有 {n} 行的 {response} 是数字；其余没有：{names}。"
    ),
    "{name} ({texts})": "{name}（{texts}）",
    "{response} as published; lower is taken to be better, and the best is bold.": (
        "{response} 照原样列出；视为越低越好，最好的加粗。"
    ),
    "{response} as published; higher is taken to be better, and the best is bold.": (
        "{response} 照原样列出；视为越高越好，最好的加粗。"
    ),
    "Measured too, and no factors: {scores}. Nothing is chosen or tested by them.": (
        "另有测得的指标，不是因素：{scores}。不据此做选择或检验。"
    ),
    "The seed of a row, and no factor: {seeds}. Rows that differ in nothing else are one recipe, run again.": (
        "各行的随机种子，不是因素：{seeds}。除此之外都相同的行是同一配方的重复运行。"
    ),
    "The best of {n} noisy rows is partly the luckiest of them, and its result is optimistic.": (
        "{n} 行带噪声的结果中，最好的那行多少靠了运气，其结果偏乐观。"
    ),
    "{word}: row {name}, {response} {result}: {settings}": "{word}：行 {name}，{response} {result}：{settings}",
    "The levels": "水平",
    "Another level in every row: {names}.": "每行水平都不同：{names}。",
    # outside scores, in table.py
    "From outside, never chosen or tested by: {names}.": "外部评分，不据此选择或检验：{names}。",
    "Of several trials of a row, the mean.": "同一行有多个试验时取均值。",
    "What was given for a whole row is of all its trials together.": "对整行给出的评分属于该行的全部试验。",
    "The {score} of {cell} is of {n} of its {total} trials: the others were added later.": (
        "{cell} 的 {score} 属于其 {total} 个试验中的 {n} 个：其余是后来加入的。"
    ),
    # log_curve.py
    "{n} point": "{n} 个点",
    "**{points} of {response}, {curve} {start} to {end}, imported from a training log**": (
        "**{response} 的 {points}，{curve} {start} 至 {end}，由训练日志导入**"
    ),
    "The log is that of {source}. Nothing of it was trained here, and one curve says nothing of what made it so: no "
    "effect is claimed.": ("日志取自 {source}。这里没有做任何训练；单凭一条曲线说明不了成因，因此不声称任何效应。"),
    "What the log says": "日志说明了什么",
    "First {first}, last {last}, lowest {best}.": "最初 {first}，最后 {last}，最低 {best}。",
    "First {first}, last {last}, highest {best}.": "最初 {first}，最后 {last}，最高 {best}。",
    "{value} ({place})": "{value}（{place}）",
    "{curve} {place}": "{curve} {place}",
    "the last tenth of the log ({points} from {start} on)": "日志的最后十分之一（自 {start} 起，{points}）",
    "At the end: {where} has too few points to tell whether the curve was still moving.": (
        "结尾：{where}的点太少，看不出曲线是否仍在变化。"
    ),
    "At the end: no clear change. A straight line through {where} changes by {size}, its standard error is {error}.": (
        "结尾：没有明显变化。对{where}拟合直线，变化量为 {size}，标准误为 {error}。"
    ),
    "At the end: still falling. A straight line through {where} falls by {size} (standard error {error}).": (
        "结尾：仍在下降。对{where}拟合直线，下降 {size}（标准误 {error}）。"
    ),
    "At the end: still rising. A straight line through {where} rises by {size} (standard error {error}).": (
        "结尾：仍在上升。对{where}拟合直线，上升 {size}（标准误 {error}）。"
    ),
    "There is no gap in it.": "其中没有缺口。",
    "Gaps, in which nothing was logged: {curve} {gaps}. Elsewhere the usual distance is {distance} (median).": (
        "没有记录的缺口：{curve} {gaps}。其他各处的间距中位数为 {distance}。"
    ),
    "{start} to {end} (about {points})": "{start} 至 {end}（约 {points}）",
    "from {start} to {end}": "由 {start} 回到 {end}",
    "The log goes back ({turns}): what was logged again took the place of what had been logged from there on.": (
        "日志曾经回退（{turns}）：从该处起，重新记录的内容取代了原先的记录。"
    ),
    "Left out, because the value is not finite: {curve} {names}.": "因数值不是有限的数而略去：{curve} {names}。",
    "The points": "各点",
    "All points": "全部的点",
    "{n} of {points}": "{points}中的 {n} 个",
    "{command} writes all of them.": "{command} 会写出全部的点。",
    # figures/log_curve.py
    "not logged": "没有记录",
    "{label} over {along}.": "{label} 随 {along} 的变化。",
    "lowest: {value} at {along} {place}": "最低：{value}，{along} {place}",
    "highest: {value} at {along} {place}": "最高：{value}，{along} {place}",
    "Curve of {label}: {first} at {along} {first_place}, {last} at {along} {last_place}; {extreme}.": (
        "{label} 的曲线：{along} {first_place} 处为 {first}，{along} {last_place} 处为 {last}；{extreme}。"
    ),
}
