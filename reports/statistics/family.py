"""One family of simultaneous statements: how sure each is, when so many are made from one account of the noise.

Given the noise, P(max over k statements of |t| >= c) is that of the studentized maximum modulus (maximum.py); where
there are several accounts of the noise, it is averaged over them, so that what is not known of the noise widens every
interval.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize.elementwise import find_root

from reports.statistics import maximum
from reports.statistics.results import ALPHA, Array

LARGEST = 60.0
N_POINTS = 3000
SMALLEST = 1e-300


@dataclass(frozen=True)
class Statement:
    """An estimate with its standard error, its simultaneous 95 % interval, and p alone and among all statements."""

    estimate: float
    standard_error: float
    interval: tuple[float, float]
    p: float
    adjusted_p: float

    @property
    def statistic(self) -> float:
        """The estimate in standard errors."""
        return self.estimate / self.standard_error if self.standard_error else 0.0

    @property
    def found(self) -> bool:
        """Whether it is told from zero."""
        return self.adjusted_p <= ALPHA


@dataclass(frozen=True)
class Family:
    """``size`` statements, on errors of ``df`` degrees of freedom.

    ``level`` is the error rate that is aimed at. Below ALPHA it makes up for what is found of the noise in the very
    runs that are judged by it; adjusted p values are scaled alike, so that 0.05 is the limit everywhere.
    """

    size: int
    df: float
    level: float = ALPHA

    def state(self, estimates: Array, errors: Array, share: int = 1) -> list[Statement]:
        """Make statements; ``errors`` has shape (accounts, statements).

        Those that are made only because one of the family was found divide what that one had: ``share`` is in how many
        parts (a gatekeeping procedure: Bretz, Maurer, Brannath & Posch 2009, Statistics in Medicine 28, 586-604).
        """
        tail, alone = _tail(self.size * share, self.df), _tail(1, self.df)
        sizes = np.abs(estimates)
        adjusted = np.minimum(1.0, tail.chance(sizes, errors) * (ALPHA / self.level))
        single = alone.chance(sizes, errors)
        halves = tail.half_widths(errors, self.level)
        mean_errors = np.sqrt((errors**2).mean(axis=0))
        return [
            Statement(float(one), float(error), (float(one - half), float(one + half)), float(p), float(among))
            for one, error, half, p, among in zip(estimates, mean_errors, halves, single, adjusted, strict=True)
        ]


class _Tail:
    """P(max |t| >= x), read off a curve."""

    def __init__(self, n_statements: int, df: float) -> None:
        # Closer together where most critical values are.
        self.points = LARGEST * np.linspace(0.0, 1.0, N_POINTS) ** 2
        self.logs = np.log(np.maximum(maximum.adjusted_p(self.points, n_statements, df), SMALLEST))

    def chance(self, sizes: Array, errors: Array) -> Array:
        """Return the chance of so large an estimate, averaged over the accounts of the noise."""
        ratios = np.divide(sizes, errors, out=np.full(errors.shape, np.inf), where=errors > 0)
        ratios = np.where(sizes > 0, ratios, 0.0)
        logs = np.interp(ratios, self.points, self.logs)
        return np.asarray(np.exp(logs).mean(axis=0))

    def half_widths(self, errors: Array, level: float) -> Array:
        """Return the sizes whose chance is ``level``; where even the largest ratio has a higher one, that size."""

        def excess(sizes: Array, statements: Array) -> Array:
            return np.log(self.chance(sizes, errors[:, statements.astype(int)])) - math.log(level)

        largest = LARGEST * errors.max(axis=0)
        found = find_root(excess, (np.zeros_like(largest), largest), args=(np.arange(len(largest)),))
        return np.asarray(np.where(found.success, found.x, largest))


@lru_cache(maxsize=64)
def _tail(n_statements: int, df: float) -> _Tail:
    return _Tail(n_statements, df)
