"""The core's own words, in Chinese: why a knob cannot act, why a run did not learn, notes on data, states.

Templates are tried in this order, and what fills a place is itself looked up.
"""

from collections.abc import Mapping
from typing import Final

_CANNOT_ACT: Final[Mapping[str, str]] = {
    "a {family} encoder has no pooler": "{family} 编码器没有 pooler",
    "pooling = {value} never uses the pooler": "pooling = {value} 时不会用到 pooler",
    "the checkpoint has no weights for its pooler: it is drawn anew in any case": (
        "预训练权重中没有 pooler，它本来就要重新初始化"
    ),
    "weight_decay = 0 leaves nothing to exclude": "weight_decay = 0 时没有什么可排除",
    "the whole encoder is frozen, and all other biases are 0 until the one step that moves them": (
        "整个编码器已冻结，其余的偏置在唯一更新它们的那一步之前都是 0"
    ),
    "the whole encoder is frozen, and runs without dropout": "整个编码器已冻结，运行时不做 dropout",
    "frozen_layers = 0 leaves no frozen part": "frozen_layers = 0 时没有冻结的部分",
    "an encoder dropout of 0 leaves nothing to drop": "编码器的 dropout 为 0，没有什么可丢弃",
    "without dropout both passes are the same": "没有 dropout 时，两次前向传播完全相同",
    "classifier_dropout = 0 makes all samples the same": "classifier_dropout = 0 时，各次采样完全相同",
    "multi_sample_dropout = 1 is a single sample": "multi_sample_dropout = 1 只有一次采样",
    "{share} of {n_steps} steps is less than one step": "{n_steps} 步的 {share} 不足一步",
    "the schedule has one step at most after the warm-up, and all schedules begin at the peak": (
        "预热之后，学习率调度最多只剩一步，而各种调度都从峰值开始"
    ),
    "after the warm-up there are two steps, the peak and half of it: a straight line has them too": (
        "预热之后只有两步，分别为峰值和峰值的一半：线性调度也是如此"
    ),
    "weights are averaged from the first step on, with a learning rate of their own": (
        "从第一步起就在平均权重，并使用单独的学习率"
    ),
    "an epoch is one batch": "一轮只有一批",
    "epochs = 1 leaves one epoch to select": "epochs = 1 时只有一轮可选",
    "of {n_epochs} epochs, none is left after {n_patience} that bring nothing": (
        "共 {n_epochs} 轮，连续 {n_patience} 轮没有提升之后已没有剩余的轮次"
    ),
    "equal class weights weigh nothing: only their ratios matter": "类别权重相等等于没有权重：只有权重之比起作用",
    "a step of one row is divided by that row's weight: only ratios within a step matter": (
        "每步只有一条数据时，损失会除以这条数据的权重：只有同一步之内的权重之比起作用"
    ),
    "the original BertAdam has no bias correction": "原版 BertAdam 没有偏差修正",
    "the whole encoder is frozen, and the classifier has the undiminished rate": (
        "整个编码器已冻结，而分类器使用未衰减的学习率"
    ),
    "lookahead_steps = 0 is no Lookahead": "lookahead_steps = 0 即不使用 Lookahead",
    "with lookahead_alpha = 1 the slow weights are the fast ones wherever slow ones are evaluated": (
        "lookahead_alpha = 1 时，凡是评估慢权重之处，慢权重都等于快权重"
    ),
    "only one step's weights are averaged, and these are evaluated in any case": (
        "参与平均的只有某一步之后的权重，而它们本来就会被评估"
    ),
    "swa_start = 'none' averages nothing": "swa_start = 'none' 时不做权重平均",
    "adversarial = 'none' is no attack": "adversarial = 'none' 即不做对抗训练",
    "one step of FreeLB from no perturbation is the clean pass": "从零扰动出发的一步 FreeLB 就是原始的前向传播",
    "the one pass of FreeLB is at its start, before any step": "FreeLB 只有起点处的一次传播，还没有走任何一步",
    "{attack} follows the gradient of the word embeddings, and frozen ones have none": (
        "{attack} 沿词向量的梯度方向扰动，而冻结的词向量没有梯度"
    ),
    "FGM takes one step, as long as adversarial_epsilon": "FGM 只走一步，步长就是 adversarial_epsilon",
    "only adversarial = 'freelb' starts at random": "只有 adversarial = 'freelb' 从随机扰动开始",
    "pooling = {value} has no choice of layers": "pooling = {value} 时不能选择层",
    "head = {value} has no hidden layer": "head = {value} 时没有隐藏层",
    "a task of single texts has no other text to share words with": "单文本任务没有另一段文本，谈不上共有的词",
    "a task of single texts has one segment": "单文本任务只有一个 segment",
    "this {family} encoder has no segment embeddings": "该 {family} 编码器没有 segment 向量",
}

_NOT_LEARNED: Final[Mapping[str, str]] = {
    "every dev row gets the same label": "验证集的每一条都被预测为同一标签",
    "all but {n_others} of {n_rows} dev rows get the same label": (
        "验证集的 {n_rows} 条中除 {n_others} 条外都被预测为同一标签"
    ),
    "the training loss never fell below that of an even guess, {loss}": "训练损失从未低于均匀猜测的 {loss}",
    "{metric} on dev is no better than what a guess reaches, {bound}, and that of others is": (
        "验证集上的 {metric} 不好于猜测所能达到的 {bound}，而其他运行好于它"
    ),
}

