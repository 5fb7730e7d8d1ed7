"""Hide words: all tokens of one, or none."""

import numpy as np

from gridsearch.tasks.corpus import CorpusRows


def words(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Choose each word by itself with the same probability, but never all words of a text.

    So each token has that probability, however long words are; published recipes count down a budget of tokens instead,
    in which long words fit less often. The word of a text that draws the largest number is never chosen: where all
    others were hit it is one at random, and elsewhere it would not have been. A text of one word is never hidden, be it
    one of a pair.
    """
    assert rows.begins_word is not None, "the corpus was encoded for a mask without words"
    draws = stream.random(len(rows.tokens))
    first = np.flatnonzero(rows.begins_word)
    of_words = np.where(rows.may_be_chosen[first], draws[first], np.inf)
    text = np.cumsum(rows.begins_stretch)[first] - 1
    largest = np.full(int(rows.begins_stretch.sum()), -1.0)
    np.maximum.at(largest, text, np.where(rows.may_be_chosen[first], of_words, -1.0))
    chosen = (of_words < rate) & (of_words < largest[text])
    hidden: np.ndarray = chosen[np.cumsum(rows.begins_word) - 1]
    return hidden
