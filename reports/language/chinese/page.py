"""The sections of the page, in Chinese: what was found, asked and run."""

from collections.abc import Mapping
from typing import Final

_COUNTS: Final[Mapping[str, str]] = {
    " ": "",
    ", ": "、",
    "; ": "；",
    " x ": " × ",
    " and ": " 且 ",
    " or ": " 或 ",
    "{names} and {n} more": "{names} 及另外 {n} 个",
    "{word}: {name}": "{word}：{name}",
    " ({details})": "（{details}）",
    "cell": "组合",
    "{n} cell": "{n} 个组合",
    "{n} combination": "{n} 个组合",
    "{n} factor": "{n} 个因素",
    "{n} seed": "{n} 个种子",
    "{n} trial": "{n} 个试验",
    "{n} run": "{n} 次运行",
    "{n} attempt": "{n} 次尝试",
    "{n} worker": "{n} 个进程",
    "{n} row": "{n} 行",
    "{n} listed row": "列出的 {n} 行",
    "{n} effect": "{n} 个效应",
    "{n} test": "{n} 次检验",
    "{n} result": "{n} 个结果",
    "{n} interaction": "{n} 个交互作用",
    "{n} other interaction": "另有 {n} 个交互作用",
    "{n} s": "{n} 秒",
    "{n} min": "{n} 分钟",
    "{n} h": "{n} 小时",
    "train": "训练集",
    "dev": "验证集",
    "test": "测试集",
}

_RESULTS: Final[Mapping[str, str]] = {
    "No trial has finished yet: there is nothing to compare.": "还没有试验完成，没有可比较的结果。",
    "{cells} of {factors}{kind}{left_out}, {seeds} each, on the task {task} with {encoders}.": (
        "任务 {task}，编码器 {encoders}；{factors}，{cells}{kind}{left_out}，每个组合 {seeds}。"
    ),
    ", a {design}": "，{design}",
    " ({n} more left out by rules)": "（另有 {n} 个被规则排除）",
    "Best": "最好",
    "Worst": "最差",
    "Best on dev": "验证集上最好",
    "Worst on dev": "验证集上最差",
    "{word}: {cell}, {measured}.": "{word}：{cell}，{measured}。",
    "Equal to it on dev: {cells}.": "验证集上与之相同的有：{cells}。",
    "But a run behind it did not learn {mark}: it supports no conclusion.": (
        "但其背后有一次运行未学到 {mark}，不能据此下结论。"
    ),
    "No cell beats {yardsticks} on dev.": "验证集上没有一个组合超过 {yardsticks}。",
    "mean of {seeds}": "{seeds}的均值",
    "sd": "标准差",
    "result": "结果",
    "index": "编号",
    "row": "行名",
    "result: {measure}": "结果：{measure}",
    "{metric} of '{label}'": "“{label}”的 {metric}",
    "{metric} on {split} at the chosen epoch": "选定轮次在{split}上的 {metric}",
    ", mean over seeds": "，取各种子的均值",
    "* best of its column": "* 该列最好",
    "{mark} did not learn: see the page": "{mark} 未学到：见报告",
    "Results": "结果",
    "f1_macro is the mean over the labels that occur in {split} or are predicted: {split} has rows of {n} of the "
    "{total} labels.": (
        "f1_macro 是对{split}中出现过或被预测出的标签取均值：{split}的数据涉及 {total} 个标签中的 {n} 个。"
    ),
    "`result` is {measure}{on_dev}{spread}.": "`结果` 是{measure}{on_dev}{spread}。",
    ", `dev` the same on dev": "，`验证集` 是验证集上的同一指标",
    "; `sd` is the standard deviation over `n` seeds": "；`标准差` 是 `n` 个种子之间的标准差",
    "The chosen epoch is {choice}.": "选定轮次是{choice}。",
    "the best on dev, ties to the earlier": "验证集上最好的一轮，并列取较早者",
    "the last": "最后一轮",
    "the one that the cell's selection names": "组合的 selection 所指定的一轮",
    "Lower is better; the best of a column is bold.": "越低越好；每列最好的加粗。",
    "Higher is better; the best of a column is bold.": "越高越好；每列最好的加粗。",
    "{mark} a run behind this number did not learn: see Runs that did not learn.": (
        "{mark} 该数背后有未学到的运行：见“未学到的运行”。"
    ),
    "Best and worst": "最好与最差",
    "{word}: {cell}, {measured}, {epochs}, {seconds} per epoch{mark}: {settings}": (
        "{word}：{cell}，{measured}，{epochs}，每轮 {seconds}{mark}：{settings}"
    ),
    ", did not learn {mark}": "，未学到 {mark}",
    "epoch {chosen} of {total}": "选定第 {chosen} 轮（共 {total} 轮）",
    "epochs {chosen} of {total}": "选定第 {chosen} 轮（共 {total} 轮）",
    "lowest": "最低",
    "highest": "最高",
    "The {extreme} test result is that of {cell}, {measured}. Choosing it would be choosing on test, after which test "
    "no longer measures anything.": (
        "测试集结果{extreme}的是{cell}，{measured}。若据此选它，就是在测试集上做选择，测试集便不再能衡量任何东西。"
    ),
    "Yardstick": "参照",
    "baseline": "基线",
    "best": "最好",
    "A rule leaves the baseline cell out.": "基线组合被规则排除。",
    "No row of the list is the baseline.": "列出的行中没有基线。",
    "Read with care": "解读须知",
    "Best and worst are those of the {n} of {cells} that have a result.": (
        "最好与最差只就有结果的 {n} 个而言（共 {cells}）。"
    ),
    "Some replicates are missing in {cells}.": "{cells} 缺少部分重复。",
    "`sd` is over seeds (initialisation, order of the rows, dropout) on one and the same split: other training or "
    "evaluation rows would add noise that it does not show.": (
        "`标准差` 是同一数据划分下不同种子（初始化、数据顺序、dropout）之间的标准差："
        "换一批训练或评测数据，还会带来它反映不出的噪声。"
    ),
    "Every cell ran with one seed: this page cannot see seed noise, so a difference between two rows may be nothing "
    "else.": "每个组合只用了一个种子：本报告看不出种子噪声，因此两行之间的差异可能仅仅是种子噪声。",
    (
        "{equal} of {n} pairs of cells that differ in {column} alone have exactly the same result. With a shared seed "
        "such a pair is nearly one run counted twice: where interactions are pooled as noise, the noise is larger "
        "than it looks."
    ): (
        "仅 {column} 不同的 {n} 对组合中，有 {equal} 对结果完全相同。种子共用时，这样的一对几乎等于把同一次运行算了"
        "两次；如果是用合并的交互作用估计噪声，那么真实噪声比看上去更大。"
    ),
    "{note}.": "{note}。",
    "The best of {n} noisy cells is partly the luckiest of them: its {measure} is optimistic. Expect less of it on new "
    "data.": "{n} 个带噪声的组合中，最好的那个多少靠了运气，就{measure}而言偏乐观：在新数据上应预期更低的表现。",
    "There is no labelled test: the rows that chose the epoch also measured the result.": (
        "没有带标签的测试集：选择轮次与衡量结果用的是同一批数据。"
    ),
    "All rows of {split} have the same label: a model that gives it to every text is perfect.": (
        "{split}的全部数据都是同一标签：对任何文本都给出该标签的模型就是满分。"
    ),
    "{split} has {rows} rows: one row is {one}, and on so many rows the 95 % interval of {metric} {value} is {low} to "
    "{high}.": (
        "{split}有 {rows} 条：一条相当于 {one}，在这么多条上 {metric} 为 {value} 时的 95% 置信区间是 {low} 至 {high}。"
    ),
}

