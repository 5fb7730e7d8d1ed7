"""Lenth's pseudo standard error, for a design that leaves nothing to estimate an error from.

With contrasts c_1 .. c_m on one scale, s0 = 1.5 median |c|, and PSE = 1.5 median {|c| : |c| < 2.5 s0}: the median over
contrasts that are small enough to be noise (Lenth 1989, Technometrics 31, 469-473). Lenth's own t approximation errs in
both directions (Ye & Hamada 2000, Journal of Quality Technology 32, 57-66), so critical values are simulated here.
"""

from functools import lru_cache

import numpy as np

from reports.statistics.results import ALPHA, Array

N_SIMULATED = 40_000
SEED = 20_000
MIN_CONTRASTS = 7
"""Below seven contrasts the median rests on too few of them: the smallest design in the published tables."""


def pseudo_standard_error(contrasts: Array) -> Array:
    """Return the PSE over the last axis, in the contrasts' own units.

    >>> float(pseudo_standard_error(np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 50.0])))
    1.5
    """
    sizes = np.abs(contrasts)
    first = 1.5 * np.median(sizes, axis=-1, keepdims=True)
    small = np.where(sizes <= 2.5 * first, sizes, np.nan)
    return np.asarray(1.5 * np.nanmedian(small, axis=-1))


@lru_cache(maxsize=32)
def _null(n_contrasts: int, n_tests: int) -> Array:
    """The largest |c| / PSE of ``n_tests`` among ``n_contrasts`` pure noise contrasts, sorted."""
    contrasts = _noise(n_contrasts)
    largest = np.abs(contrasts[:, :n_tests]).max(axis=1)
    return np.sort(largest / pseudo_standard_error(contrasts))


@lru_cache(maxsize=4)
def _noise(n_contrasts: int) -> Array:
    return np.random.default_rng([SEED, n_contrasts]).standard_normal((N_SIMULATED, n_contrasts))


def critical_value(n_contrasts: int, n_tests: int, alpha: float = ALPHA) -> float:
    """Return the value that the largest tested |c| / PSE exceeds with chance ``alpha`` when all is noise."""
    return float(np.quantile(_null(n_contrasts, n_tests), 1 - alpha))


def adjusted_p(statistics: Array, n_contrasts: int, n_tests: int) -> Array:
    """Return simulated family-wise p values, never below 1 / (number simulated + 1)."""
    null = _null(n_contrasts, n_tests)
    n_beyond = len(null) - np.searchsorted(null, np.abs(statistics), side="left")
    return np.asarray((n_beyond + 1) / (len(null) + 1))


@lru_cache(maxsize=256)
def power(effect: float, n_contrasts: int, n_tests: int) -> float:
    """Return the simulated chance that one true effect, in standard errors, is found when the rest is noise."""
    contrasts = _noise(n_contrasts).copy()
    contrasts[:, 0] += effect
    statistics = np.abs(contrasts[:, 0]) / pseudo_standard_error(contrasts)
    return float(np.mean(statistics > critical_value(n_contrasts, n_tests)))
