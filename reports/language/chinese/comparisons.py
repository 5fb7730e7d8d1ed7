"""The best cell against the baseline, and one study against another."""

from collections.abc import Mapping
from typing import Final

COMPARISONS: Final[Mapping[str, str]] = {
    # best_vs_baseline.py
    "Best against baseline": "最佳组合与基线",
    (
        "The best cell and the baseline cannot be compared row by row: not all their logits are kept "
        "(`--keep-logits none`)."
    ): ("最佳组合与基线无法逐行比较：二者的 logits 未全部保存（`--keep-logits none`）。"),
    (
        "Logits are kept in half precision: where two labels are nearly equal, the one counted here may not be "
        "the one that the table counted."
    ): ("logit 以半精度保存：两个标签几乎相等时，这里所计的标签可能与表中所计的不同。"),
    (
        "On {n} rows of {split}, the {metric} of {best} less that of {baseline} is {difference} (95 % interval "
        "for other such rows: {low} to {high})."
    ): (
        "在{split}的 {n} 条上，{best} 的 {metric} 减去{baseline} 的，差为 {difference}（换一批同类数据的 95% 置信区间："
        "{low} 至 {high}）。"
    ),
    (
        "On {n} rows of {split}, the {metric} of {best} (mean over {first}) less that of {baseline} (mean over "
        "{second}) is {difference} (95 % interval for other such rows and other seeds: {low} to {high})."
    ): (
        "在{split}的 {n} 条数据上，{best}（{first}的均值）的 {metric} 减去{baseline}（{second}的均值）的，差为 "
        "{difference}（换成同类的其他数据和其他种子时的 95% 置信区间：{low} 至 {high}）。"
    ),
    "Its standard error is {rows} from the rows and {seeds} from the seeds.": (
        "其标准误：来自数据的为 {rows}，来自种子的为 {seeds}。"
    ),
    "Without the best and the worst quarter of the runs of each (interquartile means) it is {difference}.": (
        "去掉各自最好和最差的四分之一运行后（四分位均值），差为 {difference}。"
    ),
    ("seed {seed}: only the best is right on {first} rows, only the baseline on {second} (McNemar's test: p {p})"): (
        "种子 {seed}：只有最佳组合判对的有 {first} 条，只有基线判对的有 {second} 条（McNemar 检验：p {p}）"
    ),
    "Two trained models are compared, not recipes: another seed may turn the order round.": (
        "这里比较的是两个训练好的模型，而不是配方：换一个种子，次序可能颠倒。"
    ),
    "The best cell was chosen on these very rows, so a part of its lead is luck.": (
        "最佳组合正是在这些数据上选出的，它的领先有一部分来自运气。"
    ),
    # compare.py
    "Two studies compared": "两个研究的比较",
    "{letter}: {name}, {rows} of a published table, {metric}": "{letter}：{name}，已发表表格的 {rows}，{metric}",
    "{letter}: {name}, {cells} with {seeds}, task {task}, {metric} on {split}": (
        "{letter}：{name}，{cells}，每个组合 {seeds}，任务 {task}，{split} {metric}"
    ),
    "{n} are in both studies.": "两个研究共有 {n}。",
    "Apart from what is in the table they differ in {what}.": "除表中所列之外，两者的不同之处：{what}。",
    "{name} ({first} in A, {second} in B)": "{name}（A 为 {first}，B 为 {second}）",
    "rows of train": "训练集条数",
    "rows of dev": "开发集条数",
    "{n} of them are the very same trials.": "其中 {n} 个是同样的试验。",
    "What the published numbers measure is not known here; they are taken to be the same.": (
        "已发表的数字究竟是什么指标，这里无从得知；暂且视为同一指标。"
    ),
    "Their results are of different measures, so they are not subtracted.": "两者的指标不同，因此不相减。",
    "Fewer than two of them have a result in both, so there is no difference to summarise.": (
        "两边都有结果的组合不足两个，没有差值可以汇总。"
    ),
    (
        "B less A, over {n}: mean {mean}, standard deviation {sd}. B is better in {better}, worse in {worse}, equal in "
        "{equal}."
    ): ("B 减 A，共 {n}：均值 {mean}，标准差 {sd}。B 更好的有 {better} 个，更差的有 {worse} 个，相等的有 {equal} 个。"),
    (
        "For other cells like these with the very same seeds, the 95 % interval of the mean is {low} to {high}. It is "
        "none of the difference between recipes: a study with one seed cannot tell what that seed does to all of its "
        "cells alike."
    ): (
        "若换成类似的其他组合而种子不变，均值的 95% 置信区间为 {low} 至 {high}。这不是配方之差的区间：只有一个种子的"
        "研究，看不出该种子对全部组合的共同影响。"
    ),
    (
        "For other cells like these, the 95 % interval of the mean is {low} to {high}. Which of the published rows "
        "share a seed is not known: what one does to all of them alike is in the mean, and the interval does not see "
        "it."
    ): (
        "若换成类似的其他组合，均值的 95% 置信区间为 {low} 至 {high}。已发表的各行中哪些共用种子，无从得知：种子对它们"
        "的共同影响已包含在均值里，而区间反映不出来。"
    ),
    (
        "For other cells like these and other seeds, the 95 % interval of the mean is {low} to {high}; every cell has "
        "seeds of its own."
    ): "若换成类似的其他组合和其他种子，均值的 95% 置信区间为 {low} 至 {high}；每个组合都有自己的种子。",
    (
        "For other cells like these and other {runs}, the 95 % interval of the mean is {low} to {high}; the standard "
        "error is {cells} from the cells and {seeds} from the {runs}."
    ): (
        "若换成类似的其他组合和其他{runs}，均值的 95% 置信区间为 {low} 至 {high}；其标准误中，来自组合的为 {cells}，"
        "来自{runs}的为 {seeds}。"
    ),
    "The rank correlation of the two is {r} (Spearman; 1: they rank the cells alike, 0: unrelated).": (
        "两者的秩相关系数为 {r}（Spearman；1：组合的排序相同，0：互不相关）。"
    ),
    "The cells that both have": "两者共有的组合",
    "index A": "A 中编号",
    "index B": "B 中编号",
    "What each says matters": "两者各自认为什么重要",
    "{letter} has no tested effects: {why}": "{letter} 没有可检验的效应：{why}",
    (
        "Behind ± are simultaneous 95 % intervals within each study; bold: found there. Found in one and not in the "
        "other is no evidence that the two differ: look whether the intervals overlap."
    ): (
        "± 之后是各研究内部的 95% 同时置信区间；粗体：在该研究中检出。只在一个研究中检出，并不说明两者不同：要看区"
        "间是否重叠。"
    ),
    # compare_curves.py
    "{label} over {along}, as far as both go.": "{label} 随 {along} 的变化，画到两者共有的最后一处。",
    "{first} and {second}": "{first} 与 {second}",
    "Losses at equal places: {along}": "相同 {along} 处的损失",
    "{letter}: {name}, losses of {pretrainings}: {names}": "{letter}：{name}，{pretrainings}的损失：{names}",
    "{letter}: {name}, {points} of {metric} from a training log, {along} {start} to {end}": (
        "{letter}：{name}，训练日志中 {metric} 的 {points}，{along} {start} 至 {end}"
    ),
    "They have no {along} in common: A goes from {start} to {end}, B from {other_start} to {other_end}.": (
        "两者没有共同的 {along}：A 从 {start} 到 {end}，B 从 {other_start} 到 {other_end}。"
    ),
    "{mark}: on the straight line between the two logged points next to it.": (
        "{mark}：取相邻两个记录点之间直线上的值。"
    ),
    "{n} more pretrainings are not shown.": "另有 {n} 个预训练未列出。",
    "At {along} {last}, the last of both, {first} and {second} are equal.": (
        "在两者共有的最后一处 {along} {last}，{first} 与 {second} 相等。"
    ),
    "At {along} {last}, the last of both, {lower} is lower than {higher} by {size}.": (
        "在两者共有的最后一处 {along} {last}，{lower} 比 {higher} 低 {size}。"
    ),
    (
        "A lower loss is no better encoder: with other texts, another vocabulary or another mask it is another "
        "measure, and an epoch is another number of steps."
    ): ("损失更低并不等于编码器更好：文本、词表或遮盖方式不同，损失就是另一种度量，一轮的步数也不同。"),
    # observational.py
    "What went with good results": "哪些水平与好结果同时出现",
    "**Observational**: {chosen}. No level went together with better or worse results more than chance explains.": (
        "**观察性结论**：{chosen}。没有哪个水平与结果好坏的关联超出偶然。"
    ),
    (
        "**Observational**: {chosen}. Better or worse results went together with the levels of {names}; that is no "
        "proof that they are the cause."
    ): ("**观察性结论**：{chosen}。结果的好坏与 {names} 的水平有关联；这并不证明它们就是原因。"),
    "these rows were picked one by one, and levels that were tried together cannot be separated well": (
        "这些行是逐个挑选的，总是一起尝试的水平难以区分"
    ),
    "these cells are a random sample": "这些组合是随机抽样",
    "an optimiser chose these cells by the results before them": "这些组合是优化器根据先前的结果选出的",
    "factor": "因素",
    "rows": "行数",
    "told from zero": "与零可区分",
    "{level} instead of {reference}, on a log scale": "由 {reference} 改为 {level}（对数尺度）",
    (
        "A linear regression of the result on all factors together ({rows}, {df} degrees of freedom left, R² "
        "{r_squared}); the standard deviation around it is {sd}, and holds interactions as well as noise."
    ): (
        "把结果对所有因素一起做线性回归（{rows}，剩余自由度 {df}，R² {r_squared}）；其残差标准差为 {sd}，既含噪声也"
        "含交互作用。"
    ),
    "Intervals are simultaneous (Bonferroni) with robust standard errors (HC3).": (
        "区间为同时置信区间（Bonferroni 校正），标准误为稳健标准误（HC3）。"
    ),
    (
        "Intervals are simultaneous (Bonferroni), and suppose the same noise in every row: some levels stand in a "
        "single one."
    ): "区间为同时置信区间（Bonferroni 校正），并假定各行噪声相同：有的水平只出现在一行里。",
    "Left out, because they change together with the others: {names}.": "因与其他因素同步变化而略去：{names}。",
    "At one level only: {names}.": "只有一个水平：{names}。",
    "There are fewer than two results.": "结果不足两个。",
    "No factor varies over the rows with a result.": "在有结果的行中，没有任何因素变化。",
    "Too few results for so many levels: nothing is left to estimate the noise from.": (
        "结果太少而水平太多：没有余下的信息可以估计噪声。"
    ),
    "All results are the same.": "所有结果都相同。",
}