_COST: Final[Mapping[str, str]] = {
    "Cost": "开销",
    "Median seconds of training per epoch, without the evaluation on dev, over `n` finished trials; and how many times "
    "those of the baseline level: the median over pairs of trials that differ in nothing else.": (
        "`n` 个完成的试验中，每轮训练用时的中位数（不含验证集上的评测）；以及相对基线水平的倍数："
        "取自只在该因素上不同的成对试验的中位数。"
    ),
    "seconds": "秒",
    "times": "倍数",
    "All finished trials together took {seconds}{beside}.": "所有完成的试验共用时 {seconds}{beside}。",
    ", by {workers} beside each other": "（{workers}并行）",
    "Where no such pair is finished, the seconds are those of all trials with the level.": (
        "没有完成的成对试验时，所列为取该水平的全部试验的用时。"
    ),
    "Not counted above: {trials} on another machine or device, or with other threads or smaller batches.": (
        "未计入以上统计：{trials}，其机器、设备、线程数不同，或用了更小的批。"
    ),
    "All attempts together held {hours} core-hours": "全部尝试共占用 {hours} 核时",
    "All attempts together held {hours} core-hours and {gpu_hours} GPU-hours": (
        "全部尝试共占用 {hours} 核时和 {gpu_hours} GPU 时"
    ),
    "; {share} of their time was lost to failures.": "，其中 {share} 的时间耗费在失败的尝试上。",
    "Predicted before the trials ran, from some steps measured on {days} and as if no other program ran, beside what "
    "they took: mean seconds of a trial, from its model to its last score, over `n` finished trials.": (
        "试验运行之前的预计（据 {days} 实测的若干步推算，假定没有其他程序同时运行）与实际用时：`n` 个完成的试验中，"
        "每个试验从建立模型到最后一次评分的平均秒数。"
    ),
    "predicted": "预计",
    "actual": "实际",
    "actual / predicted": "实际 / 预计",
    "Of {trials} by {workers}, {wall} and {core} core-hours were predicted; it was {actual_wall} and {actual_core} "
    "core-hours from the first start to the last end.": (
        "{trials}，{workers}：预计 {wall}、{core} 核时；从第一个试验开始到最后一个结束，实际 {actual_wall}、"
        "{actual_core} 核时。"
    ),
    "It was {actual} GPU-hours, and {predicted} were predicted.": "GPU 时：实际 {actual}，预计 {predicted}。",
    "Predicted, and not finished: {trials}.": "已预计但尚未完成的有{trials}。",
    "No cell is both faster and better on dev than these, from fast to slow: {cells}.": (
        "没有任何组合比下列组合既快又在验证集上更好（由快到慢）：组合 {cells}。"
    ),
}

