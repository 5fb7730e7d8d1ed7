"""What the core says of an encoder's files, in Chinese."""

from collections.abc import Mapping
from typing import Final

NOTES_OF_ENCODERS: Final[Mapping[str, str]] = {
    "the tokenizer of {encoder} lower-cases all text, so that {n_capitals} of its {n_words} words, those with "
    "capitals, never occur (do_lower_case in tokenizer_config.json)": (
        "{encoder} 的分词器把文本全部转为小写，词表 {n_words} 个词中含大写字母的 {n_capitals} 个永远不会出现"
        "（见 tokenizer_config.json 的 do_lower_case）"
    ),
    "the tokenizer of {encoder} keeps capitals, but {n_without} of the {n_words} words that it knows have none, so "
    "that capitalised words are cut up or unknown (do_lower_case in tokenizer_config.json)": (
        "{encoder} 的分词器保留大写字母，但词表 {n_words} 个词中有 {n_without} 个不含大写，大写开头的词会被切碎"
        "或成为未知词（见 tokenizer_config.json 的 do_lower_case）"
    ),
    "the family of {encoder}, {family}, is not known here: which of its weights are embeddings ({embeddings}) and "
    "layers ({layers}) was found by looking at it and running it, and no trick has been tried on it": (
        "{encoder} 所属的 {family} 系列在此未经描述：哪些权重是嵌入（{embeddings}）、哪些是各层（{layers}），"
        "是查看并运行模型后判断的，各项技巧均未在其上试验过"
    ),
    "of the weights of {encoder}, {n_unused} inside the encoder are left out, because its config.json has no place "
    "for them ({name})": "{encoder} 的权重中有 {n_unused} 个未使用，因为 config.json 中没有它们的位置（{name}）",
}
