from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.encode import encode_split
from gridsearch.tasks.reading import in_any_order, readings_of
from gridsearch.tasks.splits import SAME_PAIRS, SAME_TEXTS, _quotas, judge_duplicates, sample_rows, share_out
from gridsearch.tasks.task import Split

letters = st.sampled_from(["a", "A", "á", "b", " b", "c", "C.", "d", "", "\u200b", "e", "f", "g", "h", "i", "j"])
pairs = st.lists(st.tuples(letters, letters, st.integers(0, 2)), min_size=4, max_size=40)


def split_of(*rows: tuple[str, int]) -> Split:
    return Split(tuple(text for text, _ in rows), tuple(label for _, label in rows))


def numbered(n_rows: int, n_labels: int = 2) -> Split:
    return split_of(*((f"text {row}", row % n_labels) for row in range(n_rows)))


def test_duplicates_are_counted() -> None:
    train = split_of(("a", 0), ("b", 1), ("a", 0), ("c", 0), ("c", 1))
    others = {"dev": split_of(("a", 0), ("x", 1)), "test": split_of(("b", 0), ("x", 1))}
    kept, notes = judge_duplicates(train, others, drop=False)
    assert kept == train
    assert notes == [
        "duplicates among 5 training rows: 2 also in dev, 1 also in test, 1 repeated; "
        "drop_duplicates = true under [files] leaves them out",
        "1 dev rows stand in test too; they are kept",
        "1 training texts carry two labels or more; their rows are kept",
        SAME_TEXTS,
    ]


def test_duplicates_are_left_out_of_train_alone() -> None:
    train = split_of(("a", 0), ("b", 1), ("a", 0), ("c", 0), ("c", 1), ("d", 0), ("d", 0))
    kept, notes = judge_duplicates(train, {"dev": split_of(("a", 1)), "test": split_of(("b", 0))}, drop=True)
    assert kept == split_of(("c", 0), ("c", 1), ("d", 0))
    assert notes[0] == ("4 of 7 training rows left out as duplicates (2 also in dev, 1 also in test, 2 repeated)")


def test_what_a_tokenizer_reads_alike_is_the_same() -> None:
    train = split_of(("A film.", 0), ("ａ  film .", 0), ("The end", 1), ("thé END\u200b", 0), ("x", 1), ("X", 0))
    kept, notes = judge_duplicates(train, {"dev": split_of(("the  end", 1)), "test": split_of(("THE END", 1))}, True)
    assert kept == split_of(("A film.", 0), ("x", 1), ("X", 0))
    assert notes == [
        "3 of 6 training rows left out as duplicates (2 also in dev, 2 also in test, 1 repeated)",
        "1 dev rows stand in test too; they are kept",
        "1 training texts carry two labels or more; their rows are kept",
        SAME_TEXTS,
    ]


def test_a_pair_is_the_same_in_both_orders() -> None:
    train = Split(("a", "b", "c", "D", "d"), (0, 1, 0, 1, 1), ("b", "A", "d", "c", "e"))
    others = {"dev": Split(("b",), (0,), ("a",)), "test": Split(("a",), None, ("b",))}
    kept, notes = judge_duplicates(train, others, drop=True)
    assert kept == Split(("c", "D", "d"), (0, 1, 1), ("d", "c", "e"))
    assert notes == [
        "2 of 5 training rows left out as duplicates (2 also in dev, 2 also in test)",
        "1 dev rows stand in test too; they are kept",
        SAME_PAIRS,
    ]


def test_a_swapped_pair_is_repeated_and_contradicts_nothing() -> None:
    train = Split(("a", "b", "b", "A"), (0, 0, 1, 1), ("b", "a", "a", "B"))
    assert judge_duplicates(train, {}, drop=True) == (
        Split(("a", "b"), (0, 1), ("b", "a")),
        ["2 of 4 training rows left out as duplicates (2 repeated)", SAME_PAIRS],
    )
    assert judge_duplicates(train, {}, drop=False)[1][1] == (
        "2 training texts carry two labels or more; their rows are kept"
    )


def test_no_duplicates_no_notes() -> None:
    assert judge_duplicates(numbered(6), {"dev": split_of(("x", 0))}, drop=True) == (numbered(6), [])


def test_a_share_is_stratified_seeded_and_in_order() -> None:
    rows = split_of(*((f"text {row}", int(row % 10 == 0)) for row in range(200)))
    train, dev = share_out(rows, 0.1, seed=0)
    assert Counter(dev.labels) == {0: 18, 1: 2}
    assert len(train) == 180
    assert [int(text.split()[1]) for text in dev.texts] == sorted(int(text.split()[1]) for text in dev.texts)
    assert share_out(rows, 0.1, seed=0)[1] == dev
    assert share_out(rows, 0.1, seed=1)[1] != dev