_ASKED: Final[Mapping[str, str]] = {
    "What the levels mean": "各水平的含义",
    "column": "列",
    "level": "水平",
    "sets": "设置",
    " (baseline)": "（基线）",
    "The same for all cells": "所有组合相同的设置",
    "Fixed by the space: {settings}.": "由空间固定：{settings}。",
    "By default, on this task: {settings}.": "在此任务上取默认值：{settings}。",
    "Every other knob is neutral, and so its trick is off; `gridsearch knobs` lists them.": (
        "其余超参数都取中性值，即不启用相应的技巧；`gridsearch knobs` 列出全部超参数。"
    ),
    "Cells left out": "排除的组合",
    "The space has no rule: {asked}.": "空间没有规则：{asked}。",
    "{cells} by {rules}: {why}": "{rules} 排除 {cells}：{why}",
    "a former rule": "以前的规则",
    "Of {asked}, rules leave out {n}; 1 is planned.": "{asked}中，规则排除 {n} 个；计划运行 1 个。",
    "Of {asked}, rules leave out {n}; {planned} are planned.": "{asked}中，规则排除 {n} 个；计划运行 {planned} 个。",
    "every listed row is a cell": "列出的每一行都是一个组合",
    "every combination is a cell": "水平的每一种搭配都是一个组合",
    "{asked} are all cells": "{asked}都是计划中的组合",
    "the {n} of {total} combinations that the design asks for": "{total} 个组合里设计所要求的 {n} 个",
    "Main effects and two-factor interactions that the fraction cannot tell apart:": (
        "该部分析因设计区分不开的主效应与二因素交互作用（混杂）："
    ),
    "Rows that are the same recipe": "配方相同的行",
    "These rows differ in nothing that this study varies: each group shares its trials and its result.": (
        "这些行在本研究所改变的设置上没有任何不同：每一组共用同样的试验和结果。"
    ),
    "Dead knobs": "不起作用的超参数",
    "{knob} cannot act in {cells} ({n} of {total}): {reason}.": (
        "{knob} 在{cells} 中不起作用（{total} 个中的 {n} 个）：{reason}。"
    ),
    "and {n} more groups": "另有 {n} 组",
    "Cells that differ in nothing else share their trials: {groups}.": "除此之外完全相同的组合共用试验：{groups}。",
    "Cells that differ in nothing else are replicates of each other, with seeds of their own: {groups}.": (
        "除此之外完全相同的组合互为重复，各用自己的种子：{groups}。"
    ),
}

_LEARNING: Final[Mapping[str, str]] = {
    "Which settings did not learn": "哪些设置未学到",
    "{n} of the {runs} did not learn {mark}{diverged}.": "{runs}中有 {n} 次未学到 {mark}{diverged}。",
    " ({n} diverged: numbers were no longer finite)": "（其中 {n} 次发散：数值不再有限）",
    "No setting can be named as the cause: chance alone explains as much.": (
        "无法指出是哪个设置所致：仅凭偶然也足以解释。"
    ),
    "**All of them had {levels}**: {inside} there, {elsewhere} elsewhere.": (
        "**全部发生在 {levels} 时**：此处 {inside}，其余 {elsewhere}。"
    ),
    "**It depends on {levels}**: {inside} there, {elsewhere} elsewhere.": (
        "**与 {levels} 有关**：此处 {inside}，其余 {elsewhere}。"
    ),
    "If no setting mattered, chance would part runs as clearly in {p} of such studies.": (
        "若各设置都不起作用，仅凭偶然能把运行分得这样清楚的，占此类研究的 {p}。"
    ),
    "less than 0.1%": "不到 0.1%",
    "{n} of {total}": "{total} 次中 {n} 次",
    "settings": "设置",
}

