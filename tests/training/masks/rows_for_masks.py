"""Rows of a corpus, put together by hand."""

import numpy as np

from gridsearch.tasks.corpus import CorpusRows
from gridsearch.tasks.encode import EncodedSplit

Row = list[list[int]]
"""The texts of a row: each token is the number of its word in the text, or -1 for one that may not be hidden."""


def rows_of(rows: list[Row]) -> CorpusRows:
    """Join texts as a tokenizer does: a special token before the first one, and one behind each."""
    may: list[bool] = []
    begins_stretch: list[bool] = []
    begins_word: list[bool] = []
    lengths = []
    for row in rows:
        n_before = len(may)
        for stretch in ([-1], *(part for text in row for part in (text, [-1]))):
            for place, word in enumerate(stretch):
                may.append(word >= 0)
                begins_stretch.append(place == 0)
                begins_word.append(place == 0 or word != stretch[place - 1] or word < 0)
        lengths.append(len(may) - n_before)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.arange(len(may), dtype=np.int32)
    return CorpusRows(
        rows=EncodedSplit(ids, None, starts, None),
        tokens=ids.astype(np.int64),
        may_be_chosen=np.asarray(may, dtype=np.bool_),
        begins_stretch=np.asarray(begins_stretch, dtype=np.bool_),
        begins_word=np.asarray(begins_word, dtype=np.bool_),
    )


def long_rows(n_rows: int, *lengths: int) -> CorpusRows:
    """Return rows of texts of these lengths, each token a word."""
    return rows_of([[list(range(length)) for length in lengths]] * n_rows)
