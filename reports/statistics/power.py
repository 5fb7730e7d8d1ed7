"""The chance of finding an effect, and the smallest one that is found with a given chance. In standard errors."""

from functools import lru_cache

from scipy.optimize import brentq
from scipy.special import ncfdtr
from scipy.stats import f as f_distribution

from reports.statistics import lenth, maximum
from reports.statistics.results import ALPHA, POWER

LARGEST_RATIO = 1e4


def chance_to_find(
    ratio: float, term_df: int, error_df: float, n_tests: int, critical: float | None, n_contrasts: int
) -> float:
    """Return the power for a true effect of ``ratio`` standard errors.

    Against a critical value of |t|, by Lenth's method where ``n_contrasts`` is not 0. Without one, that of F at level
    alpha / n_tests (Holm's first step), for a difference between two levels with the others halfway between.
    """
    if critical is None:
        threshold = float(f_distribution.isf(ALPHA / n_tests, term_df, error_df))
        return 1 - float(ncfdtr(term_df, error_df, ratio**2, threshold))
    if n_contrasts:
        return lenth.power(ratio, n_contrasts, n_tests)
    return maximum.power(ratio, critical, error_df)


@lru_cache(maxsize=1024)
def least_to_find(
    term_df: int, error_df: float, n_tests: int, critical: float | None, n_contrasts: int, wanted: float = POWER
) -> float:
    """Return the smallest true effect, in standard errors, that is found with the wanted chance."""

    def excess(ratio: float) -> float:
        return chance_to_find(ratio, term_df, error_df, n_tests, critical, n_contrasts) - wanted

    upper = 4.0
    while excess(upper) < 0 and upper < LARGEST_RATIO:
        upper *= 2
    # A simulated power moves in steps of 1 in 40,000: digits beyond that are not there.
    return float(brentq(excess, 0.0, upper, xtol=1e-4 if n_contrasts else 1e-9))
