"""How well a share is known: of rows that are right, of runs that did something."""

import math

from scipy.stats import norm

from reports.statistics.results import ALPHA


def share_interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of ``n``; it is no point at 0 and 1, where the usual standard error is 0.

    The share may be a mean of several, each of the same n. Source: Wilson 1927, Journal of the American Statistical
    Association 22, 209-212.

    >>> [round(end, 4) for end in share_interval(1.0, 100)]
    [0.963, 1.0]
    """
    z = float(norm.ppf(1 - ALPHA / 2))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)
