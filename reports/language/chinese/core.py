"""The core's own words, in Chinese: what knobs mean, why they cannot act, why a run did not learn, notes, states.

Templates are tried in this order, and what fills a place is itself looked up. The last sources are patterns.
"""

from collections.abc import Mapping
from typing import Final

from reports.language.chinese.core_parts import KNOBS_OF_PARTS, REASONS_OF_PARTS
from reports.language.chinese.core_rows import NOTES

_MEANINGS: Final[Mapping[str, str]] = {
    "a built-in encoder, a folder, or a Hugging Face name (not the name but its identity is hashed)": (
        "内置编码器、文件夹或 Hugging Face 上的名字（计入哈希的不是名字，而是其标识）"
    ),
    "longest input in tokens, special ones included: their number, or a percentile of the training rows' lengths, "
    "rounded up to a multiple of 8, from 16 to 512": (
        "输入的最大 token 数，含特殊 token：一个数，或训练数据长度的百分位数，向上取到 8 的倍数，在 16 到 512 之间"
    ),
    "segment ids of a pair: those of its two texts, or all 0": "文本对的 segment id：区分两段文本，或全为 0",
    "mark tokens that the other text of a pair holds too: 1 added to every dimension of what the embeddings give, or "
    "a learned vector added before their LayerNorm": (
        "标记文本对中另一段也出现的 token：在嵌入层输出的每一维上加 1，或在其 LayerNorm 之前加一个可学习的向量"
    ),
    "draw the pooler anew: weights N(0, initializer_range), bias 0": (
        "重新初始化 pooler：权重取 N(0, initializer_range)，偏置为 0"
    ),
    "draw the top layers anew: their number, or a share of the depth": "重新初始化顶部若干层：层数，或占总层数的比例",
    "never train the embeddings and this many bottom layers (a number, a share, or 'embeddings' alone)": (
        "始终冻结嵌入层和底部若干层（层数、比例，或只冻结嵌入层的 'embeddings'）"
    ),
    "keep dropout on in the frozen part": "冻结部分仍做 dropout",
    "how often an id must occur in all texts of the task to be a token; rarer ones are the unknown token": (
        "一个 id 在任务的全部文本中至少出现多少次才成为 token；更少见的归为未知 token"
    ),
    "rows of the encoder's word table that tokens start from: none, drawn anew; those of special tokens; also, for ids "
    "by falling frequency, those of its most frequent tokens by the task's counts, or those of its vocabulary in order "
    "from a token on": (
        "各 token 以编码器词表的哪些行为初值：不取，全部随机；只取特殊 token 的行；或再让 id 按频率从高到低，"
        "依任务给出的计数取其最常见 token 的行，或从某个 token 起按词表次序取行"
    ),
    "the token of the encoder's vocabulary whose row the most frequent id takes where align is 'order'": (
        "align 为 'order' 时，最常见的 id 取编码器词表中哪个 token 的行"
    ),
    "dropout inside the encoder, hidden and attention; 'checkpoint' is what its config says": (
        "编码器内部（隐藏层与注意力）的 dropout；'checkpoint' 表示沿用其配置"
    ),
    "probability with which a trained weight has its first value again, in each training pass; the others are scaled "
    "so that the mean stays": ("每次训练前向传播中，参与训练的权重以此概率换回其初始值；其余权重按比例放大，均值不变"),
    "dropout before the classifier's last linear map": "分类器最后一个线性层之前的 dropout",
    "dropout samples of the same features, whose losses are averaged; 1 is ordinary dropout": (
        "对同一特征做多次 dropout 采样，损失取平均；1 即普通 dropout"
    ),
    "each sample drops from the features, or from the sample before it (seed 002's code: the i-th of 8 samples at 0.2 "
    "keeps 0.8^i)": (
        "每次采样从原特征丢弃，或从上一次采样的结果继续丢弃（seed 002 的代码：8 次采样、概率 0.2，第 i 次保留 0.8^i）"
    ),
    "how token states become one vector: see encoders/pooling.py": (
        "如何由各 token 的状态得到一个向量：见 encoders/pooling.py"
    ),
    "top layers that cls_cat, cls_cat_poolers, mean_cat and dynamic read: a number, a share, or all": (
        "cls_cat、cls_cat_poolers、mean_cat 与 dynamic 读取的顶部层：层数、比例或 all"
    ),
    "add pairs that follow from the training pairs: every two texts that positive pairs join, over others too, are a "
    "positive pair; with 'both', a negative pair also makes one of every text joined to its first and every text "
    "joined to its second": (
        "加入由训练文本对推出的文本对：凡由正例直接或间接相连的两段文本都成为正例；取 'both' 时，"
        "每个负例还使与其第一段相连的每段文本同与其第二段相连的每段文本成为负例"
    ),
    "texts that positive pairs join are left as they are where they are more than this: one wrong label joins what "
    "does not belong together": "由正例相连的文本多于此数时不作推导：一个错误标签就会把不相干的文本连在一起",
    "add all pairs that follow, or of the more frequent kind a sample, so that the share of positive pairs stays that "
    "of the training rows": "推出的文本对全部加入，或对偏多的一类只抽取一部分，使正例的比例与训练数据相同",
    "add the pairs of the files that the task names under [outside], all with this label": (
        "加入任务在 [outside] 下列出的文件中的文本对，全部带此标签"
    ),
    "dropout and a linear map, a hidden layer before them, or several linear maps whose logits are added with weights "
    "that a softmax gives each row": (
        "dropout 加线性层；或在其前再加一个隐藏层；或多个线性层，其 logits 按 softmax 给每条数据的权重相加"
    ),
    "units of the hidden layer": "隐藏层的单元数",
    "activation of the hidden layer; 'none' is seed 000's, two linear maps in a row": (
        "隐藏层的激活函数；'none' 是 seed 000 的做法，即两个线性层直接相连"
    ),
    "linear maps of the head whose logits are added": "分类头中 logits 相加的线性层个数",
    "dropout of the weights with which these logits are added, after the softmax": (
        "这些 logits 相加时的权重在 softmax 之后的 dropout"
    ),
    "weight of a row's loss by its own label, in label order, divided by the sum of the rows' weights; "
    "'balanced': rows / (labels x rows of the label); 'log_counts': ln(rows / rows of the label); both 0 for a label "
    "that train lacks. Of several labels a row: the weight of a label that is there, one that is not weighs 1; "
    "'balanced': rows without it / rows with it": (
        "每条数据的损失按其自身标签加权，权重按标签顺序给出，再除以各条权重之和；"
        "'balanced'：总条数 /（标签数 × 该标签的条数）；'log_counts'：ln(总条数 / 该标签的条数)；"
        "二者对训练集中没有的标签都为 0。每条数据有多个标签时：存在的标签按该权重计算，不存在的标签权重为 1；"
        "'balanced'：没有该标签的条数 / 有该标签的条数"
    ),
    "under label smoothing Keras's class_weight, which weighs a row's whole loss": (
        "有标签平滑时按 Keras 的 class_weight，对整条数据的损失加权"
    ),
    "share of the target that is spread evenly over all labels, the true one included": (
        "平均分给所有标签（含真实标签）的目标概率比例"
    ),
    "the loss of numbers, in standard deviations of the training rows': the squared difference, or Huber's": (
        "预测数值时的损失，以训练数据的标准差为单位：差的平方，或 Huber 损失"
    ),
    "standard deviations from which on Huber's loss grows no faster than the difference": (
        "差超过多少个标准差之后，Huber 损失不再比差本身增长得更快"
    ),
    "when one of several labels is told: from a probability of one half on, or, for each label, from where its F1 on "
    "dev is best; its logits are moved so that this is one half, and what is measured on dev is too good": (
        "每条数据有多个标签时何时判定某个标签存在：概率达到二分之一，或对每个标签取其验证集 F1 最好的阈值；"
        "该标签的 logits 随之平移，使阈值处为二分之一，因此验证集上的结果偏好"
    ),
    "power of (1 - p of the true label) that scales each row's loss": (
        "用来缩放每条数据损失的（1 - 真实标签的概率）的幂次"
    ),
    "weight of the symmetric divergence between two forward passes of the same rows, a mean over rows; of several "
    "labels a mean over labels, of numbers half the squared difference in standard deviations": (
        "同一批数据两次前向传播之间对称散度的权重，对各条取平均；多标签时对各标签取平均，预测数值时为以标准差计的差的平方的一半"
    ),
    "train on perturbed word embeddings as well: one step (FGM), several within a ball (PGD), or the mean of the "
    "gradients along the way (FreeLB)": (
        "同时在扰动后的词向量上训练：一步（FGM）、球内多步（PGD），或沿途梯度的平均（FreeLB）"
    ),
    "norm of FGM's perturbation; radius of the ball that PGD and FreeLB stay in": (
        "FGM 扰动的范数；PGD 与 FreeLB 所在球的半径"
    ),
    "length of one step of PGD and FreeLB": "PGD 与 FreeLB 每步的步长",
    "perturbed passes of PGD, which follow the clean one; passes of FreeLB, which has no other": (
        "PGD 在原始前向传播之后的扰动次数；FreeLB 的全部传播次数（它没有原始的那一次）"
    ),
    "what the norms are taken of: as published (FGM and PGD: one vector a word, the table as a whole; FreeLB: each "
    "text), each text's token vectors, or these in standard deviations of the training words": (
        "对什么取范数：按原论文（FGM 与 PGD：每个词一个向量，对整张词向量表；FreeLB：对每段文本）、"
        "对每段文本的 token 向量，或对以训练词的标准差为单位的 token 向量"
    ),
    "first epoch with the attack": "从第几轮开始对抗训练",
    "size of FreeLB's random start: uniform in +-1, times this, over the root of a text's numbers": (
        "FreeLB 随机起点的大小：±1 上均匀分布的数乘以该值，再除以一段文本的数的个数的平方根"
    ),
    "passes over the training rows": "遍历训练数据的次数",
    "rows of one forward and backward pass": "一次前向与反向传播的条数",
    "batches of batch_size rows that one optimizer step adds up": "优化器每走一步所累积的批数，每批 batch_size 条",
    "AdamW, or BertAdam as first released for PyTorch: no bias correction, each tensor's gradient clipped to norm 1, "
    "decay inside the step, warm-up as a share and not a whole number of steps": (
        "AdamW，或最初发布的 PyTorch 版 BertAdam：无偏差修正，每个张量的梯度裁剪到范数 1，"
        "权重衰减在步内进行，预热按比例而不按整数步"
    ),
    "peak learning rate of every parameter": "所有参数的学习率峰值",
    "factor of the learning rate from each layer to the one below: the head has all of it, the embeddings "
    "layer_decay^(layers + 1)": ("学习率逐层向下的衰减系数：分类头用完整学习率，嵌入层乘以 layer_decay^(layers + 1)"),
    "added to the root of Adam's second moment": "加在 Adam 二阶矩平方根上的常数",
    "Adam without bias correction: early steps are up to 6.5 times as large": (
        "Adam 不做偏差修正：最初几步最大可达 6.5 倍"
    ),
    "decoupled weight decay, multiplied by the learning rate": "解耦的权重衰减，乘以学习率",
    "parameters that are not decayed: every bias and the weights of every LayerNorm, or none": (
        "不做权重衰减的参数：所有偏置和所有 LayerNorm 的权重，或没有"
    ),
    "largest norm of all gradients together; longer ones are scaled down": "全部梯度的最大总范数；超过则按比例缩小",
    "course of the learning rate after the warm-up: linear or half a cosine down to 0, or constant": (
        "预热之后学习率的走势：线性或半个余弦降到 0，或保持不变"
    ),
    "share of all steps in which the learning rate rises linearly from 0": "学习率从 0 线性上升的步数占总步数的比例",
    "steps between two moves of Lookahead's slow weights, which are the ones evaluated; 0 is no Lookahead": (
        "Lookahead 慢权重两次移动之间的步数，评测用的是慢权重；0 表示不使用 Lookahead"
    ),
    "how far the slow weights move towards the fast ones": "慢权重每次向快权重移动的比例",
    "evaluate a running mean of the weights that keeps this share of itself every step; it starts at the initial "
    "weights": "用权重的滑动平均评测，每步保留自身的这一比例；从初始权重开始",
    "evaluate the plain mean of the weights since this share of all steps; before it, the weights themselves": (
        "走完总步数的这一比例之后，用此后权重的算术平均评测；在此之前用权重本身"
    ),
    "steps between two weights that are averaged": "相邻两次参与平均的权重之间的步数",
    "constant learning rate while weights are averaged; 'schedule' goes on with the schedule": (
        "做权重平均期间的固定学习率；'schedule' 表示继续原调度"
    ),
    "end after this many epochs in a row without a better dev metric; the schedule stays that of all epochs": (
        "验证集指标连续若干轮没有提升就结束；学习率调度仍按全部轮数"
    ),
    "the epoch that is reported: best on dev (ties to the earlier), or the last": (
        "报告哪一轮：验证集上最好的一轮（并列取较早者），或最后一轮"
    ),
    "training pairs in the other order: off, every pair in both orders in each epoch (twice the rows), or each in a "
    "random order whenever it is read": (
        "训练文本对的另一种顺序：不用（off）；每轮中每对两种顺序各读一遍，行数加倍（both）；或每次读取时随机取一种顺序（random）"
    ),
    "predict by the mean of the probabilities after so many epochs: those that are best on dev (ties to the earlier), "
    "or the last, as selection says; as many copies of the weights are held in memory": (
        "用若干轮之后各自预测的概率的平均来预测：按 selection 取验证集上最好的若干轮（并列取较早者），或最后若干轮；"
        "内存中保留同样多份权重"
    ),
    "how a pair of dev and test, or of new text, is read: as it stands, or in both orders, with the mean of the logits "
    "of the two; training reads it as it stands": (
        "验证集、测试集与新文本中的文本对如何读取：按原有顺序，或两种顺序各读一遍、取两次 logits 的平均；"
        "训练时总按原有顺序"
    ),
    "arithmetic of the forward and backward pass (bf16: autocast)": "前向与反向传播的精度（bf16：autocast）",
    # A pretraining's.
    "what the encoder learns from texts before the trial: nothing, to predict hidden tokens, or these and the labels "
    "of training rows, each at its row's first token": (
        "试验之前编码器从文本中学什么：什么也不学，预测被遮盖的 token，"
        "或除此之外还预测训练数据的标签（在各条的首个 token 处）"
    ),
    "what the pretraining starts from: the encoder, or random weights with the encoder's vocabulary": (
        "预训练从哪里开始：该编码器，或沿用其词表的随机权重"
    ),
    "family of an encoder from scratch": "从零开始的编码器属于哪一类",
    "layers of an encoder from scratch": "从零开始的编码器的层数",
    "layers of the encoder that are taken, counted from 1 at the bottom, such as [1, 3, 5]; one may be taken more than "
    "once; 'all' takes them as they are": (
        "取编码器的哪些层，自底向上从 1 数起，例如 [1, 3, 5]；同一层可以取多次；'all' 照原样全取"
    ),
    "hidden width of an encoder from scratch; a layer's inner width is 4 times it": (
        "从零开始的编码器的隐藏层宽度；每层内部的宽度是它的 4 倍"
    ),
    "attention heads of an encoder from scratch; they divide the width": ("从零开始的编码器的注意力头数；须整除宽度"),
    "texts that are read: of the training rows, of all of train, dev and test, of further files that the task names "
    "under [corpus], and of the pairs that closure and outside_pairs add to the training rows, or of those of the "
    "positive label alone": (
        "读取的文本：训练数据（train）、训练、验证与测试的全部（all）、任务在 [corpus] 中列出的其他文件（files），"
        "以及 closure 与 outside_pairs 加入训练数据的文本对（augmented），或其中仅正标签的（augmented_positives）"
    ),
    "how pairs of texts are read: each text by itself, both as the tokenizer joins them, or in all three ways": (
        "文本对怎么读：两段各自单独读，按分词器的方式拼接起来读，或这三种都读"
    ),
    "order of a pair's texts: as it stands, a row for each of the two orders, or drawn at each reading": (
        "文本对的次序：保持原样，两种次序各成一条，或每次读取时随机决定"
    ),
    "longest row in tokens, special ones included; longer ones are cut; a percentile is one of the task's training "
    "rows, as that of max_length is": (
        "一条的最大 token 数，含特殊 token；更长的会截断；百分位数与 max_length 的一样，取自任务的训练数据"
    ),
    "what is hidden, each by itself with probability rate: tokens; whole words, Chinese ones by a segmenter; "
    "tokens that occur together more than chance, for texts that are only numbers; or stretches of tokens": (
        "遮盖什么，每个以概率 rate 独立选取：token；整词，中文词由分词工具划分；"
        "同现多于偶然的一串 token，用于只有数字编号的文本；或连续的若干 token"
    ),
    "how long the stretches of mask = 'ngram' are, by whose rule: one to three tokens with a gap behind them, "
    "one to three up to a number for each row, one or two, or tokens that an odd number of draws hits": (
        "mask = 'ngram' 时连续多长，用谁的规则：一到三个 token，其后留一个空档；一到三个，直到每条的限额；一个或两个；"
        "或被抽中奇数次的 token"
    ),
    "share of the tokens that are predicted; see rate_is": "要预测的 token 所占比例；参见 rate_is",
    "what rate is: the number that a mask draws with, as published, or the share of tokens that it hides in the end, "
    "so that masks can be compared": (
        "rate 指什么：按公布的规则抽取时所用的数，或最终遮盖的 token 所占的比例；后者使各种遮盖方式可比"
    ),
    "share of the chosen tokens that the mask token stands for": "选取的 token 中换成遮盖符的比例",
    "share of the chosen tokens that a random one stands for; the rest are seen as they are": (
        "选取的 token 中换成随机 token 的比例；其余保持原样"
    ),
    "also tell whether a pair belongs together: half of the pairs get the second text of another one": (
        "同时判断文本对是否属于一起：一半的文本对换上另一对的第二段文本"
    ),
    "optimizer steps, and with them the course of the learning rate": "优化器的步数，学习率的走势也由此而定",
    "passes over the corpus, in place of steps; 'none' where steps say how long": (
        "遍历语料的次数，代替步数；'none' 表示按步数"
    ),
    "the step whose encoder is taken; checkpoints of one run are trained once": (
        "取第几步的编码器；同一次训练的多个检查点只训练一次"
    ),
    "rows of one optimizer step": "优化器每一步的条数",
    "peak learning rate": "学习率峰值",
    "decoupled weight decay of all but biases and LayerNorms, multiplied by the learning rate": (
        "解耦的权重衰减，乘以学习率；偏置和 LayerNorm 除外"
    ),
    "share that Adam's second moment keeps in a step": "Adam 的二阶矩每步保留的比例",
    "steps between two moves of Lookahead's slow weights, which are what is taken; 0 is no Lookahead": (
        "Lookahead 慢权重两次移动之间的步数，最后取用的是慢权重；0 表示不使用 Lookahead"
    ),
    "dropout of hidden states and attention; 'checkpoint' is what the encoder's config says, 0.1 from scratch": (
        "隐藏层与注意力的 dropout；'checkpoint' 表示沿用编码器的配置，从零开始时为 0.1"
    ),
    "seed of the pretraining: a number, so that trials of all seeds start from one pretraining, or 'trial', so that "
    "each seed has one of its own": (
        "预训练的种子：取一个数，各种子的试验都从同一次预训练开始；取 'trial'，每个种子各有自己的预训练"
    ),
}

