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
    "{n} factor": "{n} 个因素",
    "{n} seed": "{n} 个种子",
    "{n} trial": "{n} 个试验",
    "{n} run": "{n} 次运行",
    "{n} attempt": "{n} 次尝试",
    "{n} worker": "{n} 个进程",
    "{n} row": "{n} 行",
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
    "seeds": "种子",
    "{fewest} to {most} seeds": "{fewest} 到 {most} 个种子",
    "train {metric}": "训练集 {metric}",
    "result: {measure}": "结果：{measure}",
    "{metric} of '{label}'": "“{label}”的 {metric}",
    "{metric} on {split} at the chosen epoch": "选定轮次在{split}上的 {metric}",
    ", mean over seeds": "，取各种子的均值",
    "* best of its column": "* 该列最好",
    "{mark} did not learn: see the page": "{mark} 未学到：见报告",
    "Results": "结果",
    "{metric} is the mean over the labels that occur in {split} or are predicted: {split} has rows of {n} of the "
    "{total} labels.": (
        "{metric} 是对{split}中出现过或被预测出的标签取均值：{split}的数据涉及 {total} 个标签中的 {n} 个。"
    ),
    "`result` is {metric} on {split}{on_dev}, at {choice}{mean}{spread}.": (
        "`结果` 是{split}上的 {metric}{on_dev}，取{choice}{mean}{spread}。"
    ),
    "`{column}` is the same metric on the training rows; blank where it was not asked for.": (
        "`{column}` 是训练集上的同一指标；没有要求测量之处留空。"
    ),
    ", `dev` that on dev": "，`验证集` 是验证集上的",
    "; `sd` is over `n` seeds": "；`标准差` 是 `n` 个种子之间的",
    "the epoch that is best on dev": "验证集上最好的一轮",
    "the last epoch": "最后一轮",
    "the epoch that the cell's selection names": "组合的 selection 所指定的一轮",
    "the mean of the epochs that the cell's selection and checkpoints name": (
        "组合的 selection 与 checkpoints 所指定的各轮的平均"
    ),
    "the mean of the {n} epochs that are best on dev": "验证集上最好的 {n} 轮的平均",
    "the mean of the last {n} epochs": "最后 {n} 轮的平均",
    "Lower is better; the best is bold.": "越低越好，最好的加粗。",
    "Higher is better; the best is bold.": "越高越好，最好的加粗。",
    "{mark} a run behind this number did not learn: see Runs that did not learn.": (
        "{mark} 该数背后有未学到的运行：见“未学到的运行”。"
    ),
    "Best and worst": "最好与最差",
    "lowest": "最低",
    "highest": "最高",
    (
        "The {extreme} test result is that of {cell}. To choose it would be to choose on test, which then "
        "measures nothing."
    ): ("测试集结果{extreme}的是{cell}。若据此选它，就是在测试集上做选择，测试集便不再能衡量任何东西。"),
    "Yardstick": "参照",
    "baseline": "基线",
    "best": "最好",
    "A rule leaves the baseline cell out.": "基线组合被规则排除。",
    "No row of the list is the baseline.": "列出的行中没有基线。",
    "Read with care": "解读须知",
    "Only {n} of {cells} have a result.": "{cells}中只有 {n} 个有结果。",
    "Some replicates are missing in {cells}.": "{cells} 缺少部分重复。",
    "{note}.": "{note}。",
    "The runs were computed under several versions ({versions}): cells may differ by that, too.": (
        "各次运行所用的版本不止一种（{versions}）：组合之间的差异也可能由此而来。"
    ),
    "The best of {n} noisy cells is partly the luckiest: expect less of it on new data.": (
        "{n} 个带噪声的组合中，最好的那个多少靠了运气：在新数据上应预期更低的表现。"
    ),
    (
        "{equal} of {n} pairs of cells that differ in {column} alone have exactly the same result: each is nearly one "
        "run counted twice, and noise may be larger than it looks."
    ): (
        "仅 {column} 不同的 {n} 对组合中，有 {equal} 对结果完全相同：每一对几乎等于把同一次运行算了两次，"
        "真实噪声可能比看上去更大。"
    ),
    "There is no labelled test: the rows that chose the epoch also measured the result.": (
        "没有带标签的测试集：选择轮次与衡量结果用的是同一批数据。"
    ),
    "All rows of {split} have the same label: a model that gives it to every text is perfect.": (
        "{split}的全部数据都是同一标签：对任何文本都给出该标签的模型就是满分。"
    ),
    "On the {rows} rows of {split}, the 95 % interval of {metric} {value} is {low} to {high}.": (
        "在{split}的 {rows} 条上，{metric} 为 {value} 时的 95% 置信区间是 {low} 至 {high}。"
    ),
}

