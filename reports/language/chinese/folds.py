"""Sentences about folds, and about pairs that are added to training rows."""

from collections.abc import Mapping
from typing import Final

FOLDS: Final[Mapping[str, str]] = {
    "fold": "折",
    "seed": "种子",
    "seed and fold": "种子与折",
    "{n} fold": "{n} 折",
    "{seeds} x {folds}": "{seeds} × {folds}",
    " by the mean over folds": "（按各折均值）",
    "fold mean": "各折均值",
    "fold sd": "各折标准差",
    "{metric} of all rows, each judged by its fold's run": ("全部数据合在一起的 {metric}，每条由其所在折的运行评判"),
    "{metric} on test, by the folds' mean probabilities": "测试集上的 {metric}，取各折概率的平均",
    "`result` is {metric} of all {n} rows, each judged by the run of its fold": (
        "`结果` 是全部 {n} 条数据的 {metric}，每条由其所在折的运行评判"
    ),
    "`result` is {metric} on test, by the mean over folds of the probabilities, `dev` that of all {n} rows, each "
    "judged by the run of its fold": (
        "`结果` 是测试集上的 {metric}，取各折概率的平均；`验证` 是全部 {n} 条数据的同一指标，每条由其所在折的运行评判"
    ),
    "{what}, at {choice}{mean}{spread}.": "{what}，取{choice}{mean}{spread}。",
    "`fold mean` and `fold sd` are of what the runs of single folds have on dev; a cell has a result where all its "
    "folds are there.": "`各折均值` 与 `各折标准差` 取自单折运行在验证集上的结果；各折齐全的组合才有结果。",
    "No epoch was chosen by the rows that judge it, so what is told of dev is out of fold.": (
        "没有哪一轮是由评判它的数据选出的，因此所说的验证结果都是折外的。"
    ),
    "What is told of dev{where} is not out of fold, and a little too good: each fold's rows chose the epoch that they "
    "judge (with `selection = {last}` none is chosen).": (
        "所说的验证结果{where}不是折外的，略微偏高（偏乐观）：每折的数据选出了由它们自己评判的那一轮"
        "（`selection = {last}` 时不作选择）。"
    ),
    " of {cells}": "（{cells}）",
    " of single folds": "（单折）",
    "folds": "折",
    "seeds and folds": "种子与折",
    "all folds": "各折合计",
    "No cell has all of its folds yet: `fold mean` is all that there is to compare.": (
        "尚无组合各折齐全：可比较的只有 `各折均值`。"
    ),
    "Some cells do better in some folds than in others, whatever the seed: in each fold, the mean over seeds counts as "
    "one run.": "有些组合在某些折上更好，不论种子如何：因此每折取各种子的均值，算作一次运行。",
    "{n} divided": "{n} 条分折",
    "The reference is fitted for each fold, too: every row is judged by the one that did not see it.": (
        "参照方法也按折拟合：每条数据由未见过它的那一个评判。"
    ),
    "All rows together give a worse {metric} than every single fold does in {cells}: the runs of different folds do "
    "not score rows on one scale, and this metric compares rows of all folds. `fold mean` does not see it; the mean of "
    "such runs suffers from it.": (
        "{cells}中，全部数据合在一起的 {metric} 比任何单折都差：不同折的运行打分尺度不同，而该指标要比较各折的数据。"
        "`各折均值` 反映不出这一点；对这些运行取平均会受其影响。"
    ),
    "The models that one seed trained, one for each fold, are compared, and not recipes: another seed may turn the "
    "order round.": "这里比较的是一个种子在各折训练出的模型，而不是配方：换一个种子，次序可能颠倒。",
    "Where folds divide the rows, results are means over single folds, not of all rows together.": (
        "分折的研究，其结果是各单折运行的均值，而不是全部数据合在一起的结果。"
    ),
    "Training pairs": "训练文本对",
    "added by": "加入方式",
    "positive": "正例",
    "negative": "负例",
    "in conflict": "矛盾",
    "in dev or test": "在验证或测试集中",
    "beyond the ratio": "超出比例",
    "Training rows of each label before and after pairs were added, and how many that could have been were left out: "
    "they contradict a given pair, or dev or test holds them.": (
        "加入文本对前后各标签的训练数据条数，以及本可加入而未加入的对数：与已有文本对矛盾，或出现在验证集或测试集中。"
    ),
    "{n} groups of equal texts are larger than the cap, and were left as they are.": (
        "{n} 组等价文本超过上限，未作扩充。"
    ),
    "what all folds share: most of their training rows, which other samples of rows would not": (
        "各折共有的因素：大部分训练数据，而另外抽取的数据不会如此"
    ),
}
