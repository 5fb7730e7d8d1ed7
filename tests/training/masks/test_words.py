"""Words are hidden whole, each with the same probability, and never all of a text."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.tasks.corpus import CorpusRows
from gridsearch.training.masks.words import words
from tests.training.masks.rows_for_masks import Row, rows_of

texts = st.lists(st.integers(-1, 3), max_size=10)
rows = st.lists(st.lists(texts, min_size=1, max_size=2), min_size=1, max_size=6).map(rows_of)


def words_of(read: CorpusRows, start: int, end: int) -> list[list[int]]:
    """Return the words of a text: those that may be hidden."""
    assert read.begins_word is not None
    found: list[list[int]] = []
    for token in range(start, end):
        if read.begins_word[token]:
            found.append([])
        if read.may_be_chosen[token]:
            found[-1].append(token)
    return [word for word in found if word]


@given(rows, st.floats(0.01, 1.0), st.integers(0, 2**32))
def test_words_are_whole_and_never_all(read: CorpusRows, rate: float, seed: int) -> None:
    chosen = words(read, rate, np.random.default_rng(seed))
    assert not (chosen & ~read.may_be_chosen).any()
    for start, end in pairwise([*np.flatnonzero(read.begins_stretch).tolist(), len(chosen)]):
        found = words_of(read, start, end)
        hidden = [chosen[word].tolist() for word in found]
        assert all(len(set(one)) == 1 for one in hidden)
        n_hidden = sum(one[0] for one in hidden)
        assert n_hidden < len(found) or not found
        assert n_hidden == max(0, len(found) - 1) or rate < 1


@given(rows, st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_a_higher_rate_hides_more_and_nothing_else(read: CorpusRows, rate: float, seed: int) -> None:
    less, more = (words(read, one, np.random.default_rng(seed)) for one in (rate, (1 + rate) / 2))
    assert not (less & ~more).any()


def test_a_token_has_the_rate_however_long_its_word_is() -> None:
    row: Row = [[0, 0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 6, 6, 7], [0, 1, 1, 2, 3, 3, 4]]
    read = rows_of([row] * 20_000)
    chosen = words(read, 0.15, np.random.default_rng(0)).reshape(20_000, -1).mean(axis=0)
    assert np.abs(chosen[read.may_be_chosen[: len(chosen)]] - 0.15).max() < 0.01


def test_which_word_is_spared_is_drawn() -> None:
    read = rows_of([[[0, 0, 1, 2]]] * 20_000)
    chosen = words(read, 0.99, np.random.default_rng(0)).reshape(20_000, -1)
    assert chosen.sum(axis=1).max() == 3
    assert np.abs(1 - chosen[:, [1, 3, 4]].mean(axis=0) - 1 / 3).max() < 0.02
    assert not words(rows_of([[[0, 0, 0]]] * 100), 0.99, np.random.default_rng(0)).any()


def test_the_share_of_short_texts() -> None:
    """Of n words, rate^n / n is taken from each: that of the cases in which all would be hidden."""
    for n_words in (1, 2, 3):
        read = rows_of([[list(range(n_words))]] * 50_000)
        chosen = words(read, 0.4, np.random.default_rng(0))
        assert chosen.sum() / (50_000 * n_words) == pytest.approx(0.4 - 0.4**n_words / n_words, abs=0.005)
