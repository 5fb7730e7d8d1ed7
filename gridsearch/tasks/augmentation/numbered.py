"""Pairs by the numbers of their texts: texts that read alike have one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridsearch.tasks.reading import readings_of
from gridsearch.tasks.task import Split

EMPTY = 0
"""The number of texts that hold nothing to read."""


@dataclass(frozen=True)
class Numbered:
    """Several splits of pairs, each as (rows, 2) numbers, and the first wording of each number.

    Numbers are given in the order in which the texts occur, so that nothing depends on how a set is laid out.
    """

    splits: tuple[np.ndarray, ...]
    wordings: tuple[str, ...]

    def keys(self, pairs: np.ndarray) -> np.ndarray:
        """Return one number for each pair, the same in either order; they rise with the smaller number of the two."""
        low, high = pairs.min(axis=1), pairs.max(axis=1)
        keys: np.ndarray = low * len(self.wordings) + high
        return keys

    def pairs(self, keys: np.ndarray) -> np.ndarray:
        """Return the pairs (rows, 2) that have these keys, the smaller number first."""
        return np.stack(np.divmod(keys, len(self.wordings)), axis=1)


def numbered(splits: Sequence[Split]) -> Numbered:
    """Number the texts of some splits of pairs."""
    numbers, wordings, found = {"": EMPTY}, [""], []
    for split in splits:
        rows = []
        for (text, pair), *written in zip(readings_of(split), split.texts, split.pairs or (), strict=True):
            for read, wording in zip((text, pair or ""), written, strict=True):
                if read not in numbers:
                    numbers[read] = len(wordings)
                    wordings.append(wording)
            rows.append((numbers[text], numbers[pair or ""]))
        found.append(np.asarray(rows, dtype=np.int64).reshape(-1, 2))
    return Numbered(tuple(found), tuple(wordings))