_FAILURES: Final[Mapping[str, str]] = {
    "out_of_memory": "out_of_memory（内存或显存不足）",
    "killed": "killed（工作进程被强行终止，可能因内存不足）",
    "lost_worker": "lost_worker（工作进程丢失）",
    "lost_driver": "lost_driver（主进程丢失）",
    "time_limit": "time_limit（超时）",
    "diverged": "diverged（数值发散）",
    "bad_data": "bad_data（数据有误）",
    "code_error": "code_error（代码出错）",
}

_NOTES: Final[Mapping[str, str]] = {
    "tiny is a toy made from the training texts: its top {n_layers} layers were never trained, so a space that "
    "re-initialises layers learns nothing from it about that trick": (
        "编码器 tiny 是由训练文本生成的玩具模型：顶部 {n_layers} 层从未训练过，因此无法用它判断重新初始化若干层是否有用"
    ),
    "sentences of docstrings, the libraries' names masked as {mask}, read from {libraries}": (
        "docstring 的首句，库名以 {mask} 遮盖，读自 {libraries}"
    ),
    "{n_left_out} of {n_rows} training rows left out as duplicates ({counts})": (
        "{n_rows} 条训练数据中有 {n_left_out} 条因重复而去除（{counts}）"
    ),
    "duplicates among {n_rows} training rows: {counts}; drop_duplicates = true under [files] leaves them out": (
        "{n_rows} 条训练数据中有重复：{counts}；在 [files] 下写 drop_duplicates = true 可去除"
    ),
    "{n_texts} training texts carry two labels or more; their rows are kept": (
        "{n_texts} 段训练文本带有两个或更多标签；这些数据予以保留"
    ),
    "texts that differ only in case, accents, width or spacing count as the same": (
        "仅在大小写、重音符号、全角半角或空白上不同的文本视为相同"
    ),
    "{texts}, and so does a pair in the other order": "{texts}，交换次序的文本对也视为相同",
    "{n_rows} dev rows stand in test too; they are kept": "{n_rows} 条验证集数据也出现在测试集中；予以保留",
    "{n_rows} rows of {file} left out, their label being {labels}": "{file} 中有 {n_rows} 条因标签为 {labels} 而去除",
    "{n_rows} rows of {file} have an empty text; they are kept": "{file} 中有 {n_rows} 条的文本为空；予以保留",
    "dev is {share} of the training rows, stratified (split_seed {n_seed}): {n_dev} rows, leaving {n_train}": (
        "验证集是训练数据的 {share}，分层抽取（split_seed {n_seed}）：{n_dev} 条，剩余 {n_train} 条"
    ),
    "test is unlabelled: it can be predicted, not judged": "测试集没有标签：可以预测，不能评分",
    "no {split} row has the label {labels}": "{split}中没有标签为 {labels} 的数据",
    "{n_used} of {n_rows} training rows are used (train_rows = {n_asked}, stratified)": (
        "{n_rows} 条训练数据中只用了 {n_used} 条（train_rows = {n_asked}，分层抽取）"
    ),
    "{n_rows} also in {split}, {others}": "{n_rows} 条也在{split}中，{others}",
    "{n_rows} also in {split}": "{n_rows} 条也在{split}中",
    "{n_rows} repeated": "{n_rows} 条重复",
    "train": "训练集",
    "dev": "验证集",
    "test": "测试集",
}

_STATES: Final[Mapping[str, str]] = {
    "{line}, {n_trials} finished more than once": "{line}，{n_trials} 个完成了不止一次",
    "{line}, {n_trials} running": "{line}，{n_trials} 个运行中",
    "{line}, {n_trials} pruned": "{line}，{n_trials} 个已剪枝",
    "{state}: {n_planned} planned, {n_finished} finished, {n_failed} failed, {n_pending} pending": (
        "{state}：计划 {n_planned} 个试验，完成 {n_finished} 个，失败 {n_failed} 个，待运行 {n_pending} 个"
    ),
    "complete": "无一遗漏",
    "settled": "已跑完，但有失败",
    "incomplete": "尚未跑完",
    "pending": "待运行",
    "running": "运行中",
    "pruned": "已剪枝",
    "failed": "失败",
    "full factorial": "全因子设计",
    "one-at-a-time design": "逐个因素改变的设计",
    "list of rows": "逐行列出的设计",
    "random sample": "随机抽样的设计",
    "choice of Optuna": "由 Optuna 选取的设计",
    "fraction of resolution {n} at least": "分辨度不低于 {n} 的部分析因设计",
    "TF-IDF + logistic regression": "TF-IDF + 逻辑回归",
    "TF-IDF + logistic regression ({bounds})": "TF-IDF + 逻辑回归（{bounds}）",
    "fitted on {n_used} of {n_rows} rows of {split}, {others}": ("用{split} {n_rows} 条中的 {n_used} 条拟合，{others}"),
    "fitted on {n_used} of {n_rows} rows of {split}": "用{split} {n_rows} 条中的 {n_used} 条拟合",
    "judged on {n_used} of {n_rows} rows of {split}, {others}": ("用{split} {n_rows} 条中的 {n_used} 条评分，{others}"),
    "judged on {n_used} of {n_rows} rows of {split}": "用{split} {n_rows} 条中的 {n_used} 条评分",
    "stopped after {n} steps": "{n} 步后停止",
    "{factor} x {others}": "{factor} × {others}",
}

REASONS: Final[Mapping[str, str]] = {**_CANNOT_ACT, **_NOT_LEARNED, **_FAILURES, **_NOTES, **_STATES}