def test_a_share_is_always_the_same() -> None:
    assert share_out(numbered(20), 0.2, seed=0)[1].texts == ("text 4", "text 13", "text 16", "text 17")


@given(pairs, st.sampled_from([0.1, 0.3, 0.5]))
def test_no_text_is_trained_and_judged_on(rows: list[tuple[str, str, int]], share: float) -> None:
    texts, others, labels = zip(*rows, strict=True)
    whole = Split(texts, labels, others)
    try:
        train, dev = share_out(whole, share, seed=0)
    except RequestError:
        return
    (trained, judged) = ({text for row in readings_of(split) for text in row} for split in (train, dev))
    assert not trained & judged - {""}
    assert not set(map(in_any_order, readings_of(train))) & set(map(in_any_order, readings_of(dev)))
    assert sorted(train.texts + dev.texts) == sorted(texts)
    assert sorted((train.pairs or ()) + (dev.pairs or ())) == sorted(others)
    assert set(train.labels or ()) == set(labels)


@given(st.lists(st.tuples(st.text("aA .\u200bé!", max_size=4), st.integers(0, 1)), min_size=6, max_size=60))
def test_no_row_of_tokens_is_trained_and_judged_on(tokenizer: Any, rows: list[tuple[str, int]]) -> None:
    try:
        train, dev = share_out(split_of(*rows), 0.3, seed=0)
    except RequestError:
        return
    encoded = (encode_split(split, tokenizer, 24) for split in (train, dev))
    trained, judged = ({ids.tobytes() for ids in np.split(split.ids, split.starts[1:-1])} for split in encoded)
    assert not trained & judged


def test_an_empty_text_does_not_tie_rows_together() -> None:
    train, dev = share_out(Split(("",) * 10, (0, 1) * 5, tuple("abcdefghij")), 0.2, seed=0)
    assert (len(train), len(dev)) == (8, 2)


def test_rows_without_any_text_are_the_same_row() -> None:
    with pytest.raises(RequestError, match="none of the 10 can be"):
        share_out(Split(("", "\u200b") * 5, (0, 1) * 5, ("",) * 10), 0.2, seed=0)


def test_nothing_to_split_off() -> None:
    with pytest.raises(RequestError, match=r"dev = 0.5 must split off a row, but none of the 3 can be"):
        share_out(split_of(("a", 0), ("a", 0), ("b", 1)), 0.5, seed=0)


@given(st.lists(st.integers(0, 3), min_size=5, max_size=60), st.integers(4, 60))
def test_a_sample_keeps_the_shares_of_the_labels(labels: list[int], n_rows: int) -> None:
    rows = split_of(*((f"{row:02}", label) for row, label in enumerate(labels)))
    sample = sample_rows(rows, n_rows, seed=0)
    assert len(sample) == min(n_rows, len(rows))
    assert list(sample.texts) == sorted(sample.texts)
    assert set(sample.labels or ()) == set(labels)
    for label, count in Counter(labels).items():
        wanted = count * len(sample) / len(labels)
        assert abs((sample.labels or ()).count(label) - wanted) < max(1, len(set(labels)))


def test_a_sample_is_seeded_and_a_larger_one_holds_it() -> None:
    small, large = sample_rows(numbered(100), 10, seed=0), sample_rows(numbered(100), 50, seed=0)
    assert set(small.texts) < set(large.texts)
    assert sample_rows(numbered(100), 10, seed=0) == small
    assert sample_rows(numbered(100), 10, seed=1) != small


def test_a_sample_needs_a_row_for_each_label() -> None:
    with pytest.raises(RequestError, match="train_rows must be at least the number of labels, 3; it is 2"):
        sample_rows(numbered(30, n_labels=3), 2, seed=0)


def quotas_one_by_one(counts: dict[int, int], n_rows: int) -> dict[int, int]:
    """The rule itself: as long as rows are missing, the label that lacks most gets one; too many are given back so."""
    exact = {label: count * n_rows / sum(counts.values()) for label, count in counts.items()}
    quotas = {label: max(1, int(value)) for label, value in exact.items()}
    while (missing := n_rows - sum(quotas.values())) != 0:
        step = 1 if missing > 0 else -1
        free = [label for label in quotas if (quotas[label] < counts[label] if missing > 0 else quotas[label] > 1)]
        quotas[max(free, key=lambda label: (step * (exact[label] - quotas[label]), -label))] += step
    return quotas


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.data())
def test_rows_are_shared_out_by_largest_remainders(counts: list[int], choice: st.DataObject) -> None:
    held = dict(enumerate(counts))
    n_rows = choice.draw(st.integers(len(held), sum(counts)))
    assert _quotas(held, n_rows) == quotas_one_by_one(held, n_rows)
