"""Hide words: all tokens of one, or none."""

import numpy as np

from gridsearch.tasks.corpus import CorpusRows


def words(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Choose each word by itself with the same probability, but never all words of a row.

    So each token has that probability, however long words are; published recipes count down a budget of tokens instead,
    in which long words fit less often. The word of a row that draws the largest number is never chosen: where all
    others were hit it is one at random, and elsewhere it would not have been. A row of one word hides nothing.
    """
    assert rows.begins_word is not None, "the corpus was encoded for a mask without words"
    draws = stream.random(len(rows.tokens))
    first = np.flatnonzero(rows.begins_word)
    of_words = np.where(rows.may_be_chosen[first], draws[first], np.inf)
    row = np.searchsorted(rows.rows.starts, first, side="right") - 1
    largest = np.full(len(rows.rows), -1.0)
    np.maximum.at(largest, row, np.where(rows.may_be_chosen[first], of_words, -1.0))
    chosen = (of_words < rate) & (of_words < largest[row])
    hidden: np.ndarray = chosen[np.cumsum(rows.begins_word) - 1]
    return hidden
