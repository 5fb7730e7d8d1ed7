"""Texts that spell numbers."""

import math


def spells_number(text: str) -> bool:
    """Tell whether a text spells a number, be it infinite or none at all (nan)."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def finite_number(text: str) -> float | None:
    """Return the number that a text spells; None where it spells none, or one that is not finite.

    >>> finite_number("2.5"), finite_number("two"), finite_number("inf")
    (2.5, None, None)
    """
    number = float(text) if spells_number(text) else math.nan
    return number if math.isfinite(number) else None
