"""The page of a training's log: its ends, how low it came, gaps, how it went on; and no claim about what made it so."""

import statistics
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from reports.figures.figure import Picture, Response
from reports.figures.log_curve import log_curve_picture
from reports.formats.markdown import Section, bullets, code, details, escape, first_of, paragraphs, plural, wrap
from reports.formats.table import Table, comparison_table
from reports.language.say import say, sentences
from reports.sections.context import PageSection
from reports.sections.published import published_numbers
from reports.study.view import Observation, StudyRows

GAP = 1.5
"""Points further apart than so many times the usual distance have a gap between them."""
LAST_PART = 0.1
"""The part of the range that shows whether a curve was still moving at its end."""
FEWEST_POINTS = 3
"""So many points a straight line needs for having an error."""
MOST_GAPS = 12
MOST_POINTS = 40
"""So many points stand in the page's own table."""


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


def _point_numbers(point: Observation) -> dict[str, float]:
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


class CurveSummary(PageSection):
    """How much of which curve there is, and where it comes from."""

    def format(self) -> str:
        """Return the lines below the title."""
        study, points = self.study, self.study.observations
        first = say(
            "**{points} of {response}, {curve} {start} to {end}, imported from a training log**",
            points=plural(len(points), "point"),
            response=escape(study.metric),
            curve=escape(study.curve.curve),
            start=escape(points[0].index),
            end=escape(points[-1].index),
        )
        source = say(
            "The log is that of {source}. Nothing of it was trained here, and one curve says nothing of what made it "
            "so: no effect is claimed.",
            source=code(study.curve.source),
        )
        return paragraphs([wrap(first), wrap(source)])


class LogFindings(PageSection):
    """First, last and lowest point, gaps, and the way it was going at its end."""

    def format(self) -> str:
        """Return the section."""
        curve = self.curve
        lines = [self._extremes(curve), self._end(curve.tail), self._gaps(curve), self._back(), self._not_finite()]
        return Section(say("What the log says"), (bullets(line for line in lines if line),)).format()

    @cached_property
    def curve(self) -> Curve:
        """The curve of the log."""
        return study_curve(self.study)

    def numbers(self) -> dict[str, Any]:
        """Return what is said of the curve, its points apart."""
        curve = self.curve
        tail = asdict(curve.tail) | {"start": place(curve.tail.start), "end": place(curve.tail.end)}
        gaps = [{"start": place(gap.start), "end": place(gap.end), "n_missing": gap.n_missing} for gap in curve.gaps]
        found = {
            "along": self.study.curve.curve,
            "n": len(curve.points),
            "first": _point_numbers(curve.points[0]),
            "last": _point_numbers(curve.points[-1]),
            "best": _point_numbers(curve.best),
            "distance": curve.distance,
            "gaps": gaps,
            "tail": tail,
        }
        return {"curve": found}

    def _extremes(self, curve: Curve) -> str:
        first, last, best = (self._point(point) for point in (curve.points[0], curve.points[-1], curve.best))
        if self.study.lower_is_better:
            return say("First {first}, last {last}, lowest {best}.", first=first, last=last, best=best)
        return say("First {first}, last {last}, highest {best}.", first=first, last=last, best=best)

    def _point(self, point: Observation) -> str:
        return say("{value} ({place})", value=escape(point.text), place=self._place(point))

    def _place(self, point: Observation) -> str:
        return say("{curve} {place}", curve=escape(self.study.curve.curve), place=escape(point.index))

    def _end(self, tail: Tail) -> str:
        where = say(
            "the last tenth of the log ({points} from {start} on)",
            points=plural(tail.n, "point"),
            start=self._place(tail.start),
        )
        if tail.change is None or tail.error is None:
            return say(
                "At the end: {where} has too few points to tell whether the curve was still moving.", where=where
            )
        size, error = f"{abs(tail.change):.2g}", f"{tail.error:.1g}"
        if abs(tail.change) < 2 * tail.error or not tail.change:
            return say(
                "At the end: no clear change. A straight line through {where} changes by {size}, its standard error is "
                "{error}.",
                where=where,
                size=size,
                error=error,
            )
        if tail.change < 0:
            return say(
                "At the end: still falling. A straight line through {where} falls by {size} (standard error {error}).",
                where=where,
                size=size,
                error=error,
            )
        return say(
            "At the end: still rising. A straight line through {where} rises by {size} (standard error {error}).",
            where=where,
            size=size,
            error=error,
        )

    def _gaps(self, curve: Curve) -> str:
        if not curve.gaps:
            return say("There is no gap in it.")
        gaps = first_of([self._gap(gap) for gap in curve.gaps], MOST_GAPS)
        return say(
            "Gaps, in which nothing was logged: {curve} {gaps}. Elsewhere the usual distance is {distance} (median).",
            curve=escape(self.study.curve.curve),
            gaps=gaps,
            distance=f"{curve.distance:.3g}",
        )

    def _gap(self, gap: Gap) -> str:
        return say(
            "{start} to {end} (about {points})",
            start=escape(gap.start.index),
            end=escape(gap.end.index),
            points=plural(gap.n_missing, "point"),
        )

    def _back(self) -> str:
        """Say that what was logged again counts."""
        turns = [
            say("from {start} to {end}", start=escape(start), end=escape(end))
            for start, end in self.study.curve.went_back
        ]
        if not turns:
            return ""
        return say(
            "The log goes back ({turns}): what was logged again took the place of what had been logged from there on.",
            turns=first_of(turns, MOST_GAPS),
        )

    def _not_finite(self) -> str:
        lost = [f"{escape(row['index'])} ({escape(row['text'])})" for row in self.study.curve.without]
        if not lost:
            return ""
        return say(
            "Left out, because the value is not finite: {curve} {names}.",
            curve=escape(self.study.curve.curve),
            names=first_of(lost, MOST_GAPS),
        )


class CurvePoints(PageSection):
    """The points, folded away; of many, some."""

    def format(self) -> str:
        """Return the section."""
        table = comparison_table(self.study)
        n_points = len(table.rows)
        if n_points <= MOST_POINTS:
            return Section(say("The points"), (details(say("All points"), table.format()),)).format()
        shown = _thinned(table)
        some = say("{n} of {points}", n=len(shown.rows), points=plural(n_points, "point"))
        note = say("{command} writes all of them.", command=code("gridsearch report STUDY --format csv"))
        return Section(say("The points"), (wrap(sentences([note])), details(some, shown.format()))).format()

    def numbers(self) -> dict[str, Any]:
        """Return every point."""
        return published_numbers(self.study)


def _thinned(table: Table) -> Table:
    """Keep the first and the last row, some at equal distances between, and the best."""
    last = len(table.rows) - 1
    kept = {round(number * last / (MOST_POINTS - 1)) for number in range(MOST_POINTS)}
    kept |= {number for number, row in enumerate(table.rows) if any(cell.best for cell in row)}
    return Table(table.header, tuple(table.rows[number] for number in sorted(kept)))


def curve_picture(study: StudyRows) -> Picture:
    """Draw the curve, broken at its gaps."""
    curve = study_curve(study)
    starts = {id(gap.end) for gap in curve.gaps}
    parts: list[list[tuple[float, float]]] = [[]]
    for point in curve.points:
        if id(point) in starts:
            parts.append([])
        parts[-1].append((place(point), point.value))
    response = Response(study.metric, study.lower_is_better)
    return log_curve_picture(parts, (place(curve.best), curve.best.value), study.curve.curve, response)
