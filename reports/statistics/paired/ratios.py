"""Whether ratios of pairs, such as of times, are told from 1."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as t_distribution

from reports.statistics.results import Array


def p_of_ratios(families: Sequence[Sequence[float]]) -> list[float | None]:
    """Test for each of several lists of positive ratios whether they are 1 on (geometric) average, adjusted.

    A t test of the logarithms: a few pairs that something else slowed down make it blind rather than wrong. For the
    number of tests the smallest p is taken times n, the next n - 1, ... (Holm 1979, Scand. J. Stat. 6). None for a list
    of fewer than two, which says nothing of chance.

    >>> p_of_ratios([[2.0], [2.0, 2.0], [0.5, 2.0]])
    [None, 0.0, 1.0]
    """
    tested = [place for place, ratios in enumerate(families) if len(ratios) > 1]
    p = {place: _p(np.log(families[place])) for place in tested}
    found, least = dict[int, float](), 0.0
    for n_smaller, place in enumerate(sorted(tested, key=p.__getitem__)):
        least = max(least, min(1.0, p[place] * (len(tested) - n_smaller)))
        found[place] = least
    return [found.get(place) for place in range(len(families))]


def _p(logs: Array) -> float:
    mean, error = float(logs.mean()), float(logs.std(ddof=1)) / math.sqrt(len(logs))
    if error == 0:
        return float(mean == 0)
    return float(2 * t_distribution.sf(abs(mean) / error, len(logs) - 1))
