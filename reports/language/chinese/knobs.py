"""The meanings of the knobs, and their sources, in Chinese. The last sources are patterns, tried in this order."""

from collections.abc import Mapping
from typing import Final

_MEANINGS: Final[Mapping[str, str]] = {
    "a built-in encoder, a folder, or a Hugging Face name (not the name but its identity is hashed)": (
        "内置编码器、文件夹或 Hugging Face 上的名字（计入哈希的不是名字，而是其标识）"
    ),
    "longest input in tokens, special ones included": "输入的最大 token 数，含特殊 token",
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
    "dropout inside the encoder, hidden and attention; 'checkpoint' is what its config says": (
        "编码器内部（隐藏层与注意力）的 dropout；'checkpoint' 表示沿用其配置"
    ),
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
    "dropout and a linear map, or a hidden layer before them": "dropout 加线性层，或在其前再加一个隐藏层",
    "units of the hidden layer": "隐藏层的单元数",
    "activation of the hidden layer; 'none' is seed 000's, two linear maps in a row": (
        "隐藏层的激活函数；'none' 是 seed 000 的做法，即两个线性层直接相连"
    ),
    "weight of a row's loss by its own label, in label order, divided by the sum of the rows' weights; "
    "'balanced': rows / (labels x rows of the label), 0 for a label that train lacks": (
        "每条数据的损失按其自身标签加权，权重按标签顺序给出，再除以各条权重之和；"
        "'balanced'：总条数 /（标签数 × 该标签的条数），训练集中没有的标签为 0"
    ),
    "under label smoothing Keras's class_weight, which weighs a row's whole loss": (
        "有标签平滑时按 Keras 的 class_weight，对整条数据的损失加权"
    ),
    "share of the target that is spread evenly over all labels, the true one included": (
        "平均分给所有标签（含真实标签）的目标概率比例"
    ),
    "power of (1 - p of the true label) that scales each row's loss": (
        "用来缩放每条数据损失的（1 - 真实标签的概率）的幂次"
    ),
    "weight of the symmetric divergence between two forward passes of the same rows, a mean over rows": (
        "同一批数据两次前向传播之间对称散度的权重，对各条取平均"
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
    "arithmetic of the forward and backward pass (bf16: autocast)": "前向与反向传播的精度（bf16：autocast）",
}

_SOURCES: Final[Mapping[str, str]] = {
    "seed 002 and its second round (GAIIC 2021, track 3)": "seed 002 及其复赛（GAIIC 2021 赛道三）",
    "seed 000 for the hidden layer": "隐藏层来自 seed 000",
    "arXiv:2003.10555's released head for gelu": "gelu 来自 arXiv:2003.10555 发布的分类头",
    "arXiv:1810.04805's released optimizer": "arXiv:1810.04805 发布的优化器",
    "King & Zeng 2001 for 'balanced'": "'balanced' 来自 King & Zeng 2001",
    "arXiv:1810.04805, section 5.3, for the last four": "后四种来自 arXiv:1810.04805 第 5.3 节",
    "arXiv:1605.07725, section 3, for 'normalized'": "'normalized' 来自 arXiv:1605.07725 第 3 节",
    "{source}; {others}": "{source}；{others}",
    "{paper}, section {where}": "{paper} 第 {where} 节",
    "{paper}, appendix {where}": "{paper} 附录 {where}",
    "{paper}, algorithm {where}": "{paper} 算法 {where}",
}

KNOBS: Final[Mapping[str, str]] = {**_MEANINGS, **_SOURCES}
