"""The core's own words about several parts, in Chinese: what knobs mean, why they cannot act."""

from collections.abc import Mapping
from typing import Final

KNOBS_OF_PARTS: Final[Mapping[str, str]] = {
    "one encoder for all parts, or one for each, which trains on that part alone; results are those of one epoch, the "
    "same for all parts": "所有子任务共用一个编码器，或每个子任务各用一个、只在该子任务上训练；结果都取自同一轮",
    "whether a batch is of one part, or holds rows of all parts in the proportions of the epoch": (
        "一个批只含一个子任务的数据，或按整轮的比例混合所有子任务的数据"
    ),
    "an epoch has as many rows as all parts together; the share of a part with n rows goes by n, by its square root, "
    "is the same for all, or goes by n^(1/T) for a number T": (
        "一轮的条数等于所有子任务条数之和；有 n 条数据的子任务所占比例按 n、按 n 的平方根、各子任务相同，"
        "或按 n^(1/T)（T 为一个数）"
    ),
    "batches of the parts one after the other at random, or in turn, spread evenly over the epoch": (
        "各子任务的批按随机次序出现，或轮流出现、均匀分布在一轮中"
    ),
    "what the mean losses of the parts in a step are multiplied by before they are added: 1; the weights of the task's "
    "file; -(1 - k)^gamma ln k, for k the part's share of right answers in training so far in this epoch, kept within "
    ".1 and .99; or exp(-s) with s/2 added, for an s of each part that is learned": (
        "一步中各子任务的平均损失在相加前所乘的数：1；任务文件给定的权重；-(1 - k)^gamma ln k，"
        "其中 k 是该子任务本轮至今训练中的正确率，限制在 .1 到 .99 之间；或 exp(-s) 再加 s/2，每个子任务的 s 由学习得到"
    ),
    "gamma of dynamic_priority: how much more a part counts that is often wrong": (
        "dynamic_priority 的 gamma：常答错的子任务多算多少"
    ),
    "arXiv:1901.11504 for one": "one 见 arXiv:1901.11504",
    "github.com/finlay-liu/tianchi-multi-task-nlp for mixed": "mixed 见 github.com/finlay-liu/tianchi-multi-task-nlp",
    "arXiv:1902.02671 for the square root": "平方根见 arXiv:1902.02671",
    "arXiv:1910.10683, section 3.5.2, for temperatures": "温度见 arXiv:1910.10683 第 3.5.2 节",
    "Guo 2018 (ECCV) and github.com/rogerrojur/tianchi-multi-task-nlp for dynamic_priority": (
        "dynamic_priority 见 Guo 2018（ECCV）与 github.com/rogerrojur/tianchi-multi-task-nlp"
    ),
    "arXiv:1705.07115 for uncertainty": "uncertainty 见 arXiv:1705.07115",
}
REASONS_OF_PARTS: Final[Mapping[str, str]] = {
    "the task has one part": "该任务只有一个子任务",
    "parts.training = 'separate' trains each part by itself": "parts.training = 'separate' 时每个子任务单独训练",
    "the parts have so equally many rows that each has its own rows in an epoch in any case": (
        "各子任务的条数如此接近，一轮中每个子任务总是恰好用到自己的全部数据"
    ),
    "parts.batches = 'mixed' has rows of all parts in each batch": (
        "parts.batches = 'mixed' 时每个批都含有所有子任务的数据"
    ),
    "the task's file gives every part a weight of 1": "任务文件给每个子任务的权重都是 1",
    "parts.loss_weights = {value} has no gamma": "parts.loss_weights = {value} 没有 gamma",
    "pairs are added to training rows of a single task, and this one has several parts": (
        "只给单一任务的训练数据添加文本对，而该任务有多个子任务"
    ),
}
