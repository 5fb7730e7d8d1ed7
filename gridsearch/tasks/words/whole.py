"""Words that people read as such: Chinese ones by a segmenter, all others by the tokenizer's own words.

transformers' collator takes a gap between the offsets of two tokens for the end of a word. Chinese has no such gaps, so
that it hides all of a sentence or nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.tasks.encode import ROWS_AT_ONCE

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HAN = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
"""Blocks of Chinese characters, as BERT's tokenizer counts them: first and last code."""


def whole_words(texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> np.ndarray:
    """Tell which tokens of texts, laid end to end without special ones, begin a word: bool.

    Beside a Chinese character, ``rjieba`` says where a word ends, on the text as it stands. The tokenizer cannot: to
    some each character is a word, to others (SentencePiece) a whole sentence is, with its punctuation. Elsewhere, and
    at spaces, the tokenizer's own words are taken: those that it cuts into pieces. A token that begins inside of a
    character begins no word.

    Raises:
        RequestError: the tokenizer does not tell where in the text a token lies; Chinese, and no rjieba.
    """
    if not tokenizer.is_fast:
        name = type(tokenizer).__name__
        raise RequestError(
            "pretraining.mask = 'whole_word' needs a tokenizer that tells where in a text its tokens lie, which "
            f"{name} does not; 'statistical_word' does without"
        )
    some = (texts[start : start + ROWS_AT_ONCE] for start in range(0, len(texts), ROWS_AT_ONCE))
    return np.concatenate([np.zeros(0, dtype=np.bool_), *(_begins(part, tokenizer) for part in some)])


def _begins(texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> np.ndarray:
    encoded = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False)
    counts = np.fromiter(map(len, encoded["input_ids"]), dtype=np.int64)
    offsets = np.fromiter(chain.from_iterable(chain.from_iterable(encoded["offset_mapping"])), dtype=np.int64)
    first, end = offsets.reshape(-1, 2).T
    words = (-1 if word is None else word for row in range(len(texts)) for word in encoded.word_ids(row))
    own = np.fromiter(words, dtype=np.int64, count=len(first))
    begins = np.ones(len(first), dtype=np.bool_)
    begins[1:] = own[1:] != own[:-1]
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    is_han = _is_han(characters)
    if is_han.any():
        ends_word = _ends_of_chinese_words(texts, is_han)
        lengths = np.fromiter(map(len, texts), dtype=np.int64)
        shifts = np.repeat(np.cumsum(lengths) - lengths, counts)
        before, after = np.maximum(first + shifts, 1) - 1, np.minimum(first + shifts, len(characters) - 1)
        is_space = _is_space(characters)
        asks = (is_han[before] | is_han[after]) & ~is_space[before] & ~is_space[after]
        begins = np.where(asks, ends_word[before], begins)
    begins[1:] &= first[1:] >= end[:-1]
    begins[(np.cumsum(counts) - counts)[counts > 0]] = True
    return begins


def _ends_of_chinese_words(texts: Sequence[str], is_han: np.ndarray) -> np.ndarray:
    """Tell which characters of texts laid end to end are the last of a word; texts without Chinese are left out."""
    try:
        import rjieba
    except ImportError:
        raise RequestError(
            "pretraining.mask = 'whole_word' finds the words of Chinese texts with rjieba, which is not installed: "
            "pip install 'gridsearch[chinese]'"
        ) from None

    def ends() -> Iterator[int]:
        bounds = np.cumsum([0, *map(len, texts)])
        holds_some = np.concatenate([[0], np.cumsum(is_han)])
        for text, (begin, end) in zip(texts, pairwise(bounds.tolist()), strict=True):
            if holds_some[end] > holds_some[begin]:
                yield from (begin + last - 1 for _, _, last in rjieba.tokenize(text, "default", True))

    found = np.zeros(len(is_han), dtype=np.bool_)
    found[np.fromiter(ends(), dtype=np.int64)] = True
    return found


def _is_han(characters: np.ndarray) -> np.ndarray:
    found = np.zeros(len(characters), dtype=np.bool_)
    for first, last in HAN:
        found |= (characters >= first) & (characters <= last)
    return found


def _is_space(characters: np.ndarray) -> np.ndarray:
    distinct, which = np.unique(characters, return_inverse=True)
    found: np.ndarray = np.asarray([chr(code).isspace() for code in distinct], dtype=np.bool_)[which]
    return found
