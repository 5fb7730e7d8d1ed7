"""Names beside their points that hide neither points nor each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

LINE_HEIGHT = 14.0
_RINGS = (8.0, 14.0, 22.0, 34.0, 50.0, 70.0, 95.0)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, ``top`` < ``bottom``."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        """Its vertical middle."""
        return (self.top + self.bottom) / 2

    def overlaps(self, other: "Box") -> bool:
        """Tell whether they have any area in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def is_within(self, other: "Box") -> bool:
        """Tell whether no part of it sticks out of another one."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Label:
    """A point, in pixels, and the width of the text that is to stand beside it."""

    x: float
    y: float
    width: float


def around(x: float, y: float, half: float) -> Box:
    """Make the square around a point."""
    return Box(x - half, y - half, x + half, y + half)


def along(points: Sequence[tuple[float, float]], step: float = 6.0) -> list[Box]:
    """Cover a line through points with small squares."""
    boxes = []
    for (x0, y0), (x1, y1) in pairwise(points):
        count = max(1, int(np.hypot(x1 - x0, y1 - y0) / step))
        boxes += [around(x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count, 1.5) for i in range(count + 1)]
    return boxes


def place(labels: Sequence[Label], obstacles: Sequence[Box], bounds: Box, sides: str = "RLAB") -> list[Box | None]:
    """Find a box for each label, the first ones first; None where there is no room.

    ``sides``: R(ight), L(eft), A(bove), B(elow), in order of preference; corners come after them.
    """
    taken = _array(obstacles)
    found: list[Box | None] = []
    for label in labels:
        box = next((box for box in _candidates(label, sides) if box.is_within(bounds) and not _hits(box, taken)), None)
        found.append(box)
        if box is not None:
            taken = np.vstack([taken, _array([box])])
    return found


def _candidates(label: Label, sides: str) -> Iterator[Box]:
    corners = [a + b for a in "AB" for b in sides if b in "LR"]
    for ring in _RINGS:
        for side in (*sides, *corners):
            yield _beside(label, side, ring)


def _beside(label: Label, side: str, distance: float) -> Box:
    x, y = label.x, label.y
    if "A" in side:
        y -= distance + (LINE_HEIGHT / 2 if len(side) == 1 else 0)
    if "B" in side:
        y += distance + (LINE_HEIGHT / 2 if len(side) == 1 else 0)
    left = x - label.width / 2
    if "R" in side:
        left = x + (distance if len(side) == 1 else 0.7 * distance)
    if "L" in side:
        left = x - label.width - (distance if len(side) == 1 else 0.7 * distance)
    return Box(left, y - LINE_HEIGHT / 2, left + label.width, y + LINE_HEIGHT / 2)


def _array(boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], float).reshape(-1, 4)


def _hits(box: Box, taken: npt.NDArray[np.float64]) -> bool:
    apart = (
        (taken[:, 0] >= box.right) | (taken[:, 2] <= box.left) | (taken[:, 1] >= box.bottom) | (taken[:, 3] <= box.top)
    )
    return bool((~apart).any())


def spread_apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions on a line as little as their order allows until all are ``gap`` apart, between two ends.

    Closer than ``gap`` only when there is no room for all.

    >>> spread_apart([5.0, 5.0], 2.0, 0.0, 100.0)
    [4.0, 6.0]
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    # Groups of neighbours that touch: (sum of wanted starts, how many); a group stands at its mean.
    groups: list[tuple[float, int]] = []
    for rank, place in enumerate(order):
        groups.append((wanted[place] - rank * gap, 1))
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1] = (groups[-1][0] + total, groups[-1][1] + count)
    starts = [total / count for total, count in groups for _ in range(count)]
    found = [0.0] * len(wanted)
    for rank, place in enumerate(order):
        start = min(max(starts[rank], low), high - (len(wanted) - 1) * gap)
        found[place] = start + rank * gap
    return found
