"""Combinations drawn at random, none of them twice: for random designs, and for an optimiser that repeats itself."""

import math
from collections.abc import Iterator, Sequence

from gridsearch.randomness import numpy_stream
from gridsearch.space.factor import Factor, Level

MOST_SHUFFLED = 100_000
"""So many combinations are shuffled as a whole; of more, or of a range, one is drawn after the other."""
MOST_REPEATED = 1000
"""There is nothing new to draw after so many repeated ones."""


def count_combinations(factors: Sequence[Factor]) -> int | None:
    """Count all combinations of levels; None where a range has no end of them."""
    levels = [factor.every_level for factor in factors]
    counts = [len(several) for several in levels if several is not None]
    return math.prod(counts) if len(counts) == len(factors) else None


def draws(factors: Sequence[Factor], seed: int) -> Iterator[tuple[Level, ...]]:
    """Draw combinations without replacement, in a seeded random order: all there are, or no end of them with a range.

    Whoever draws more of them draws the same ones first.
    """
    count = count_combinations(factors)
    return _drawn(factors, seed) if count is None or count > MOST_SHUFFLED else _shuffled(factors, seed)


def _shuffled(factors: Sequence[Factor], seed: int) -> Iterator[tuple[Level, ...]]:
    import numpy as np

    levels = [factor.every_level or () for factor in factors]
    counts = [len(several) for several in levels]
    for place in numpy_stream(seed, "random cells").permutation(math.prod(counts)):
        chosen = np.unravel_index(place, counts)
        yield tuple(several[i] for several, i in zip(levels, chosen, strict=True))


def _drawn(factors: Sequence[Factor], seed: int) -> Iterator[tuple[Level, ...]]:
    stream = numpy_stream(seed, "random cells")
    seen: set[tuple[str, ...]] = set()
    n_repeated = 0
    while n_repeated < MOST_REPEATED:
        shares = stream.random(len(factors)).tolist()
        drawn = tuple(_level_at(factor, share) for factor, share in zip(factors, shares, strict=True))
        labels = tuple(level.label for level in drawn)
        n_repeated = n_repeated + 1 if labels in seen else 0
        if not n_repeated:
            seen.add(labels)
            yield drawn


def _level_at(factor: Factor, share: float) -> Level:
    if factor.range is not None:
        return factor.level_of(factor.range.at(share))
    return factor.levels[int(share * len(factor.levels))]
