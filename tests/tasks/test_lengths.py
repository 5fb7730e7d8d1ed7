from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.tasks.encode import encode_task
from gridsearch.tasks.lengths import UNCUT, Lengths, count_lengths
from gridsearch.tasks.task import Split, Task
from tests.liveness_cases import pairs_of
from tests.training.parts.joint import joint_of


class WithoutBackend:
    """A tokenizer as some families have it, written in Python."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        if name == "backend_tokenizer":
            raise AttributeError(name)
        return getattr(self.tokenizer, name)

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        return self.tokenizer(*arguments, **settings)


@pytest.mark.parametrize("kind", ["single", "pair"])
@pytest.mark.parametrize("family", ["bert", "roberta"])
@pytest.mark.parametrize("wrapped", [lambda tokenizer: tokenizer, WithoutBackend])
def test_counts_are_those_of_the_rows_uncut(
    task: Task, family_folders: dict[str, Path], family: str, kind: str, wrapped: Any
) -> None:
    read = task if kind == "single" else pairs_of(task)
    tokenizer = build_tokenizer(tokenizer_files(family_folders[family]))
    encoded, counted = encode_task(read, tokenizer, UNCUT), count_lengths(read, wrapped(tokenizer))
    for name, split in encoded.splits.items():
        found = counted.parts["task"][name]
        lengths, counts = np.unique(split.lengths, return_counts=True)
        assert found.counts == dict(zip(lengths.tolist(), counts.tolist(), strict=True))
        assert found.n_unknown == (split.ids == tokenizer.unk_token_id).sum()
        assert found.n_tokens == (~np.isin(split.ids, [tokenizer.cls_token_id, tokenizer.sep_token_id])).sum()
    assert counted.longest == max(split.lengths.max() for split in encoded.splits.values())
    assert counted.unknown == tokenizer.unk_token


def test_words_that_a_vocabulary_lacks_are_unknown(tokenizer: Any) -> None:
    rows = Split(("the 汉 map", "字 字"), (0, 1))
    counted = count_lengths(Task("t", "single", "accuracy", ("no", "yes"), rows, rows), tokenizer)
    train = counted.parts["task"]["train"]
    assert (train.n_rows, train.n_tokens, train.n_unknown) == (2, 5, 3)


def test_percentiles_are_the_fewest_tokens_that_hold_as_many_rows() -> None:
    lengths = Lengths({10: 80, 20: 15, 30: 4, 700: 1}, 0, 0)
    assert [lengths.percentile(percent) for percent in (1, 80, 81, 95, 96, 99, 100)] == [10, 10, 20, 20, 30, 30, 700]
    for percent in range(1, 101):
        assert lengths.n_cut(lengths.percentile(percent)) <= 100 - percent
    assert (lengths.longest, lengths.n_cut(29)) == (700, 5)


def test_of_several_parts_as_many_rows_of_each_are_whole(tokenizer: Any) -> None:
    short, long = Split(("the map",) * 99, (0,) * 99), Split(("the map " * 20,), (1,))
    tasks = {
        name: Task(name, "single", "accuracy", ("no", "yes"), rows, rows)
        for name, rows in (("short", short), ("long", long))
    }
    counted = count_lengths(joint_of(tasks), tokenizer)
    assert counted.parts["short"]["train"].percentile(95) == 4
    assert counted.percentile(95) == counted.longest == 42
