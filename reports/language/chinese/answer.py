"""The answer at the top of a page, and what is said of noise that runs share."""

from collections.abc import Mapping
from typing import Final

ANSWER: Final[Mapping[str, str]] = {
    # answer.py
    "**Use {cell}, the baseline: nothing beats it by more than chance.**": (
        "**用{cell}，即基线：没有哪个超出随机范围地胜过它**。"
    ),
    "**Use {cell}, the baseline: nothing beats it by more than chance.** {best} came out best, within chance.": (
        "**用{cell}，即基线：没有哪个超出随机范围地胜过它**。结果最高的是{best}，差异在随机范围之内。"
    ),
    "**Use {cell}: {settings}.** It came out best.": "**用{cell}：{settings}**。它的结果最好。",
    (
        "**Use {cell}: {settings}.** It cannot be told from what came out best, {best}, which takes {ratio} times as "
        "long to train."
    ): "**用{cell}：{settings}**。它与结果最好的{best} 区分不开，而后者的训练时间是它的 {ratio} 倍。",
    "**Use {cell}: {settings}.** What came out best, {best}, is worse where runs of the same seeds that learned are "
    "compared.": "**用{cell}：{settings}**。结果最好的{best} 在相同种子且学到的运行之间比较时反而更差。",
    "**Use {cell}: {settings}.** What came out best, {best}, cannot be told from it.": (
        "**用{cell}：{settings}**。结果最好的{best} 与它区分不开。"
    ),
    (
        "**{cell} came out best{on_dev} ({mean}), but nothing here tells what chance alone does**: run the cells with "
        "more seeds."
    ): "**{cell} {on_dev}结果最好（{mean}），但这里看不出单凭随机会差多少**：请用更多种子运行各组合。",
    "The baseline, {cell}, is worse.": "基线（{cell}）更差。",
    "The baseline, {cell}, may be as good: the difference is within chance.": (
        "基线（{cell}）也许一样好：差异在随机范围之内。"
    ),
    "What follows holds where training succeeds.": "以下结论针对训练成功的情形。",
    "{column} {change}: {size}, {verdict}.": "{column} {change}：{size}，{verdict}。",
    "{change}: {size}, {verdict}": "{change}：{size}，{verdict}",
    "{change}: {size}, {verdict} (with {given})": "{change}：{size}，{verdict}（{given} 时）",
    "{column} {steps}.": "{column} {steps}。",
    "{column}: {steps}.": "{column}：{steps}。",
    "{column} matters only together with {others}.": "{column} 只在与 {others} 搭配时起作用。",
    "No effect of {names} was found.": "未检出 {names} 的效应。",
    "{column} {change}: {size}, {verdict}, but only with {given}.": (
        "{column} {change}：{size}，{verdict}，但仅当 {given} 时。"
    ),
    "What matters for {response}:": "对 {response} 起作用的：",
    "No effect of {names} was found; effects smaller than {size} may be missed.": (
        "未检出 {names} 的效应；小于 {size} 的效应可能漏检。"
    ),
    "What was run": "运行了什么",
    # effects_text.py
    (
        "**{given} together ruin it: {mean} instead of {expected}** ({n} runs; {expected} is what each of them, and "
        "any two of them, lead to expect)."
    ): "**{given} 三者同时出现会毁掉结果：只有 {mean}，而单独或两两出现时应为 {expected}**（{n} 次运行）。",
    (
        "**{given} together lift it: {mean} instead of {expected}** ({n} runs; {expected} is what each of them, and "
        "any two of them, lead to expect)."
    ): "**{given} 三者同时出现会抬高结果：达到 {mean}，而单独或两两出现时应为 {expected}**（{n} 次运行）。",
    "Effects are those **outside of the ruinous combination**: its {n} runs do not count here.": (
        "以下效应针对**上述组合之外**的情形：该组合的 {n} 次运行不计入。"
    ),
    "Effects are those **where training succeeds**: {n} of {runs} did not learn {mark} and do not count here.": (
        "以下效应针对**训练成功**的情形：{runs}中有 {n} 次未学到 {mark}，不计入。"
    ),
    (
        "Effects are those **where training succeeds**: {n} of {runs} did not learn {mark}, {ruined} are those of the "
        "ruinous combination; none of them counts here."
    ): "以下效应针对**训练成功**的情形：{runs}中有 {n} 次未学到 {mark}，{ruined} 次属于上述组合，均不计入。",
    "{column} {change}: {measure}.": "{column} {change}：{measure}。",
    "{column}: with {given}, {told}; on average over these, {average}.": (
        "{column}：{given} 时，{told}；对这些因素取平均，{average}。"
    ),
    # noise_text.py, reasons_text.py
    "The standard deviation of a single run is {sd}.": "单次运行的标准差为 {sd}。",
    "On pure noise, 5 % of such pages name an effect.": "在纯噪声上，这样的页面有 5% 会检出效应。",
    "All that is said of effects is one family of statements: on pure noise, 5 % of such pages name any effect.": (
        "关于效应的全部说法作为一族同时成立：在纯噪声上，这样的页面有 5% 会检出任何效应。"
    ),
    (
        "No run is repeated: noise is what most of the {n} contrasts of the cells show, supposing that few of them are "
        "real."
    ): "没有重复运行：噪声取自各组合的 {n} 个对比中的大多数，前提是其中只有少数是真实效应。",
    "what the {seed} does to all cells alike; and if many effects are real they pass for noise": (
        "{seed}对所有组合的共同影响；若真实效应很多，它们会被当成噪声"
    ),
    "what the {seed} does to all cells alike; and a real interaction among the pooled ones hides other effects": (
        "{seed}对所有组合的共同影响；若合并的交互作用中有真实的，其他效应会被掩盖"
    ),
    (
        "With one {seed} the 95 % are no promise: where runs are alike across most factors, a page of pure noise names "
        "an effect in up to one case of three. A second {seed} would tell."
    ): (
        "只有一个{seed}时，95% 不是保证：若多数因素下的运行彼此相似，纯噪声的页面最多每三页就有一页检出效应。"
        "再跑一个{seed}即可分辨。"
    ),
    (
        "Runs of one {seed} share a part of their noise where they differ in one factor alone (0: nothing, 1: all): "
        "{named}."
    ): ("同一{seed}下只差一个因素的两次运行，噪声有多大部分相同（0：没有，1：全部）：{named}。"),
    (
        "Runs of one {seed} share a part of their noise where they differ in one of these factors alone (0: nothing, "
        "1: all): {named}; for the others it is below {limit}."
    ): "同一{seed}下只差一个因素的两次运行，噪声有多大部分相同（0：没有，1：全部）：{named}；其余因素低于 {limit}。",
    "Runs of one {seed} that differ in one factor alone share less than {limit} of their noise.": (
        "同一{seed}下只差一个因素的两次运行，噪声的相同部分低于 {limit}。"
    ),
    "{column} changes nothing: all {n} pairs of runs are equal.": "{column} 不改变任何结果：{n} 对运行全部相等。",
    (
        "{column} changes next to nothing: of {n} pairs of runs that differ in it alone, {equal} are equal; the mean "
        "difference is {mean}, the largest {largest}, less than half of that standard deviation ({sd})."
    ): (
        "{column} 几乎不改变结果：只差该因素的 {n} 对运行中有 {equal} 对相等；差值平均 {mean}，最大 {largest}，"
        "不到上述标准差（{sd}）的一半。"
    ),
    (
        "Noise is unequal: the standard deviation of a run is {most} with {noisy}, but {least} with {quiet}. What is "
        "said of a part of the rows is held against the noise of that part."
    ): "噪声不等：{noisy} 时单次运行的标准差为 {most}，{quiet} 时为 {least}。对一部分行的说法，按该部分的噪声判断。",
}
