"""Shares of a number of steps, as they were written."""

import math
from fractions import Fraction


def decimal(number: float) -> Fraction:
    """Return a number as it was written: 0.1 is a tenth, not the binary fraction beside it."""
    return Fraction(str(number))


def whole_steps(share: float, n_steps: int) -> int:
    """Return a share of some steps, rounded down.

    >>> whole_steps(0.29, 100), whole_steps(0.29, 99)
    (29, 28)
    """
    return int(decimal(share) * n_steps)


def share_of(n_of_them: int, n_steps: int) -> float:
    """Return the shortest decimal that is so many whole steps of some.

    >>> share_of(3, 30), share_of(1, 9), share_of(14, 141), share_of(33, 100)
    (0.1, 0.2, 0.1, 0.33)
    """
    power = 1
    while True:
        share = Fraction(math.ceil(Fraction(n_of_them * power, n_steps)), power)
        if share * n_steps < n_of_them + 1:
            return float(share)
        power *= 10
