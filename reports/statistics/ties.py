"""What counts as equal: means of the same numbers, summed or fitted in another order, differ in their last digits."""

from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")
EXACT = 1e-12


def behind(scores: Sequence[float]) -> list[int]:
    """Return by how much each score is behind the highest, in steps of rounding: 0 for those that are equal to it.

    >>> behind([0.3, 0.1 + 0.2]), behind([0.5, 0.25]) == [0, round(0.5 / EXACT)]
    ([0, 0], True)
    """
    highest, scale = max(scores), max(map(abs, scores)) or 1.0
    return [round((highest - score) / (EXACT * scale)) for score in scores]


def ranked(valued: Sequence[tuple[float, Thing]], *, lower_is_better: bool) -> list[tuple[int, Thing]]:
    """Return things with how far each is behind the best, the best first; equal ones in the order that they came in.

    >>> ranked([(0.5, "a"), (0.3, "b"), (0.1 + 0.2, "c")], lower_is_better=True)[:2]
    [(0, 'b'), (0, 'c')]
    """
    steps = behind([-value if lower_is_better else value for value, _ in valued]) if valued else []
    return sorted(zip(steps, (thing for _, thing in valued), strict=True), key=lambda one: one[0])
