"""A difference between two recipes that were run with several seeds and judged on several items: rows, or cells.

Seeds and items are crossed, and both are samples (Bouthillier et al. 2021, Accounting for Variance in Machine Learning
Benchmarks, MLSys). A bootstrap that draws both has no percentiles for a handful of seeds: with two, three and five its
95 % intervals cover 65, 80 and 86 % where seeds vary more than rows do. So each source has an interval of its own, that
of seeds by Student's t, and the squares of their half-widths add up (Zou & Donner 2008, Statistics in Medicine 27,
1693-1702): that covers 94 to 99 %.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics.results import ALPHA, Array

FEWEST_FOR_QUARTILES = 5
"""With fewer runs an interquartile mean leaves out none of them, or all but a few."""


@dataclass(frozen=True)
class Crossed:
    """A 95 % interval for other items and other seeds; its parts are standard errors, by where they come from."""

    interval: tuple[float, float]
    items_error: float
    seeds_error: float


@dataclass(frozen=True)
class Source:
    """The variance of a difference that comes from one sample, and its degrees of freedom."""

    variance: float
    df: float

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval if there were no other source."""
        from scipy import stats

        return float(stats.t.ppf(1 - ALPHA / 2, self.df)) * math.sqrt(self.variance)


def parts(first: tuple[Sequence[Hashable], Array], second: tuple[Sequence[Hashable], Array]) -> list[Array]:
    """Split a difference of means over seeds into what is drawn together: each part has what each of its seeds adds.

    Both are the seeds of a recipe and their results, shape (seeds, ...). Seeds that both have are pairs, the others are
    drawn within their recipe; where that would leave a single seed to be drawn from, nothing is paired. Of a recipe
    whose seeds are not to be drawn there are none.

    >>> mine, other = np.array([4.0, 2.0, 6.0]), np.array([1.0, 3.0])
    >>> [part.tolist() for part in parts(([0, 1], mine[:2]), ([1, 0], other))]
    [[0.5, 0.5]]
    >>> [part.round(2).tolist() for part in parts(([0, 1, 2], mine), ([1, 0], other))]
    [[1.33, 0.67, 2.0], [-0.5, -1.5]]
    """
    (seeds, mine), (others, theirs) = first, second
    mine, theirs = mine / max(len(mine), 1), theirs / max(len(theirs), 1)
    both = [seed for seed in seeds if seed in others]
    pairs = mine[[seeds.index(seed) for seed in both]] - theirs[[others.index(seed) for seed in both]]
    alone = mine[[seed not in both for seed in seeds]], -theirs[[seed not in both for seed in others]]
    found = [part for part in (pairs, *alone) if len(part)]
    return found if all(len(part) > 1 for part in found) else [mine, -theirs]


def crossed(
    difference: float,
    observed: Sequence[Array],
    drawn: Sequence[Array],
    *,
    items: Source,
    variance_of: Callable[[Array], Array],
) -> Crossed:
    """Put the interval of a difference together.

    ``observed`` are its parts by seed on all items, two seeds each or more; ``drawn`` the same, shape (seeds, draws),
    on so many resamples of the items, or on each single item. ``variance_of`` makes of those (its last axis) the
    variance that the items give to a result on all of them; ``items`` is what they give to the difference. What a run
    does by itself on an item is noise of both, and counted once.
    """
    seeds = [Source(len(part) * float(np.var(part, ddof=1)), len(part) - 1) for part in observed]
    shared = sum(len(part) / (len(part) - 1) * float(variance_of(part - part.mean(axis=0)).sum()) for part in drawn)
    alone, least = Source(max(items.variance - shared, 0.0), items.df), Source(shared, items.df)
    by_seeds = max(sum(one.half_width**2 for one in seeds), least.half_width**2)
    half = math.sqrt(alone.half_width**2 + by_seeds)
    return Crossed(
        (difference - half, difference + half),
        math.sqrt(items.variance),
        math.sqrt(sum(one.variance for one in seeds)),
    )


def interquartile_difference(first: Array, second: Array) -> float | None:
    """Subtract means without the lowest and the highest quarter of the runs; None where one side has too few.

    Source: Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS.
    """
    from scipy import stats

    if min(len(first), len(second)) < FEWEST_FOR_QUARTILES:
        return None
    return float(stats.trim_mean(first, 0.25) - stats.trim_mean(second, 0.25))
