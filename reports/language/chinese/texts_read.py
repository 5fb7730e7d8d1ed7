"""How much of their texts encoders read, in Chinese."""

from collections.abc import Mapping
from typing import Final

TEXTS_READ: Final[Mapping[str, str]] = {
    "the training rows": "训练数据",
    "the training rows of {part}": "子任务 {part} 的训练数据",
    "of {rows}, {encoder} cuts {places}": "{rows}中被 {encoder} 截断的：{places}",
    "{share} at max_length {n}{percentile}": "{share}（max_length 为 {n}{percentile}）",
    " (the {nth} percentile of their lengths)": "，即长度的{nth}百分位数",
    " (the {nth} percentile of their lengths would be more)": "，长度的{nth}百分位数更大",
    "{n}st": "第 {n} ",
    "{n}nd": "第 {n} ",
    "{n}rd": "第 {n} ",
    "{n}th": "第 {n} ",
    "less at longer ones": "更长时更少",
    "; of their tokens, {share} are {unknown}": "；其 token 中有 {share} 是 {unknown}",
    "{encoder} cuts {share} of {rows}, which have more tokens than max_length = {n}": (
        "{rows}中有 {share} 的 token 数超过 max_length = {n}，被 {encoder} 截断"
    ),
    '; max_length = "p{percent}", which is {n} tokens{at_most}, would cut {share}': (
        '；若 max_length = "p{percent}"，即 {n} 个 token{at_most}，则截断 {share}'
    ),
    " with {encoder} and not more": "（{encoder} 最多读这么长）",
    "; no percentile of their lengths gives {encoder} more": "；任何百分位数都不会让 {encoder} 读得更长",
    "{share} of the tokens of {rows} are {unknown}: {encoder} does not know them": (
        "{rows}的 token 中有 {share} 是 {unknown}：{encoder} 不认识它们"
    ),
    "; choose an encoder whose vocabulary is of the language of these texts": "；请选用词表与文本语言相符的编码器",
    "; vocabulary.min_count says how often an id has to occur to be a token": (
        "；一个 id 至少出现多少次才成为 token，由 vocabulary.min_count 决定"
    ),
    "**Caution: {text}.**": "**注意：{text}**。",
}