_COST: Final[Mapping[str, str]] = {
    "Cost": "开销",
    (
        "Training time of an epoch beside the baseline level's: {levels}. Other levels differ by no more than chance."
    ): "与基线水平相比，每轮训练用时：{levels}。其余水平的差别不超出随机波动。",
    "seconds": "秒",
    "{ratio} times with {column} {level}": "{column} {level} 为 {ratio} 倍",
    "All finished trials together took {seconds} ({workers})": "所有完成的试验共用时 {seconds}（{workers}）",
    "{took}, all attempts {held}": "{took}，全部尝试共占用 {held}",
    "No level changes the training time of an epoch by more than chance.": (
        "没有一个水平对每轮训练用时的影响超出随机波动。"
    ),
    "Not counted in this: {trials} on another machine or device, or with other threads or smaller batches.": (
        "未计入其中：{trials}，其机器、设备、线程数不同，或用了更小的批。"
    ),
    "{hours} core-hours": "{hours} 核时",
    "{hours} GPU-hours": "{hours} GPU 时",
    "{text}; failures took {share} of the time.": "{text}；其中 {share} 的时间耗费在失败的尝试上。",
    ("Mean seconds of a trial over `n` finished ones: as predicted from steps measured on {days}, and actual."): (
        "`n` 个完成的试验的平均秒数：运行之前据 {days} 实测的若干步所作的预计，以及实际用时。"
    ),
    "predicted": "预计",
    "actual": "实际",
    "actual / predicted": "实际 / 预计",
    (
        "For {trials} by {workers}, {wall} and {core} core-hours were predicted; it was {actual_wall} and "
        "{actual_core} core-hours."
    ): ("{trials}，{workers}：预计 {wall}、{core} 核时；实际 {actual_wall}、{actual_core} 核时。"),
    "It was {actual} GPU-hours, and {predicted} were predicted.": "GPU 时：实际 {actual}，预计 {predicted}。",
    "Predicted, and not finished: {trials}.": "已预计但尚未完成的有{trials}。",
    "Pretraining took {time} beside that ({held}); no trial's time holds any of it.": (
        "此外预训练用时 {time}（{held}），不计入任何试验的用时。"
    ),
    "No cell is both faster and better on dev than these, from fast to slow: {cells}.": (
        "没有任何组合比下列组合既快又在验证集上更好（由快到慢）：组合 {cells}。"
    ),
}

_PRETRAINING: Final[Mapping[str, str]] = {
    "Pretraining": "预训练",
    "pretraining": "预训练",
    "{n} pretraining": "{n} 个预训练",
    "{pretrainings}, from which {n} of {trials} start.": "{pretrainings}，{trials}中有 {n} 个由此开始。",
    "Together they took {time}, which is {each} for each of these trials.": (
        "它们总共用时 {time}，平均到这些试验，每个 {each}。"
    ),
    "{n} had been made before, and took nothing here.": "其中 {n} 个此前已有，这里没有用时。",
    (
        "Trials of several seeds start from one pretraining. They are no repetitions of it, and the spread over seeds "
        "holds nothing of its noise; {setting} makes one for each seed."
    ): (
        "不同种子的试验从同一个预训练开始。它们不是预训练的重复，种子之间的差异不含预训练的噪声；{setting} 让每个"
        "种子各做一次预训练。"
    ),
    "Each seed has a pretraining of its own: the spread over seeds holds the noise of both.": (
        "每个种子各有自己的预训练：种子之间的差异同时包含预训练和微调的噪声。"
    ),
    "Steps of one training, done once: {names}.": "下列各组是同一次训练的不同步，只训练一次：{names}。",
    "state": "状态",
    "steps": "步数",
    "tokens hidden": "被遮盖的词元",
    "last loss": "最后的损失",
    "{metric} without fine-tuning": "不微调时的 {metric}",
    (
        "Losses are compared only where they answer the same question; here there are {n}, told apart by {names}."
    ): "只有回答同一个问题的损失才能比较；这里有 {n} 个不同的问题，区别在于 {names}。",
    "time": "用时",
    "time per trial": "平均每个试验用时",
    "finished": "完成",
    "made before": "此前已有",
    "{n} of {total} steps": "{total} 步中的第 {n} 步",
    "{time} elsewhere": "在别处用时 {time}",
    "{names}: {kind}, {attempts} ({then}).": "{names}：{kind}，{attempts}（{then}）。",
    "What starts from it cannot run: {cells}.": "由此开始的试验无法运行：{cells}。",
}

