"""How long texts are in an encoder's tokens, uncut, and how many of these tokens it does not know."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.tasks.encode import tokenised
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.task import Split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedTokenizerBase

ROWS_AT_ONCE = 1_000
"""Rows that one call of the tokenizer gets: uncut, a single one may be a whole book."""
UNCUT = 10**9
"""More tokens than any text has."""


@dataclass(frozen=True)
class Lengths:
    """The rows of a split. ``counts``: how many have how many tokens, special ones included.

    ``n_tokens`` are those of all texts, special ones left out, and ``n_unknown`` of them the unknown token.
    """

    counts: Mapping[int, int]
    n_tokens: int
    n_unknown: int

    @cached_property
    def n_rows(self) -> int:
        """How many rows there are."""
        return sum(self.counts.values())

    @property
    def longest(self) -> int:
        """Tokens of the longest row; 0 without any."""
        return max(self.counts, default=0)

    def n_cut(self, max_length: int) -> int:
        """Count the rows that are longer."""
        return sum(count for length, count in self.counts.items() if length > max_length)

    def percentile(self, percent: int) -> int:
        """Return the fewest tokens within which that many percent of the rows, or more, are whole.

        >>> Lengths({4: 18, 6: 1, 9: 1}, 60, 0).percentile(95)
        6
        """
        n_whole = 0
        for length, count in sorted(self.counts.items()):
            n_whole += count
            if 100 * n_whole >= percent * self.n_rows:
                return length
        return 0


@dataclass(frozen=True)
class TaskLengths:
    """The lengths of a task's splits (train, dev, test), part by part; ``unknown`` spells the unknown token."""

    parts: Mapping[str, Mapping[str, Lengths]]
    unknown: str

    @property
    def longest(self) -> int:
        """Tokens of the longest row of all."""
        return max(split.longest for splits in self.parts.values() for split in splits.values())

    def percentile(self, percent: int) -> int:
        """Return the tokens within which so many percent of the training rows are whole, in each of the parts."""
        return max(splits["train"].percentile(percent) for splits in self.parts.values())


def count_lengths(task: AnyTask, tokenizer: "PreTrainedTokenizerBase") -> TaskLengths:
    """Tokenise every text once, and keep what is counted."""
    parts = {}
    for name, part in task.parts.items():
        splits = {"train": part.train, "dev": part.dev, **({"test": part.test} if part.test is not None else {})}
        parts[name] = {split: _counted(rows, tokenizer) for split, rows in splits.items()}
    return TaskLengths(parts, str(tokenizer.unk_token or ""))


def _counted(split: Split, tokenizer: "PreTrainedTokenizerBase") -> Lengths:
    counts: Counter[int] = Counter()
    n_unknown = 0
    for lengths, n_of_them_unknown in _tokens(split, tokenizer):
        counts.update(lengths)
        n_unknown += n_of_them_unknown
    n_special = len(split) * tokenizer.num_special_tokens_to_add(pair=split.pairs is not None)
    n_tokens = sum(length * count for length, count in counts.items()) - n_special
    return Lengths(dict(sorted(counts.items())), n_tokens, n_unknown)


def _tokens(split: Split, tokenizer: "PreTrainedTokenizerBase") -> "Iterator[tuple[list[int], int]]":
    """Yield the lengths of some rows, and how many of their tokens are unknown, until there are no more."""
    unknown, backend = tokenizer.unk_token_id, getattr(tokenizer, "backend_tokenizer", None)
    for start in range(0, len(split), ROWS_AT_ONCE):
        rows = split.take(range(start, min(start + ROWS_AT_ONCE, len(split))))
        if backend is None:
            flat, starts = tokenised(rows, tokenizer, UNCUT)
            yield np.diff(starts).tolist(), int((flat["input_ids"] == unknown).sum())
            continue
        # What transformers makes of the answer takes twice as long as the answer.
        backend.no_truncation()
        backend.no_padding()
        texts = list(rows.texts) if rows.pairs is None else list(zip(rows.texts, rows.pairs, strict=True))
        encoded = backend.encode_batch_fast(texts)
        yield [len(one) for one in encoded], sum(one.ids.count(unknown) for one in encoded)
