"""The successive halving, in Chinese."""

from collections.abc import Mapping
from typing import Final

HALVED: Final[Mapping[str, str]] = {
    "Successive halving": "逐次减半",
    "By successive halving, {n} of {cells} ran to the end.": "逐次减半：{cells}中有 {n} 个跑完全程。",
    (
        "Every cell runs to epoch {n} of {total}; the best 1/{eta} of them run to the next rung, and so on to the "
        "last. A rung is cut by the mean of {metric} on dev at its last epoch, whole cells with all of their {seeds}. "
        "Ties go to the earlier row, and a cell ranks last when a run of it failed or its loss is no number."
    ): (
        "每个组合先跑到第 {n} 轮（共 {total} 轮）；其中最好的 1/{eta} 跑到下一级，依此类推直到最后一级。"
        "每一级按其最后一轮的验证集 {metric} 均值取舍，整个组合连同其全部{seeds}一起进退。"
        "相等时取表中靠前的一行；有运行失败或损失不是数的组合排在最后。"
    ),
    "It takes {cost} of the {full} epochs of all cells.": "共需 {cost} 轮，而全部组合跑完需 {full} 轮。",
    "Rung {n} is under way: {there} of {trials} are there.": "第 {n} 级正在运行：{trials}中已有 {there} 个到达。",
    "rung": "级",
    "epochs": "轮数",
    "worst that went on": "晋级中最差",
    "best left behind": "淘汰中最好",
    "{value} (cell {name})": "{value}（组合 {name}）",
    ", a tie": "，并列",
    (
        "A cell that starts slowly is lost in this: after {n} of {total} epochs, tricks that pay late have not paid "
        "yet."
    ): "起步慢的组合会在这里被淘汰：共 {total} 轮中跑完 {n} 轮时，后期才见效的技巧还没有见效。",
    (
        "Of the {n} that ran to the end, the best after the first rung, cell {name}, came out as number {place}."
    ): "跑完全程的 {n} 个组合中，第一级之后最好的是组合 {name}，最终排在第 {place} 名。",
    (
        "**After {n} of {total} epochs**: the first rung is the only one that has every cell, and an effect at this "
        "point is not yet one at the end. It says nothing of test."
    ): ("**共 {total} 轮中跑完 {n} 轮时**：只有第一级包含全部组合，此时的效应还不是跑完全程时的效应，也与测试集无关。"),
    " after {n} of {total} epochs": "（共 {total} 轮中跑完 {n} 轮时）",
    "dev after {n}": "{n} 轮后验证集",
    "`epochs` is how far a cell came; only those that ran to the end have a result, and are ranked.": (
        "`轮数` 是组合跑到的轮数；只有跑完全程的组合有结果，也只有它们参与排名。"
    ),
    (
        "The choice went through the halving: {cells} were left behind by their first epochs, and the best of them all "
        "may be among these. What went on did so by the luck of the same runs, too, so that its result is optimistic: "
        "run the few best with new seeds before you rely on one."
    ): (
        "这一选择经过了逐次减半：{cells}因最初几轮的表现被淘汰，真正最好的组合可能就在其中。"
        "晋级的组合也有几分靠的是同一批运行的运气，因此其结果偏乐观：在依赖某一个之前，"
        "请用新的种子再跑最好的几个。"
    ),
    "Only {cell} ran to the end ({mean} on dev).": "只有{cell}跑完全程（验证集 {mean}）。",
    (
        "Of the {n} that ran to the end, {cell} is the best on dev ({mean}). Nothing tells by how much it would have "
        "to lead: that takes several of them, with several seeds."
    ): (
        "跑完全程的 {n} 个组合中，验证集上最好的是{cell}（{mean}）。它要领先多少才算数，无从判断："
        "这需要多个组合、多个种子。"
    ),
    (
        "Runs that a halving left behind are not judged: one label for every row after a few epochs may be no more "
        "than a slow start."
    ): "被减半淘汰的运行不作判断：几轮之后每一条都预测同一标签，也许只是起步慢。",
    (
        "{letter} is a successive halving: its effects are on dev after {n} of {total} epochs"
    ): "{letter} 做了逐次减半：其效应是验证集上共 {total} 轮中跑完 {n} 轮时的效应",
}
