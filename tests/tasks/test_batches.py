from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.inputs import mask_of
from gridsearch.randomness import numpy_stream
from gridsearch.tasks.batches import (
    EVALUATION_ROWS,
    EVALUATION_TOKENS,
    WINDOW_BATCHES,
    collate,
    evaluation_batches,
    training_batches,
)
from gridsearch.tasks.encode import EncodedSplit, EncodedTask

lengths_of_rows = st.lists(st.integers(2, 60), min_size=1, max_size=300).map(np.array)
batch_sizes = st.integers(1, 40)


def n_padded(lengths: np.ndarray, batches: list[np.ndarray]) -> int:
    return sum(int(lengths[rows].max()) * len(rows) for rows in batches)


@given(lengths_of_rows, batch_sizes, st.integers(0, 3))
def test_an_epoch_has_every_row_once(lengths: np.ndarray, batch_size: int, seed: int) -> None:
    batches = training_batches(lengths, batch_size, numpy_stream(seed, "order"))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))


@given(lengths_of_rows, batch_sizes)
def test_batches_are_full_but_for_one(lengths: np.ndarray, batch_size: int) -> None:
    sizes = sorted(len(rows) for rows in training_batches(lengths, batch_size, numpy_stream(0, "order")))
    n_full, rest = divmod(len(lengths), batch_size)
    assert sizes == ([rest] if rest else []) + [batch_size] * n_full


@given(lengths_of_rows, batch_sizes)
def test_the_stream_decides_the_order(lengths: np.ndarray, batch_size: int) -> None:
    one, other = (training_batches(lengths, batch_size, numpy_stream(0, "order")) for _ in range(2))
    assert [rows.tolist() for rows in one] == [rows.tolist() for rows in other]


def test_another_seed_and_another_epoch_are_other_orders() -> None:
    lengths = np.random.default_rng(0).integers(5, 40, size=100)
    orders = [
        np.concatenate(training_batches(lengths, 8, numpy_stream(*key))).tolist()
        for key in ((0, "order", 1), (0, "order", 2), (1, "order", 1))
    ]
    assert len({tuple(order) for order in orders}) == 3


def test_the_same_rows_do_not_always_meet() -> None:
    lengths = np.full(64, 10)
    partners = {
        tuple(sorted(rows.tolist()))
        for epoch in range(3)
        for rows in training_batches(lengths, 8, numpy_stream(0, "order", epoch))
    }
    assert len(partners) > 20


def test_the_lengths_do_not_order_the_batches() -> None:
    lengths = np.arange(2, 402)
    means = [lengths[rows].mean() for rows in training_batches(lengths, 8, numpy_stream(0, "order"))]
    assert means not in (sorted(means), sorted(means, reverse=True))


def test_long_data_is_sorted_inside_windows_only() -> None:
    lengths = np.arange(2, 2 + 3 * WINDOW_BATCHES * 2)
    spans = [np.ptp(lengths[rows]) for rows in training_batches(lengths, 2, numpy_stream(0, "order"))]
    assert max(spans) > 1


@given(st.integers(0, 20))
def test_less_is_padded_than_in_random_order(seed: int) -> None:
    stream = np.random.default_rng(seed)
    lengths = stream.integers(4, 60, size=400)
    order = stream.permutation(400)
    random_batches = [order[start : start + 16] for start in range(0, 400, 16)]
    ours = training_batches(lengths, 16, numpy_stream(seed, "order"))
    assert n_padded(lengths, ours) < 0.8 * n_padded(lengths, random_batches)


