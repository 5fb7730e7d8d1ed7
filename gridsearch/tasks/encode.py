"""Tokenise a task once: flat arrays that any number of trials and workers can share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.tasks.task import Split, Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class EncodedSplit:
    """Rows of token ids, laid end to end: row i is ``ids[starts[i]:starts[i + 1]]``, special tokens included.

    ``types`` are the segment ids, or None where the tokenizer has none; ``labels`` is None for unlabelled rows.
    """

    ids: np.ndarray
    types: np.ndarray | None
    starts: np.ndarray
    labels: np.ndarray | None

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True)
class EncodedTask:
    """A task as one tokenizer sees it, cut to one longest length."""

    train: EncodedSplit
    dev: EncodedSplit
    test: EncodedSplit | None
    pad_id: int
    n_labels: int
    metric: str


def encode_task(task: Task, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> EncodedTask:
    """Tokenise every split; pairs are joined as the tokenizer does, the longer text cut first."""
    return EncodedTask(
        train=encode_split(task.train, tokenizer, max_length),
        dev=encode_split(task.dev, tokenizer, max_length),
        test=None if task.test is None else encode_split(task.test, tokenizer, max_length),
        pad_id=int(tokenizer.pad_token_id),
        n_labels=len(task.label_names),
        metric=task.metric,
    )


def encode_split(split: Split, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> EncodedSplit:
    """Tokenise one split."""
    encoded = tokenizer(
        list(split.texts),
        list(split.pairs) if split.pairs is not None else None,
        truncation="longest_first",
        max_length=max_length,
        return_attention_mask=False,
    )
    starts = np.concatenate([[0], np.cumsum([len(row) for row in encoded["input_ids"]])]).astype(np.int64)
    types = encoded.get("token_type_ids")
    return EncodedSplit(
        ids=_flat(encoded["input_ids"], np.int32),
        types=None if types is None else _flat(types, np.int8),
        starts=starts,
        labels=None if split.labels is None else np.asarray(split.labels, dtype=np.int64),
    )


def _flat(rows: Sequence[Sequence[int]], dtype: type) -> np.ndarray:
    return np.fromiter((token for row in rows for token in row), dtype=dtype)
