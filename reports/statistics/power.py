"""The chance of finding an effect, and the smallest one that is found with a given chance. In standard errors.

For runs whose noise is independent. That it might not be is what an analysis allows for, and it costs power: as if the
error rested on fewer degrees of freedom. How many was measured: docs/decisions/0022.
"""

from functools import lru_cache

from scipy.optimize import brentq

from reports.statistics import maximum
from reports.statistics.results import POWER, ErrorKind, ErrorTerm

LARGEST_RATIO = 1e4
LOST, LOST_SPARSE = 3.0, 4.0
"""What learning how alike runs are costs, as a divisor of degrees of freedom; the latter where no run is repeated."""


def power_df(error: ErrorTerm) -> float:
    """Return the degrees of freedom of an error of which nothing had to be learned, that finds effects as often."""
    if not error.learns_likeness:
        return error.df
    return max(1.0, error.df / (LOST_SPARSE if error.kind is ErrorKind.SPARSE else LOST))


def chance_to_find(ratio: float, error: ErrorTerm, n_contrasts: int) -> float:
    """Return the power for a true effect of ``ratio`` standard errors, one of so many contrasts."""
    df = power_df(error)
    return maximum.power(ratio, maximum.critical_value(n_contrasts, df), df)


@lru_cache(maxsize=1024)
def least_to_find(error: ErrorTerm, n_contrasts: int, wanted: float = POWER) -> float:
    """Return the smallest true effect, in standard errors, that is found with the wanted chance."""

    def excess(ratio: float) -> float:
        return chance_to_find(ratio, error, n_contrasts) - wanted

    upper = 4.0
    while excess(upper) < 0 and upper < LARGEST_RATIO:
        upper *= 2
    return float(brentq(excess, 0.0, upper, xtol=1e-9))