_ASKED: Final[Mapping[str, str]] = {
    "What the levels mean": "各水平的含义",
    "{n} of {total} layers": "{total} 层中的 {n} 层",
    "column": "列",
    "level": "水平",
    "The same for all cells": "所有组合相同的设置",
    "All else is at its default; `gridsearch knobs` explains.": ("其余超参数都取默认值；`gridsearch knobs` 逐一说明。"),
    "Cells left out": "排除的组合",
    "{cells} by {rules}: {why}": "{rules} 排除 {cells}：{why}",
    "{cell} on purpose: {why}": "有意跳过{cell}：{why}",
    "left out since": "此后已跳过",
    "a former rule": "以前的规则",
    "Main effects and two-factor interactions that the fraction cannot tell apart:": (
        "该部分析因设计区分不开的主效应与二因素交互作用（混杂）："
    ),
    "Rows that are the same recipe": "配方相同的行",
    "The rows of a group are one recipe, and share its trials and its result.": (
        "同一组的各行是同一个配方，共用其试验和结果。"
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
    "A likely reason is their learning rate, far from the {low} to {high} that are usual when BERT-like encoders are "
    "fine-tuned: {rates}.": ("原因很可能是学习率，它远离微调 BERT 类编码器常用的 {low} 至 {high}：{rates}。"),
    "A likely reason is their learning rate, far from the {low} to {high} that are usual when BERT-like encoders are "
    "fine-tuned: {rates}; with usual rates every run learned ({runs}).": (
        "原因很可能是学习率，它远离微调 BERT 类编码器常用的 {low} 至 {high}：{rates}；"
        "采用常用学习率的运行全部学到（{runs}）。"
    ),
    "{rate} is {times} times the upper end": "{rate} 是上限的 {times} 倍",
    "{rate} is 1/{times} of the lower end": "{rate} 是下限的 1/{times}",
    "{n} of {total}": "{total} 次中 {n} 次",
    "settings": "设置",
}

_RUNS: Final[Mapping[str, str]] = {
    "Runs that did not learn": "未学到的运行",
    "{mark} These runs count as results, but learned nothing, or next to nothing.": (
        "{mark} 这些运行计入结果，但几乎什么也没学到。"
    ),
    "{cell}, trial {trials}: {reason}": "{cell}，试验 {trials}：{reason}",
    "No run is better on dev than what a guess reaches ({bounds}): differences between them mean nothing.": (
        "没有运行在验证集上好于猜测所能达到的水平（{bounds}）：它们之间的差异没有意义。"
    ),
    "Runs that diverged": "数值发散的运行",
    (
        "A loss, a weight or an output was no longer a finite number: these runs ended there, and their result "
        "is from an epoch before."
    ): ("训练损失、某个权重或某个输出不再是有限的数：这些运行到此结束，其结果取自此前的一轮。"),
    "{cell}, trial {trials}: epoch {n}; the chosen one is epoch {chosen}": (
        "{cell}，试验 {trials}：第 {n} 轮；选取的是第 {chosen} 轮"
    ),
    "Failures": "失败",
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
    "The whole study; a new folder for `--study` starts over:": "整个研究；给 `--study` 一个新文件夹则从头开始：",
    "One trial, here of {cell}:": "其中一个试验，这里属于{cell}：",
    "All numbers, and the ids of all trials:": "全部数据，以及所有试验的编号：",
    "trials": "试验",
    "The space as declared": "空间的原始声明",
    "Provenance": "来源与环境",
    "{n} {split}": "{split} {n} 条",
    "encoder: {name} ({identity})": "编码器：{name}（{identity}）",
    "versions: {values}; commit: {commits}": "版本：{values}；提交：{commits}",
    "not a checkout": "不在代码仓库中",
    "machine: {values}; runner: {runners}": "机器：{values}；运行器：{runners}",
    "{n} cores": "{n} 核",
    "no GPU": "无 GPU",
    "command: {values}": "命令：{values}",
    ", then ": "，其后 ",
    "no attempt has been made": "尚未做过任何尝试",
    "{attempts} from {start} to {end} UTC": "{attempts}，{start} 至 {end}（UTC）",
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
    **_PRETRAINING,
    **_ASKED,
    **_RUNS,
    **_FRAME,
}
