"""Where the sizes of effects lie that are nothing but noise: their half-normal quantiles, and a band around them.

Effects that were found are no noise: the others are ranked among themselves, as Daniel 1959 and Zahn 1975
(Technometrics 17, 189-200 and 201-211) do when they judge the rest of a plot without its largest. A found one stands
where the largest of itself and all smaller ones is expected.

The band is pointwise. Of n independent sizes, the share of the distribution below the i-th smallest follows
Beta(i, n - i + 1) (David & Nagaraja 2003, Order Statistics, 2.1); where all are divided by one estimate of the standard
error, that adds an uncertainty that they have in common, and the band is that of both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import betainc, betaincinv, erf
from scipy.stats import norm
from scipy.stats import t as t_distribution

from reports.figures.figure import EffectPoint, EffectPoints, Scale
from reports.statistics.maximum import scale_nodes
from reports.statistics.results import Array

COVERED = 0.95
"""The chance that a point of noise lies in the band where it stands."""
MANY_DF = 1000.0
"""Above, an estimated standard error is as good as a known one."""
N_HALVINGS = 50


@dataclass(frozen=True)
class Place:
    """A point with its half-normal quantile, and the sizes between which noise would lie there."""

    point: EffectPoint
    quantile: float
    low: float
    high: float

    @property
    def is_within(self) -> bool:
        """Whether it is as large as noise may be at its rank."""
        return self.low <= abs(self.point.value) <= self.high


def placed(effects: EffectPoints) -> list[Place]:
    """Place all points: those not found first, then those found, each from the smallest up."""
    noise, found = (
        sorted((p for p in effects.points if p.found is wanted), key=lambda p: abs(p.value)) for wanted in (False, True)
    )
    ranks = range(1, len(effects.points) + 1)
    counts = [max(rank, len(noise)) for rank in ranks]
    lows, highs = noise_band(effects, ranks, counts)
    quantiles = [half_normal_quantile(rank, count) for rank, count in zip(ranks, counts, strict=True)]
    columns = zip([*noise, *found], quantiles, lows, highs, strict=True)
    return [Place(point, quantile, float(low), float(high)) for point, quantile, low, high in columns]


def half_normal_quantile(rank: int, count: int) -> float:
    """Return where the ``rank``-th smallest of so many absolute values of pure noise is expected.

    >>> [round(half_normal_quantile(rank, 3), 2) for rank in (1, 2, 3)]
    [0.21, 0.67, 1.38]
    """
    return NormalDist().inv_cdf(0.5 + 0.5 * (rank - 0.5) / count)


def noise_size(effects: EffectPoints, quantile: float) -> float:
    """Return the size that noise has at a half-normal quantile: the dashed line, straight but for few df of its own."""
    if effects.shares_error or effects.scale is Scale.SCORE or math.isinf(effects.df):
        return effects.noise * quantile
    return effects.noise * float(t_distribution.isf(norm.sf(quantile), effects.df))


def noise_band(effects: EffectPoints, ranks: Sequence[int], counts: Sequence[int]) -> tuple[Array, Array]:
    """Return between which sizes the ``ranks``-th smallest of ``counts`` noises lie, on the scale of the plot."""
    first, second = np.array(ranks, float), np.array(counts, float) - np.array(ranks, float) + 1
    low, high = (
        effects.noise * _on_scale(_quantiles(first, second, share, effects), effects)
        for share in ((1 - COVERED) / 2, (1 + COVERED) / 2)
    )
    return low, high


def _on_scale(ratios: Array, effects: EffectPoints) -> Array:
    """Turn |t| into the normal score of its p where that is what is plotted."""
    if effects.scale is Scale.SCORE and effects.df < MANY_DF:
        return np.asarray(norm.isf(t_distribution.sf(ratios, effects.df)))
    return ratios


def _quantiles(first: Array, second: Array, share: float, effects: EffectPoints) -> Array:
    """Return quantiles of order statistics of |effect / standard error|."""
    below = betaincinv(first, second, share)
    if effects.df >= MANY_DF:
        return np.asarray(norm.isf((1 - below) / 2))
    if not effects.shares_error:
        return np.asarray(t_distribution.isf((1 - below) / 2, effects.df))
    scales, weights = scale_nodes(effects.df)
    # With the smallest estimate of the error that can be, it would be as large as this.
    low, high = np.zeros(len(first)), norm.isf((1 - below) / 2) / scales.min()
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        chance = betainc(first[:, None], second[:, None], erf(middle[:, None] * scales / math.sqrt(2))) @ weights
        low, high = np.where(chance < share, middle, low), np.where(chance < share, high, middle)
    return np.asarray((low + high) / 2)
