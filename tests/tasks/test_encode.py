from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.tasks.encode import EncodedSplit, encode_split, encode_task
from gridsearch.tasks.task import Split, Task


def rows_in(flat: np.ndarray, split: EncodedSplit) -> list[list[int]]:
    return [flat[split.starts[row] : split.starts[row + 1]].tolist() for row in range(len(split))]


def test_single_texts_are_what_the_tokenizer_says(task: Task, tokenizer: Any) -> None:
    split = encode_split(task.train, tokenizer, 24)
    assert rows_in(split.ids, split) == [
        tokenizer(text, truncation=True, max_length=24)["input_ids"] for text in task.train.texts
    ]
    assert split.labels is not None
    assert split.labels.tolist() == list(task.train.labels or ())
    assert len(split) == len(task.train)
    assert split.lengths.max() == 24


@pytest.mark.parametrize("max_length", [4, 10, 64])
def test_pairs_have_segments_and_the_longer_text_is_cut(tokenizer: Any, max_length: int) -> None:
    first = ("Return the integer indices that would sort the index.", "Map", "")
    second = ("Map", "Return the integer indices that would sort the index.", "Map")
    split = encode_split(Split(first, (0, 1, 0), second), tokenizer, max_length)
    assert split.types is not None
    for row, (one, other) in enumerate(zip(first, second, strict=True)):
        theirs = tokenizer(one, other, truncation="longest_first", max_length=max_length)
        assert rows_in(split.ids, split)[row] == theirs["input_ids"]
        assert rows_in(split.types, split)[row] == theirs["token_type_ids"]
    assert split.lengths.max() <= max_length


def test_the_second_text_is_segment_one(tokenizer: Any) -> None:
    split = encode_split(Split(("sort the index",), (0,), ("the map",)), tokenizer, 64)
    assert split.types is not None
    ids, types = rows_in(split.ids, split)[0], rows_in(split.types, split)[0]
    n_first = ids.index(tokenizer.sep_token_id) + 1
    assert types == [0] * n_first + [1] * (len(ids) - n_first)
    assert ids.count(tokenizer.sep_token_id) == 2
    assert types[-1] == 1


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.integers(4, 20))
def test_any_text_keeps_its_place_and_its_marks(tokenizer: Any, texts: list[str], max_length: int) -> None:
    split = encode_split(Split(tuple(texts), None), tokenizer, max_length)
    assert len(split) == len(texts)
    assert split.labels is None
    for row in rows_in(split.ids, split):
        assert 2 <= len(row) <= max_length
        assert (row[0], row[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_a_task_without_a_test(task: Task, tokenizer: Any) -> None:
    assert encode_task(replace(task, test=None), tokenizer, 24).test is None


def test_an_unlabelled_test_has_rows_and_no_labels(task: Task, tokenizer: Any) -> None:
    encoded = encode_task(replace(task, test=Split(("sort the index",), None)), tokenizer, 24)
    assert encoded.test is not None
    assert (len(encoded.test), encoded.test.labels) == (1, None)


def test_what_is_known_of_the_task_comes_along(task: Task, tokenizer: Any) -> None:
    encoded = encode_task(task, tokenizer, 24)
    assert (encoded.pad_id, encoded.n_labels, encoded.metric) == (tokenizer.pad_token_id, 3, "f1_macro")
