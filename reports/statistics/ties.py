"""What counts as equal: means of the same numbers, summed or fitted in another order, differ in their last digits."""

from collections.abc import Sequence

EXACT = 1e-12


def behind(scores: Sequence[float]) -> list[int]:
    """Return by how much each score is behind the highest, in steps of rounding: 0 for those that are equal to it.

    >>> behind([0.3, 0.1 + 0.2]), behind([0.5, 0.25]) == [0, round(0.5 / EXACT)]
    ([0, 0], True)
    """
    highest, scale = max(scores), max(map(abs, scores)) or 1.0
    return [round((highest - score) / (EXACT * scale)) for score in scores]
