"""Which tokens of a corpus begin a word, for the masks that hide words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.tasks.words.statistical import statistical_words
from gridsearch.tasks.words.whole import whole_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def begins_of_words(
    mask: str,
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    ids: np.ndarray,
    starts: np.ndarray,
    may_be_chosen: np.ndarray,
) -> np.ndarray | None:
    """Tell which tokens begin a word: bool, laid out as ``ids``; None for a mask that hides no words.

    Text i is ``ids[starts[i]:starts[i + 1]]``. A token that may not be hidden is a word of its own, and no word goes
    across it: so either all tokens of a word may be hidden or none.

    Raises:
        RequestError: no whole words are found with this tokenizer, or without the package that finds Chinese ones.
    """
    apart = ~may_be_chosen
    apart[1:] |= ~may_be_chosen[:-1]
    apart[starts[:-1][np.diff(starts) > 0]] = True
    if mask == "whole_word":
        apart |= whole_words(texts, tokenizer)
        return apart
    if mask == "statistical_word":
        return statistical_words(ids, may_be_chosen, apart)
    return None