@given(lengths_of_rows, batch_sizes)
def test_evaluation_has_every_row_once_shortest_first(lengths: np.ndarray, batch_size: int) -> None:
    rows = np.concatenate(evaluation_batches(lengths, batch_size))
    assert sorted(rows.tolist()) == list(range(len(lengths)))
    assert (np.diff(lengths[rows]) >= 0).all()


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=600).map(np.array),
    st.sampled_from([1, 2, 4, 100]),
    st.sampled_from([None, 512, 20_000]),
)
def test_a_batch_of_evaluation_is_bounded_in_rows_and_tokens(
    lengths: np.ndarray, divisor: int, width: int | None
) -> None:
    batches = evaluation_batches(lengths, divisor=divisor, width=width)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for rows in batches:
        n_tokens = len(rows) * (width or int(lengths[rows].max()))
        assert len(rows) <= -(-EVALUATION_ROWS // divisor)
        assert len(rows) == 1 or n_tokens <= EVALUATION_TOKENS / divisor
    for rows, after in pairwise(batches):
        one_more = (len(rows) + 1) * (width or int(lengths[after[0]]))
        assert len(rows) == -(-EVALUATION_ROWS // divisor) or one_more > EVALUATION_TOKENS // divisor, "none too small"


@given(st.lists(st.integers(1, 128), min_size=1, max_size=600).map(np.array))
def test_short_texts_are_evaluated_in_whole_batches(lengths: np.ndarray) -> None:
    assert [len(rows) for rows in evaluation_batches(lengths)][:-1] == [EVALUATION_ROWS] * ((len(lengths) - 1) // 128)


@pytest.mark.parametrize("rows", [[0], [3, 1, 2], [5, 5], list(range(20))])
def test_a_batch_is_padded_as_the_tokenizer_does(data: EncodedTask, tokenizer: Any, task: Any, rows: list[int]) -> None:
    texts = [task.train.texts[row] for row in rows]
    theirs = tokenizer(texts, truncation=True, max_length=24, padding=True, return_tensors="pt")
    ours = collate(data.train, np.array(rows), data.pad_id, torch.device("cpu"))
    assert ours.keys() == {name for name in theirs if name != "attention_mask" or not theirs[name].all()}
    for name, tensor in ours.items():
        assert tensor.dtype == torch.int64
        assert torch.equal(tensor, theirs[name]), name


rows_of_tokens = st.lists(st.lists(st.integers(1, 90), min_size=1, max_size=9), min_size=1, max_size=20)


@pytest.mark.slow  # many lengths, drawn at random
@given(rows_of_tokens, st.data())
def test_a_batch_holds_the_tokens_of_its_rows(texts: list[list[int]], choice: st.DataObject) -> None:
    """Against lists: every row padded by hand."""
    split = laid_end_to_end(texts)
    rows = choice.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1, max_size=12))
    width = max(len(texts[row]) for row in rows)
    inputs = collate(split, np.array(rows), pad_id=99, device=torch.device("cpu"))
    assert inputs["input_ids"].tolist() == [texts[row] + [99] * (width - len(texts[row])) for row in rows]
    assert ("attention_mask" in inputs) == (len({len(texts[row]) for row in rows}) > 1)
    assert mask_of(inputs).sum(1).tolist() == [len(texts[row]) for row in rows]
    assert split.ids[split.tokens_of(np.array(rows))].tolist() == [token for row in rows for token in texts[row]]
    part = split.take(np.array(rows))
    assert [part.ids[one:other].tolist() for one, other in pairwise(part.starts)] == [texts[row] for row in rows]


class CountedReads(np.ndarray):
    """Counts the numbers that are read from it."""

    n_read = 0

    def __getitem__(self, key: Any) -> Any:
        found = np.asarray(self)[key]
        CountedReads.n_read += found.size
        return found

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("all of it is read")


def test_a_batch_costs_what_it_holds() -> None:
    """An epoch would grow with the square of the rows if each batch looked at all of them."""
    split = laid_end_to_end([[1, 2, 3]] * 1000)
    counted = replace(split, starts=split.starts.view(CountedReads), ids=split.ids.view(CountedReads))
    CountedReads.n_read = 0
    collate(counted, np.arange(10), 0, torch.device("cpu"))
    assert 0 < CountedReads.n_read <= 100
    CountedReads.n_read = 0
    counted.take(np.arange(10))
    assert 0 < CountedReads.n_read <= 150


def laid_end_to_end(texts: list[list[int]]) -> EncodedSplit:
    ids = np.array([token for text in texts for token in text], dtype=np.int32)
    return EncodedSplit(ids, None, np.concatenate([[0], np.cumsum([len(text) for text in texts])]), None)


def test_padding_is_the_pad_token_and_no_segment() -> None:
    split = EncodedSplit(
        ids=np.array([7, 8, 9, 7], dtype=np.int32),
        types=np.array([1, 1, 1, 1], dtype=np.int8),
        starts=np.array([0, 3, 4]),
        labels=None,
    )
    inputs = collate(split, np.array([1, 0]), pad_id=99, device=torch.device("cpu"))
    assert inputs["input_ids"].tolist() == [[7, 99, 99], [7, 8, 9]]
    assert inputs["token_type_ids"].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert inputs["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]


def test_tokenizers_without_segments() -> None:
    split = EncodedSplit(ids=np.array([7, 8], dtype=np.int32), types=None, starts=np.array([0, 2]), labels=None)
    assert "token_type_ids" not in collate(split, np.array([0]), 0, torch.device("cpu"))


def test_a_fixed_width_and_marks() -> None:
    split = EncodedSplit(
        ids=np.array([7, 8, 9, 7], dtype=np.int32),
        types=None,
        starts=np.array([0, 3, 4]),
        labels=None,
        sides=np.array([0, 1, 2, 1], dtype=np.int8),
        shared=np.array([0, 1, 1, 1], dtype=np.int8),
    )
    inputs = collate(split, np.array([1, 0]), 0, torch.device("cpu"), width=5)
    assert inputs["sides"].tolist() == [[1, 0, 0, 0, 0], [0, 1, 2, 0, 0]]
    assert inputs["input_ids"].tolist() == [[7, 0, 0, 0, 0], [7, 8, 9, 0, 0]]
    assert inputs["attention_mask"].tolist() == [[1, 0, 0, 0, 0], [1, 1, 1, 0, 0]]
    assert inputs["cooccurrence"].tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]]
