"""Shares of a number of steps, as they were written."""

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
