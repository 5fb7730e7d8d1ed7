"""Several values in short."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1) of n values; None where there are too few."""

    mean: float | None
    sd: float | None
    n: int


def spread(values: Iterable[float | None]) -> Spread:
    """Summarise the values that are there.

    >>> spread([1.0, None, 3.0])
    Spread(mean=2.0, sd=1.4142135623730951, n=2)
    """
    known = [value for value in values if value is not None]
    return Spread(
        statistics.fmean(known) if known else None, statistics.stdev(known) if len(known) > 1 else None, len(known)
    )