_RUNS: Final[Mapping[str, str]] = {
    "Runs that did not learn": "未学到的运行",
    "Every finished run learned.": "完成的运行都有所学到。",
    "{mark} These runs finished and count as results, but they learned nothing, or next to nothing.": (
        "{mark} 这些运行已经完成，也计入结果，但几乎什么也没学到。"
    ),
    "{cell}, trial {trials}: {reason}": "{cell}，试验 {trials}：{reason}",
    "No run is better on dev than what a guess reaches ({metric} {bound}): differences between them mean nothing.": (
        "没有运行在验证集上好于猜测所能达到的水平（{metric} {bound}）：它们之间的差异没有意义。"
    ),
    "Runs that diverged": "数值发散的运行",
    "In some epoch of these runs the training loss, a weight or an output was not a finite number. The run ends "
    "there, and its result is chosen from the epochs before.": (
        "这些运行在某一轮中，训练损失、某个权重或某个输出不是有限的数。运行到此结束，其结果从此前各轮中选取。"
    ),
    "{cell}, trial {trials}: epoch {n}; the chosen one is epoch {chosen}": (
        "{cell}，试验 {trials}：第 {n} 轮；选取的是第 {chosen} 轮"
    ),
    "Failures": "失败",
    "No attempt failed.": "没有失败的尝试。",
    "No attempt has been made.": "尚未做过任何尝试。",
    "{attempts} of {n} failed.": "{attempts}失败（共 {n} 次）。",
    "{kind}, {attempts} ({then}): {cells}, {trials}.": "{kind}，{attempts}（{then}）：{cells}，{trials}。",
    "a cell of a former plan": "以前计划中的组合",
    "trial {ids}": "试验 {ids}",
    "trials {ids}": "试验 {ids}",
    "retried, and finished": "重试后已完成",
    "final: not tried again": "不再重试",
    "being retried": "正在重试",
    "to be retried": "等待重试",
    "Repeat it": "如何复现",
    "The whole study: run again it resumes; a new folder for `--study` starts over.": (
        "整个研究：再次运行即从中断处继续；给 `--study` 一个新文件夹则从头开始。"
    ),
    "One row, here the best, {cell}; other ids are below.": "其中一行，这里是最好的{cell}；其他试验的编号见下。",
    "Every number of this page, for programs:": "供程序读取的全部数据：",
    "The trials of each row": "每一行的试验",
    "trials": "试验",
    "The space, as it was declared": "空间的原始声明",
    "Provenance": "来源与环境",
    "{n} {split}": "{split} {n} 条",
    "task: {task}, {rows} rows, fingerprint {fingerprint}": "任务：{task}，{rows}，指纹 {fingerprint}",
    "labels: {names}": "标签：{names}",
    "note: {note}": "说明：{note}",
    "encoder: {name}, identity {identity}": "编码器：{name}，标识 {identity}",
    "metric: {metric}": "指标：{metric}",
    "design: {design}; on dead knobs: {on_dead}; running order from seed {seed}": (
        "设计：{design}；on_dead = {on_dead}（对不起作用的超参数）；运行顺序由种子 {seed} 决定"
    ),
    "seeds: {seeds} ({policy})": "种子：{seeds}（{policy}）",
    "shared by all cells": "所有组合共用",
    "each cell has its own": "各组合自有",
    ", but replicates have their own": "，但各重复自有",
    "versions: {values}": "版本：{values}",
    "commit: {values}": "提交：{values}",
    "not a checkout": "不在代码仓库中",
    "machine: {values}": "机器：{values}",
    "{n} cores": "{n} 核",
    "no GPU": "无 GPU",
    "runner: {values}": "运行器：{values}",
    "command: {values}": "命令：{values}",
    "; then ": "；其后 ",
    "no attempt has been made": "尚未做过任何尝试",
    "time: {attempts} by {workers} from {start} to {end} UTC, {seconds} in finished trials together": (
        "时间：{workers}，{attempts}，{start} 至 {end}（UTC），完成的试验共用时 {seconds}"
    ),
    "now": "现在",
}

_FRAME: Final[Mapping[str, str]] = {
    "Contents": "目录",
    "Comparison table": "对比表",
    "Find in rows": "在各行中查找",
    "Reset": "重置",
    "all": "全部",
    "Rows with this level of {column}": "{column} 取此水平的行",
    "{shown} of {total} rows": "{total} 行中的 {shown} 行",
    "best on dev": "验证集上最好",
    "did not learn": "未学到",
    r"% \usepackage[T1]{{fontenc}} \usepackage{{booktabs,longtable}}": (
        r"% \usepackage{{ctex}} \usepackage{{booktabs,longtable}}（用 XeLaTeX 或 LuaLaTeX 编译）"
    ),
}

PAGE: Final[Mapping[str, str]] = {
    **_COUNTS,
    **_RESULTS,
    **_LEARNING,
    **_COST,
    **_ASKED,
    **_RUNS,
    **_FRAME,
}
