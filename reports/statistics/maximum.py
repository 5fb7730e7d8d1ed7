"""The largest of several t statistics that share one estimate of error: the studentized maximum modulus.

For k independent contrasts with a common standard deviation on ``df`` degrees of freedom, with s = sqrt(chi2_df / df),

    P(max |t_i| <= c) = E_s [ (2 Phi(c s) - 1)^k ]

computed by Gauss-Legendre quadrature over s. Exact for orthogonal contrasts; for correlated ones the critical value is
too large rather than too small (Sidak 1967). Source: Stoline & Ury 1979, Technometrics 21, 87-93.
"""

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi2

from reports.statistics.results import ALPHA, Array

N_NODES = 200
TAIL = 1e-12
LARGEST = 1e6
EPSILON = 2.0**-52


@lru_cache(maxsize=256)
def scale_nodes(df: float) -> tuple[Array, Array]:
    """Return nodes and weights (they sum to 1) for an expectation over s = sqrt(chi2_df / df)."""
    # The nodes are uniform in the log of s: with one or two degrees of freedom its mass reaches far down.
    low, high = 0.5 * np.log(chi2.isf([1 - TAIL, TAIL], df) / df)
    points, weights = np.polynomial.legendre.leggauss(N_NODES)
    logs = low + (high - low) * (points + 1) / 2
    squares = np.exp(2 * logs) * df
    density = chi2.pdf(squares, df) * 2 * squares * weights
    return np.exp(logs), density / density.sum()


def adjusted_p(statistics: Array, n_tests: int, df: float) -> Array:
    """Return P(max of ``n_tests`` |t| >= each statistic): family-wise adjusted p values, single step."""
    scales, weights = scale_nodes(df)
    beyond = 2 * ndtr(-np.abs(np.asarray(statistics, float))[..., None] * scales)
    return np.asarray(np.clip(any_of(beyond, n_tests) @ weights, 0.0, 1.0))


def any_of(p: Array, n_tests: int) -> Array:
    """Return the chance that any of so many independent tests is as sure as ``p``: 1 - (1 - p)^n."""
    # Without losing what is left of a small p.
    return np.asarray(-np.expm1(n_tests * np.log1p(-np.minimum(p, 1 - EPSILON))))


@lru_cache(maxsize=1024)
def critical_value(n_tests: int, df: float, alpha: float = ALPHA) -> float:
    """Return the value that the largest of ``n_tests`` |t| exceeds with chance ``alpha``.

    >>> round(critical_value(1, 10), 3)
    2.228
    >>> round(critical_value(5, 10), 2)
    3.1
    """

    def excess(value: float) -> float:
        return float(adjusted_p(np.array(value), n_tests, df)) - alpha

    return float(brentq(excess, 0.0, LARGEST, xtol=1e-9, rtol=1e-12))


def power(effect: float, critical: float, df: float) -> float:
    """Return the chance that |t| exceeds ``critical``; ``effect`` is the true one in standard errors."""
    scales, weights = scale_nodes(df)
    beyond = ndtr(effect - critical * scales) + ndtr(-effect - critical * scales)
    return float(np.clip(beyond @ weights, 0.0, 1.0))
