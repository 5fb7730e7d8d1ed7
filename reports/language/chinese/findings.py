"""Effects, the noise that they are held against, and what to use, in Chinese."""

from collections.abc import Mapping
from typing import Final

_EFFECTS: Final[Mapping[str, str]] = {
    "What matters": "哪些因素起作用",
    "Nothing can be tested.": "无法做检验。",
    "**Found: {names}** ({n} of {tested} tested on {response}). In parentheses are 95 % simultaneous intervals.": (
        "**检出：{names}**（共检验 {tested}，检出 {n} 个；响应变量：{response}）。括号内是 95% 同时置信区间。"
    ),
    "**No effect was found**: of {tested} tested on {response}, none is larger than chance explains.": (
        "**未检出任何效应**：共检验 {tested}（响应变量：{response}），没有一个超出随机波动所能解释的范围。"
    ),
    "One half as large would need {seeds} for every combination, the noise being what it is here.": (
        "噪声不变时，要检出只有一半大的效应，每个组合需要 {seeds}。"
    ),
    "One half as large would need more than 10,000 seeds for every combination.": (
        "要检出只有一半大的效应，每个组合需要超过 10,000 个种子。"
    ),
    "This design sees {least} of {size} with 80 % chance.": "本设计有 80% 的把握检出大小为 {size} 的{least}。",
    "a difference between two levels": "两个水平之差",
    "a main effect": "主效应",
    "**No conclusion**: {n} of the {runs} did not learn {mark}, and differences between runs that learned nothing "
    "answer no question. Other settings (a smaller learning rate, a warm-up, more steps) may train where these did "
    "not.": (
        "**无法下结论**：{runs}中有 {n} 次未学到 {mark}，没有学到东西的运行之间的差异回答不了任何问题。"
        "换一些设置（更小的学习率、预热、更多步数）也许能训练起来。"
    ),
    "{level} instead of {reference}": "由 {reference} 改为 {level}",
    "better": "更好",
    "worse": "更差",
    "not told from zero": "与零无法区分",
    "{estimate} ({interval}), {verdict}": "{estimate}（{interval}），{verdict}",
    "{low} to {high}": "{low} 至 {high}",
    "(empty)": "（空）",
    "{change} {measure}": "{change}：{measure}",
    "{term}: the effect of each depends on the other.": "{term}：各自的效应取决于对方的水平。",
    "{column} depends on {others}: {conditions}.": "{column} 的效应取决于 {others}：{conditions}。",
    "with {given}, {change} is {measure}": "{given} 时，{change}：{measure}",
    "{column} {level}": "{column} 为 {level}",
    "and {n} more": "另有 {n} 条",
    "and {n} more, in the table": "另有 {n} 条，见下表",
    "effect": "效应",
    "levels": "水平",
    "any level": "任一水平",
    "estimate": "估计值",
    "95 % interval": "95% 置信区间",
    "adjusted p": "校正后 p 值",
    "found": "检出",
    "below 0.0001": "低于 0.0001",
    "yes": "是",
    "no": "否",
    "The estimate of an interaction is half of how much one effect changes with the other's level.": (
        "交互作用的估计值，是一个因素的效应随另一个因素的水平所变化的量的一半。"
    ),
    "{interactions} was tested and not found.": "{interactions}经检验未检出。",
    "{interactions} were tested and none found.": "{interactions}经检验均未检出。",
    "{interactions} could not be tested: the rows do not tell them apart.": (
        "{interactions}无法检验：现有的行区分不开它们。"
    ),
}

