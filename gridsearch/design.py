"""Designs: in which order trials run, so that an interrupted sweep is a fair sample of its space."""

from collections.abc import Sequence
from typing import TypeVar

from gridsearch.randomness import numpy_stream

Item = TypeVar("Item")


def balanced_order(items: Sequence[Item], levels: Sequence[Sequence[str]], seed: int) -> list[Item]:
    """Shuffle, then pick greedily so that after every step each level has been seen about equally often.

    ``levels`` gives the labels of each item, one per factor (seeds may be one of them). Among the items that keep the
    counts most even, the first of a seeded shuffle is taken. Quadratic in the number of items, in vectorised steps.
    """
    import numpy as np

    if not items:
        return []
    codes = np.column_stack([np.unique(column, return_inverse=True)[1] for column in zip(*levels, strict=True)])
    shuffled = numpy_stream(seed, "order of trials").permutation(len(items))
    codes = codes[shuffled]
    seen = [np.zeros(codes[:, factor].max() + 1) for factor in range(codes.shape[1])]
    left = np.arange(len(items))
    order = []
    while len(left):
        crowding = sum(seen[factor][codes[left, factor]] for factor in range(codes.shape[1]))
        position = int(np.argmin(crowding))
        chosen = left[position]
        order.append(items[int(shuffled[chosen])])
        for factor, count in enumerate(seen):
            count[codes[chosen, factor]] += 1
        left = np.delete(left, position)
    return order
