"""What a training's log says: from where to where, how low, what is missing, and whether it was still going down."""

import statistics
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from reports.study.view import Observation, StudyRows

GAP = 1.5
"""Points further apart than so many times the usual distance have a gap between them."""
LAST_PART = 0.1
"""The part of the range that shows whether a curve was still moving at its end."""
FEWEST_POINTS = 3
"""So many points a straight line needs for having an error."""


@dataclass(frozen=True)
class Gap:
    """Nothing was logged between two points, where about so many would have been."""

    start: Observation
    end: Observation
    n_missing: int


@dataclass(frozen=True)
class Tail:
    """The last part of a log: its points, and the ``change`` of a least-squares line from its first to its last one.

    ``error`` is the change's standard error; both are None with fewer than three places.
    """

    start: Observation
    end: Observation
    n: int
    change: float | None
    error: float | None


@dataclass(frozen=True)
class Curve:
    """The points of a log, in its order; ``distance`` is the median one from a place to the next."""

    points: tuple[Observation, ...]
    best: Observation
    distance: float
    gaps: tuple[Gap, ...]
    tail: Tail


def study_curve(study: StudyRows) -> Curve:
    """Read the curve of an imported log: at least two points, whose places never go back."""
    points = study.observations
    best = points[0]
    for point in points:
        best = point if study.beats(point.value, best.value) else best
    distance, gaps = _gaps(points)
    return Curve(points, best, distance, gaps, _tail(points))


def curve_numbers(study: StudyRows) -> dict[str, Any]:
    """Return what the page says of a curve, its points apart, for JSON."""
    curve = study_curve(study)
    tail = asdict(curve.tail) | {"start": place(curve.tail.start), "end": place(curve.tail.end)}
    return {
        "along": study.curve.curve,
        "n": len(curve.points),
        "first": _numbers(curve.points[0]),
        "last": _numbers(curve.points[-1]),
        "best": _numbers(curve.best),
        "distance": curve.distance,
        "gaps": [{"start": place(gap.start), "end": place(gap.end), "n_missing": gap.n_missing} for gap in curve.gaps],
        "tail": tail,
    }


def _numbers(point: Observation) -> dict[str, float]:
    return {"place": place(point), "value": point.value}


def place(point: Observation) -> float:
    """Return where a point of a log stands: its epoch, its step."""
    return float(point.index)


def _gaps(points: tuple[Observation, ...]) -> tuple[float, tuple[Gap, ...]]:
    """Find the usual distance, and the gaps.

    Where a quarter of all distances would be gaps, points were not logged at equal distances, and nothing is missing.
    """
    steps = [(place(end) - place(start), start, end) for start, end in pairwise(points)]
    # Several points of one place: epochs are logged with two decimals.
    moves = [step for step, _, _ in steps if step > 0]
    distance = statistics.median(moves) if moves else 0.0
    found = [Gap(start, end, round(step / distance) - 1) for step, start, end in steps if step > GAP * distance > 0]
    return distance, tuple(found) if 4 * len(found) < len(moves) else ()


def _tail(points: tuple[Observation, ...]) -> Tail:
    from scipy.stats import linregress

    first, last = place(points[0]), place(points[-1])
    within = [point for point in points if place(point) >= last - LAST_PART * (last - first)]
    places = [place(point) for point in within]
    if len(set(places)) < FEWEST_POINTS:
        return Tail(within[0], within[-1], len(within), None, None)
    line = linregress(places, [point.value for point in within])
    width = places[-1] - places[0]
    return Tail(within[0], within[-1], len(within), float(line.slope * width), float(line.stderr * width))