_NOISE: Final[Mapping[str, str]] = {
    "Noise": "噪声",
    "1 degree of freedom": "1 个自由度",
    "{n} degrees of freedom": "{n} 个自由度",
    "It does not see {blind_to}.": "它反映不出{blind_to}。",
    "1 of {runs} has no finite result and is left out.": "{runs}中有 1 次没有有限的结果，未计入。",
    "{n} of {runs} have no finite result and are left out.": "{runs}中有 {n} 次没有有限的结果，未计入。",
    "{results} repeat another one exactly, and count once.": "{results}与另一个完全相同，只计一次。",
    "With results at one level only, nothing is known of {names}.": "只有一个水平有结果，因此对 {names} 一无所知。",
    "The rows are a fraction of resolution {n}: {products} is constant, so an effect cannot be told from the "
    "interaction of the other factors named there.": (
        "这些行是分辨度 {n} 的部分析因设计：{products} 恒定不变，因此一个效应与其中其余因素的交互作用相混杂，无法区分。"
    ),
    "These rows cannot tell apart: {terms}.": "这些行无法区分以下混杂的效应：{terms}。",
    "Pure error: runs that differ only in factors that cannot act ({names}), so only by chance.": (
        "纯误差：取自只在不起作用的因素（{names}）上不同的运行，其差异全属随机。"
    ),
    "Pure error: how differently the cells react to a change of {seed}, after taking off what a {seed} does to all "
    "cells alike.": "纯误差：去掉{seed}对所有组合的共同影响之后，各组合对更换{seed}的反应有多不同。",
    "Pure error: how much runs of the same cell differ.": "纯误差：同一组合的各次运行之间的差异。",
    "what all runs share: the split of the data, and one test set": "所有运行共有的因素：数据划分和同一个测试集",
    "what all seeds share: the split of the data, and one test set": "所有种子共有的因素：数据划分和同一个测试集",
    "No run is repeated often enough: {pooled}{also} are pooled, as if they were nothing but noise.": (
        "没有足够的重复运行：把{pooled}{also}合并为误差，当作纯噪声。"
    ),
    " and the few replicates": "和少量重复",
    "replicates within cells": "组合内的重复",
    "factors that cannot act": "不起作用的因素",
    "interactions of three or more factors": "三个及以上因素的交互作用",
    "interactions of two or more factors": "两个及以上因素的交互作用",
    "There is no result.": "没有结果。",
    "There is one result: nothing to compare it with.": "只有一个结果，没有可比较的对象。",
    "No factor that can act has results at two levels.": "没有一个起作用的因素在两个水平上都有结果。",
    "{runs} runs in {cells} cells, and none is repeated: nothing says how far two runs differ by chance alone, so no "
    "difference can be tested. Run every cell with two seeds or more.": (
        "{cells} 个组合共 {runs} 次运行，没有重复：无从得知两次运行单凭随机会相差多少，因此任何差异都无法检验。"
        "请让每个组合用两个或更多种子运行。"
    ),
    "{runs} runs in {cells} cells: what their repetitions tell of how far two runs differ by chance alone is too "
    "little to test a difference against. Run every cell with one more seed, or more cells with two seeds or more.": (
        "{cells} 个组合共 {runs} 次运行：这些重复不足以说明两次运行单凭随机会相差多少，因此任何差异都无法检验。"
        "请让每个组合再多用一个种子运行，或者让更多组合各用两个或更多种子运行。"
    ),
    "Only main effects are tested: these rows cannot tell interactions from one another or from noise. A main effect "
    "here is right only if the factors do not interact.": (
        "只检验了主效应：这些行既区分不开各个交互作用，也无法把它们与噪声分开。只有因素之间没有交互作用时，这里的主效应才可信。"
    ),
    "All results are the same: there is no noise to test against, and no effect.": (
        "所有结果都相同：没有可供检验的噪声，也没有效应。"
    ),
    "The estimated noise is zero: repeated or pooled values agree exactly, so nothing can be tested.": (
        "估计的噪声为零：重复或合并的值完全一致，因此无法检验。"
    ),
}

_BEST: Final[Mapping[str, str]] = {
    "What to use": "该用哪一个",
    " on dev": "在验证集上",
    "cell {name}": "组合 {name}",
    "row {name}": "行 {name}",
    "cells {names}": "组合 {names}",
    "rows {names}": "行 {names}",
    "{n} of {rows} cannot be told from the best{chosen_on}, {first} ({mean}): {names}. With 95 % chance the truly best "
    "is among them.": (
        "{rows}中有 {n} 个与{chosen_on}最好的{first}（{mean}）无法区分：{names}。真正最好的以 95% 的置信度在其中。"
    ),
    "{first} ({mean}{chosen_on}) is told from all {n} others.": (
        "{first} {chosen_on}与其余 {n} 个都能区分开（{mean}）。"
    ),
    "Rows with the same levels count as one, named after the first of them, with their mean.": (
        "各水平都相同的行算作一行，以其中第一行命名，取其均值。"
    ),
    "The best of many is partly the luckiest: in new runs, expect about {value} of {first}{chosen_on}: its result, "
    "shrunk towards what the effects found predict for it (without any, the common mean).": (
        "众多组合中最好的那个多少靠了运气：重新运行时，{first} 的结果{chosen_on}预计约为 {value}，"
        "即把原结果向检出的效应所预测的值（没有检出时为总均值）收缩。"
    ),
}

FINDINGS: Final[Mapping[str, str]] = {**_EFFECTS, **_NOISE, **_BEST}
