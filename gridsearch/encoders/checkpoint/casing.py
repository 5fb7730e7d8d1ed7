"""Whether a tokenizer reads capitals as its vocabulary does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FEW = 0.01
"""Of the words: fewer are what most vocabularies have."""
_BYTES = range(0x100, 0x144)
"""Characters that stand for bytes in the vocabularies of GPT-2 and RoBERTa: some of them look like capitals."""


def casing_note(tokenizer: "PreTrainedTokenizerBase", encoder: str) -> str:
    """Return a sentence where capitals are lost, or unknown; empty where all is in order, or it cannot be told."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return ""
    special = set(tokenizer.all_special_tokens)
    words = [word for word in tokenizer.get_vocab() if word not in special and not _in_brackets(word)]
    cased = [word for word in words if word.lower() != word.upper()]
    n_capitals = sum(map(_has_capitals, cased))
    keeps = backend.normalizer is None or "A" in backend.normalizer.normalize_str("A")
    if not keeps and n_capitals > FEW * len(cased):
        return (
            f"the tokenizer of {encoder} lower-cases all text, so that {n_capitals} of its {len(words)} words, those "
            "with capitals, never occur (do_lower_case in tokenizer_config.json)"
        )
    if keeps and cased and n_capitals <= FEW * len(cased):
        return (
            f"the tokenizer of {encoder} keeps capitals, but {len(cased) - n_capitals} of the {len(cased)} words that "
            "it knows have none, so that capitalised words are cut up or unknown (do_lower_case in "
            "tokenizer_config.json)"
        )
    return ""


def _in_brackets(word: str) -> bool:
    return (word[:1], word[-1:]) in (("[", "]"), ("<", ">"))


def _has_capitals(word: str) -> bool:
    return any(character.isupper() and ord(character) not in _BYTES for character in word)