_SOURCES: Final[Mapping[str, str]] = {
    "seed 002 and its second round (GAIIC 2021, track 3)": "seed 002 及其复赛（GAIIC 2021 赛道三）",
    "seed 000 for the hidden layer": "隐藏层来自 seed 000",
    "github.com/rogerrojur/tianchi-multi-task-nlp for label_attention": (
        "label_attention 来自 github.com/rogerrojur/tianchi-multi-task-nlp"
    ),
    "arXiv:2003.10555's released head for gelu": "gelu 来自 arXiv:2003.10555 发布的分类头",
    "arXiv:1810.04805's released optimizer": "arXiv:1810.04805 发布的优化器",
    "King & Zeng 2001 for 'balanced'": "'balanced' 来自 King & Zeng 2001",
    "github.com/rogerrojur/tianchi-multi-task-nlp for 'log_counts'": (
        "'log_counts' 来自 github.com/rogerrojur/tianchi-multi-task-nlp"
    ),
    "arXiv:1810.04805, section 5.3, for the last four": "后四种来自 arXiv:1810.04805 第 5.3 节",
    "arXiv:1605.07725, section 3, for 'normalized'": "'normalized' 来自 arXiv:1605.07725 第 3 节",
    "{source}; {others}": "{source}；{others}",
    "{paper}, section {where}": "{paper} 第 {where} 节",
    "{paper}, appendix {where}": "{paper} 附录 {where}",
    "{paper}, algorithm {where}": "{paper} 算法 {where}",
}

