"""The published rules, beside each of them written down for one row and in loops."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.tasks.corpus import CorpusRows
from gridsearch.training.masks.choice import Rule
from gridsearch.training.masks.ngrams import daniellibin, rank18, rank18_of_any_rate, seed000, seed002
from tests.training.masks.rows_for_masks import long_rows, rows_of

Stretch = list[int]
texts = st.lists(st.sampled_from([0, 0, 0, 0, 0, -1]), max_size=12)
rows = st.lists(st.lists(texts, min_size=1, max_size=2), min_size=1, max_size=6).map(rows_of)


def runs(read: CorpusRows) -> list[list[Stretch]]:
    """Return for each row the stretches of tokens of one text of which all may be hidden."""
    found: list[list[Stretch]] = []
    for start, end in pairwise(read.rows.starts.tolist()):
        of_row: list[Stretch] = [[]]
        for token in range(start, end):
            if read.begins_stretch[token] or not read.may_be_chosen[token]:
                of_row.append([])
            if read.may_be_chosen[token]:
                of_row[-1].append(token)
        found.append([run for run in of_row if run])
    return found


def by_daniellibin(read: CorpusRows, rate: float, stream: np.random.Generator) -> set[int]:
    begin, size = stream.random((2, len(read.tokens)))
    chosen: set[int] = set()
    for run in (run for of_row in runs(read) for run in of_row):
        place = 0
        while place < len(run):
            if begin[run[place]] < rate:
                n = 1 + (size[run[place]] >= 0.7) + (size[run[place]] >= 0.9)
                n = 2 if n == 3 and len(run) < 7 else n
                n = 1 if n == 2 and len(run) < 4 else n
                chosen.update(run[place : place + n])
                place += n
            place += 1
    return chosen


def by_rank18(read: CorpusRows, rate: float, stream: np.random.Generator) -> set[int]:
    turn, size = stream.random((2, len(read.tokens)))
    chosen: set[int] = set()
    for of_row in runs(read):
        places = [(run, place) for run in of_row for place in range(len(run))]
        budget = min(7, round(rate * len(places)))
        hidden: set[int] = set()
        for run, place in sorted(places, key=lambda one: turn[one[0][one[1]]]):
            n = 1 + (size[run[place]] >= 6 / 11) + (size[run[place]] >= 9 / 11)
            for token in run[place : place + n]:
                if len(hidden) < budget:
                    hidden.add(token)
        chosen |= hidden
    return chosen


def by_seed002(read: CorpusRows, rate: float, stream: np.random.Generator) -> set[int]:
    draws, goes_on = stream.random((2, len(read.tokens)))
    chosen: set[int] = set()
    for run in (run for of_row in runs(read) for run in of_row):
        for place, token in enumerate(run):
            if draws[token] < rate:
                chosen.add(token)
                chosen.update(run[place + 1 : place + 2] if goes_on[token] < 0.4 else [])
    return chosen


def by_seed000(read: CorpusRows, rate: float, stream: np.random.Generator) -> set[int]:
    hit = stream.random(len(read.tokens)) < rate
    chosen = set()
    for start, end in pairwise(read.rows.starts.tolist()):
        of_row = hit[start:end]
        odd = of_row ^ np.roll(of_row, 1) ^ np.roll(of_row, -1)
        chosen.update(token for token in range(start, end) if odd[token - start] and read.may_be_chosen[token])
    return chosen


RULES: list[tuple[Rule, Callable[[CorpusRows, float, np.random.Generator], set[int]]]] = [
    (daniellibin, by_daniellibin),
    (rank18, by_rank18),
    (seed002, by_seed002),
    (seed000, by_seed000),
]


@pytest.mark.parametrize(("rule", "written_down"), RULES, ids=lambda rule: rule.__name__)
@given(rows, st.floats(0.01, 1.0), st.integers(0, 2**32))
def test_a_rule_is_what_it_is_row_by_row(
    rule: Rule, written_down: Callable[..., set[int]], read: CorpusRows, rate: float, seed: int
) -> None:
    """Each run of tokens by itself: so no stretch goes over a text's end or a special token, and none is hidden."""
    chosen = rule(read, rate, np.random.default_rng(seed))
    assert set(np.flatnonzero(chosen).tolist()) == written_down(read, rate, np.random.default_rng(seed))


@given(rows, st.floats(0.0, 1.0), st.integers(0, 2**32))
def test_a_number_of_tokens_that_is_rounded_at_random(read: CorpusRows, rate: float, seed: int) -> None:
    chosen = rank18_of_any_rate(read, rate, np.random.default_rng(seed))
    assert not (chosen & ~read.may_be_chosen).any()
    for start, end in pairwise(read.rows.starts.tolist()):
        meant = rate * read.may_be_chosen[start:end].sum()
        assert abs(chosen[start:end].sum() - meant) < 1 + 1e-9


def share(rule: Rule, read: CorpusRows, rate: float = 0.15) -> float:
    chosen = rule(read, rate, np.random.default_rng(0))
    return float(chosen.sum() / read.may_be_chosen.sum())


@pytest.mark.slow  # 200,000 tokens for each
@pytest.mark.parametrize(
    ("rule", "lengths", "expected"),
    [
        (daniellibin, (5,), 0.160),
        (daniellibin, (60,), 0.173),
        (rank18, (20,), 0.150),
        (rank18, (9, 11), 0.150),
        (rank18, (200,), 7 / 200),
        (rank18, (2,), 0.0),
        (rank18_of_any_rate, (200,), 0.15),
        (rank18_of_any_rate, (2,), 0.15),
        (seed002, (60,), 0.200),
        (seed002, (1,), 0.150),
        (seed000, (60,), 0.328),
        (seed000, (1, 2), 0.328),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_shares_are_the_published_ones(rule: Rule, lengths: tuple[int, ...], expected: float) -> None:
    read = long_rows(200_000 // sum(lengths), *lengths)
    assert share(rule, read) == pytest.approx(expected, abs=0.004)


def stretches(rule: Rule, length: int) -> Counter[int]:
    """Count the stretches of hidden tokens in texts of a length, by how long they are."""
    read, counts = long_rows(200_000 // length, length), Counter[int]()
    chosen = rule(read, 0.15, np.random.default_rng(0))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    counts.update((edges[1::2] - edges[::2]).tolist())
    return counts


@pytest.mark.parametrize(("length", "shares"), [(3, (1.0,)), (6, (0.7, 0.3)), (40, (0.7, 0.2, 0.1))])
def test_daniellibin_keeps_long_stretches_from_short_texts(length: int, shares: tuple[float, ...]) -> None:
    """Never are two side by side, so each stretch is one that was drawn, but for those that a text's end cuts."""
    counts = stretches(daniellibin, length)
    assert set(counts) == set(range(1, len(shares) + 1))
    for n, expected in enumerate(shares, start=1):
        assert counts[n] / counts.total() == pytest.approx(expected, abs=0.06 if length == 6 else 0.02)


def test_seed002_hides_one_token_or_two() -> None:
    """Longer ones are two that met: after a hit, one in four texts' tokens goes on."""
    counts = stretches(seed002, 40)
    assert counts[1] > counts[2] > counts[3]
    assert counts[2] / counts.total() == pytest.approx(0.4, abs=0.06)