KNOBS: Final[Mapping[str, str]] = {**_MEANINGS, **KNOBS_OF_PARTS, **_SOURCES}

_CANNOT_ACT: Final[Mapping[str, str]] = {
    **REASONS_OF_PARTS,
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
    "epochs = 1 leaves one epoch to average": "epochs = 1 时只有一轮可平均",
    "the last {n} epochs evaluate the same weights": "最后 {n} 轮评测的是同样的权重",
    "of {n_epochs} epochs, none is left after {n_patience} that bring nothing": (
        "共 {n_epochs} 轮，连续 {n_patience} 轮没有提升之后已没有剩余的轮次"
    ),
    "weights of 1 weigh nothing: a label that is there counts as much as one that is not": (
        "权重为 1 等于没有权重：标签存在与不存在同样计算"
    ),
    "the task predicts numbers, and has no labels": "该任务预测数值，没有标签",
    "the task predicts labels, and no numbers": "该任务预测标签，而不是数值",
    "score_loss = {value} has no bend": "score_loss = {value} 没有转折点",
    "thresholds are of several labels a row, and no row of the task has several": (
        "阈值用于每条数据有多个标签的任务，而该任务的每条数据都没有多个标签"
    ),
    "pairs follow from others where one of two labels joins texts, and the task has no two classes": (
        "只有两个类别、且其中之一表示两段文本相合时，才能由文本对推出新的文本对，而该任务没有两个类别"
    ),
    "outside pairs are added as positive or negative, and the task has no two classes": (
        "外部文本对只能作为正例或负例加入，而该任务没有两个类别"
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
    "head = {value} ends in a single linear map": "head = {value} 时末端只有一个线性层",
    "a task of single texts has no other text to share words with": "单文本任务没有另一段文本，谈不上共有的词",
    "a task of single texts has one segment": "单文本任务只有一个 segment",
    "a task of single texts has no second text": "单文本任务没有第二段文本",
    "pairs follow from others where one of two labels joins texts, and the task has {n_labels}": (
        "只有两个标签、且其中之一表示两段文本相合时，才能由文本对推出新的文本对，而该任务有 {n_labels} 个标签"
    ),
    "closure = 'off' adds no pairs": "closure = 'off' 时不增加文本对",
    "outside pairs are added as positive or negative, and the task has {n_labels} labels": (
        "外部文本对只能作为正例或负例加入，而该任务有 {n_labels} 个标签"
    ),
    "no pair follows from the training pairs that they do not hold themselves": "训练文本对推不出它们之外的文本对",
    "the pairs that follow are none too many of either kind": "推出的文本对中哪一类都不过多",
    "no pair of the files under [outside] is new": "[outside] 文件中没有新的文本对",
    "no pairs are added to the training rows": "没有向训练数据加入文本对",
    "the task names no files under [outside]": "任务没有在 [outside] 下列出文件",
    "this {family} encoder has no segment embeddings": "该 {family} 编码器没有 segment 向量",
    # Of a vocabulary of ids.
    "the texts are text, which the encoder's own tokenizer reads": "文本就是文字，由编码器自己的分词器读取",
    "the encoder's own vocabulary is one of ids, and is kept": "编码器自己的词表就是 id 词表，予以保留",
    "the encoder is made from the same ids, so there are no rows of other tokens to take": (
        "该编码器由同样的 id 生成，没有其他 token 的行可取"
    ),
    "pretraining.base = 'scratch' takes no row of the encoder": "pretraining.base = 'scratch' 时不取编码器的任何行",
    "vocabulary.align = {align} starts from no token": "vocabulary.align = {align} 时没有起始 token",
    # A pretraining's.
    "pretraining.objective = 'none' trains nothing": "pretraining.objective = 'none' 时什么也不训练",
    "pretraining.steps = 0 leaves the encoder as it is": "pretraining.steps = 0 时编码器保持原样",
    "pretraining.steps = 0 takes none": "pretraining.steps = 0 时一步也不走",
    "the encoder has its own shape, and pretraining.base = 'scratch' would have this one": (
        "该编码器有自己的形状，pretraining.base = 'scratch' 时才用这里的形状"
    ),
    "the encoder has its own depth; pretraining.take_layers says which of its layers are taken": (
        "该编码器有自己的层数；pretraining.take_layers 指定取其中哪些层"
    ),
    "pretraining.base = 'scratch' takes no layer of the encoder": "pretraining.base = 'scratch' 时不取编码器的任何层",
    "the corpus holds single texts only": "语料只含单文本",
    "pretraining.form = 'single' reads no pairs": "pretraining.form = 'single' 时不读文本对",
    "a {family} encoder like this one has no two segments": "这样的 {family} 编码器没有两种 segment",
    "no second step comes after the warm-up": "预热之后没有第二步",
    "{share} of {n_steps} steps is not one step": "{n_steps} 步的 {share} 不足一步",
    "pretraining.mask = {value} hides no stretches of tokens": "pretraining.mask = {value} 时不按连续的若干 token 遮盖",
    "pretraining.mask = 'bernoulli' hides the share that it draws with": (
        "pretraining.mask = 'bernoulli' 时，遮盖的比例就是抽取时所用的数"
    ),
    "pretraining.lookahead_steps = 0 is no Lookahead": "pretraining.lookahead_steps = 0 即不使用 Lookahead",
}

_NOT_LEARNED: Final[Mapping[str, str]] = {
    "every dev row gets the same label": "验证集的每一条都被预测为同一标签",
    "all but {n_others} of {n_rows} dev rows get the same label": (
        "验证集的 {n_rows} 条中除 {n_others} 条外都被预测为同一标签"
    ),
    "every dev row gets the same labels": "验证集的每一条都被预测为同样的一组标签",
    "all but {n_others} of {n_rows} dev rows get the same labels": (
        "验证集的 {n_rows} 条中除 {n_others} 条外都被预测为同样的一组标签"
    ),
    "every dev row gets nearly the same number": "验证集的每一条都被预测为几乎相同的数值",
    "the training loss never fell below that of an even guess, {loss}": "训练损失从未低于均匀猜测的 {loss}",
    "{metric} on dev is no better than what a guess reaches, {bound}, and that of others is": (
        "验证集上的 {metric} 不好于猜测所能达到的 {bound}，而其他运行好于它"
    ),
    "no part is better on dev than what a guess reaches ({bounds}), and some of others are": (
        "验证集上没有一个子任务好于猜测所能达到的水平（{bounds}），而其他运行有子任务好于它"
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
    "full_disk": "full_disk（工作进程所在的磁盘已满）",
    "no_encoder": "no_encoder（其预训练失败）",
    "lost_encoder": "lost_encoder（预训练所得的编码器已丢失）",
}

_TASKS: Final[Mapping[str, str]] = {
    "TF-IDF + logistic regression": "TF-IDF + 逻辑回归",
    "TF-IDF + a logistic regression for each label": "TF-IDF + 每个标签一个逻辑回归",
    "TF-IDF + a logistic regression for each label ({bounds})": "TF-IDF + 每个标签一个逻辑回归（{bounds}）",
    "TF-IDF + ridge regression": "TF-IDF + 岭回归",
    "TF-IDF + a linear model of each part": "TF-IDF + 每个任务一个线性模型",
    "TF-IDF + a linear model of each part ({bounds})": "TF-IDF + 每个任务一个线性模型（{bounds}）",
    "TF-IDF + ridge regression ({bounds})": "TF-IDF + 岭回归（{bounds}）",
    "TF-IDF + logistic regression ({bounds})": "TF-IDF + 逻辑回归（{bounds}）",
    "{others}; part {part}: {note}": "{others}；{part}：{note}",
    "part {part}: {note}": "{part}：{note}",
    "texts that judge {part} and stand in the training rows of {other} too: {n_texts}": (
        "{n_texts} 段用于给 {part} 评分的文本也出现在 {other} 的训练数据中"
    ),
}

_STATES: Final[Mapping[str, str]] = {
    "{line}; {n_stages} pretrainings, {stages}": "{line}；{n_stages} 个预训练，{stages}",
    "{line}; {n_stages} pretraining, {stages}": "{line}；{n_stages} 个预训练，{stages}",
    "{line}, {n_trials} finished more than once": "{line}，{n_trials} 个完成了不止一次",
    "{line}, {n_trials} running": "{line}，{n_trials} 个运行中",
    "{line}, {n_trials} pruned": "{line}，{n_trials} 个已剪枝",
    "{line}, {n_trials} skipped on purpose": "{line}，{n_trials} 个有意跳过",
    "{state}: {n_planned} planned, {n_finished} finished, {n_failed} failed, {n_pending} pending": (
        "{state}：计划 {n_planned} 个试验，完成 {n_finished} 个，失败 {n_failed} 个，待运行 {n_pending} 个"
    ),
    "{stages}, {n_stages} failed": "{stages}，失败 {n_stages} 个",
    "{stages}, {n_stages} pending": "{stages}，待运行 {n_stages} 个",
    "{n_stages} finished ({n_found} made before)": "完成 {n_stages} 个（其中 {n_found} 个此前已有）",
    "{n_stages} finished": "完成 {n_stages} 个",
    "complete": "无一遗漏",
    "settled": "已跑完，但有失败",
    "incomplete": "尚未跑完",
    "pending": "待运行",
    "running": "运行中",
    "pruned": "已剪枝",
    "skipped": "已跳过",
    "failed": "失败",
    "full factorial": "全因子设计",
    "one-at-a-time design": "逐个因素改变的设计",
    "list of rows": "逐行列出的设计",
    "random sample": "随机抽样的设计",
    "choice of Optuna": "由 Optuna 选取的设计",
    "fraction of resolution {n} at least": "分辨度不低于 {n} 的部分析因设计",
    "fitted on {n_used} of {n_rows} rows of {split}, {others}": ("用{split} {n_rows} 条中的 {n_used} 条拟合，{others}"),
    "fitted on {n_used} of {n_rows} rows of {split}": "用{split} {n_rows} 条中的 {n_used} 条拟合",
    "judged on {n_used} of {n_rows} rows of {split}, {others}": ("用{split} {n_rows} 条中的 {n_used} 条评分，{others}"),
    "judged on {n_used} of {n_rows} rows of {split}": "用{split} {n_rows} 条中的 {n_used} 条评分",
    "stopped after {n} steps": "{n} 步后停止",
    "{metric} failed on it": "{metric} 对它计算失败",
    "{factor} x {others}": "{factor} × {others}",
}

REASONS: Final[Mapping[str, str]] = {**_TASKS, **_CANNOT_ACT, **_NOT_LEARNED, **_FAILURES, **NOTES, **_STATES}
