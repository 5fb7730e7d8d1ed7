"""Losses of two trainings beside each other, at equal epochs: a log that was imported, and pretrainings or another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Any

from gridsearch.errors import RequestError
from reports.compare import refuse_itself
from reports.figures.axis import round_ticks
from reports.figures.drawn_from.stages import stage_curves
from reports.figures.figure import LossCurve, Picture, Response
from reports.figures.loss_curves import loss_curves_picture
from reports.formats.markdown import Section, bullets, code, escape, paragraphs, plural, wrap
from reports.formats.table import Cell, Table, decimals
from reports.importing.logs import LOSS
from reports.language.say import say, sentences
from reports.sections.log_curve import place
from reports.study.view import StudyRows

PLACES = ("epoch", "step")
"""What a pretraining is logged by."""
N_PLACES = 8
MOST_LINES = 6
"""So many pretrainings stand in the table, which has to fit a terminal."""
BETWEEN = "~"
"""Stands before a value that lies between two points of a log."""
PICTURE = "losses"


@dataclass(frozen=True)
class Meeting:
    """Two lines at the last place that both reach."""

    first: LossCurve
    second: LossCurve
    last: float

    @property
    def difference(self) -> float:
        """The second less the first."""
        ends = value_at(self.first, self.last), value_at(self.second, self.last)
        assert ends[0] is not None
        assert ends[1] is not None
        return ends[1][0] - ends[0][0]


@dataclass(frozen=True)
class CurveComparison:
    """The lines of two studies; ``along`` is what they run over."""

    first: StudyRows
    second: StudyRows
    along: str
    response: Response
    lines: tuple[tuple[LossCurve, ...], tuple[LossCurve, ...]]

    @property
    def meetings(self) -> tuple[Meeting, ...]:
        """The pairs of a line of each that have a place in common."""
        return tuple(
            Meeting(one, other, min(one.points[-1][0], other.points[-1][0]))
            for one in self.lines[0]
            for other in self.lines[1]
            if max(one.points[0][0], other.points[0][0]) <= min(one.points[-1][0], other.points[-1][0])
        )

    @property
    def places(self) -> list[float]:
        """Some round places where lines of both are, with the first and the last of all."""
        meetings = self.meetings
        if not meetings:
            return []
        low = min(max(one.first.points[0][0], one.second.points[0][0]) for one in meetings)
        high = max(one.last for one in meetings)
        return sorted({low, *(round_ticks(low, high, N_PLACES)[0] if low < high else ()), high})


def compare_curves(first: StudyRows, second: StudyRows) -> CurveComparison:
    """Put the lines of two studies together, at least one of which is an imported log.

    Raises RequestError where one has no line, or they run over different things or measure different ones.
    """
    refuse_itself(first, second)
    studies = (first, second)
    along = next(study.curve.curve for study in studies if study.is_curve)
    for study in studies:
        if study.is_curve and study.curve.curve != along:
            raise RequestError(
                f"{first.folder} runs over {first.curve.curve} and {second.folder} over {second.curve.curve}"
            )
        if not study.is_curve and along not in PLACES:
            raise RequestError(f"pretrainings are logged by epoch and step, and not by {along}")
    lower = [study.lower_is_better if study.is_curve else True for study in studies]
    measures = [study.metric if study.is_curve else LOSS for study in studies]
    if lower[0] != lower[1]:
        raise RequestError(f"{measures[0]} and {measures[1]} are different measures: import the losses of the log")
    lines = (_lines(first, along), _lines(second, along))
    label = (
        measures[0]
        if measures[0] == measures[1]
        else say("{first} and {second}", first=measures[0], second=measures[1])
    )
    return CurveComparison(first, second, along, Response(label, lower[0]), lines)


def _lines(study: StudyRows, along: str) -> tuple[LossCurve, ...]:
    """Return the lines of a study that have a point, those of one place as one, with their mean."""
    if study.is_curve:
        found = [LossCurve(study.folder.name, tuple((place(row), row.value) for row in study.observations))]
    else:
        found = [curve for curve in stage_curves(study, by_epoch=along == "epoch") if curve.points]
    if not found:
        raise RequestError(f"{study.folder} holds no pretraining whose losses could stand beside those of a log")
    return tuple(LossCurve(curve.name, _distinct(curve.points)) for curve in found)


def _distinct(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    values: dict[float, list[float]] = {}
    for where, value in points:
        values.setdefault(where, []).append(value)
    return tuple((where, fmean(several)) for where, several in values.items())


def value_at(curve: LossCurve, where: float) -> tuple[float, bool] | None:
    """Return the loss at a place, and whether it lies between two points, on their straight line; None outside.

    >>> value_at(LossCurve("a", ((1.0, 4.0), (3.0, 2.0))), 1.5)
    (3.5, True)
    """
    for at, value in curve.points:
        if at == where:
            return value, False
    for (start, first), (end, last) in pairwise(curve.points):
        if start < where < end:
            return first + (last - first) * (where - start) / (end - start), True
    return None


@dataclass(frozen=True)
class CurvesPage:
    """Both studies, the losses of both at equal places, and which is lower where both end."""

    comparison: CurveComparison

    def format(self, *, for_terminal: bool = False, picture_file: str = "") -> str:
        """Return it as Markdown; for a terminal, with the table as plain text. ``picture_file`` is shown in it."""
        about = self.comparison
        table = self._table()
        shown = "" if table is None else table.plain_text() if for_terminal else table.format()
        image = f"![{say('Curve')}]({picture_file})" if picture_file else ""
        title = say("Losses at equal places: {along}", along=escape(about.along))
        parts = [
            f"# {say('Two studies compared')}",
            bullets([self._study("A", about.first), self._study("B", about.second)]),
            Section(title, (shown, wrap(self._notes()), bullets(map(self._meeting, about.meetings)), image)).format(),
            wrap(self._caution()),
        ]
        return paragraphs(parts) + "\n"

    def picture(self) -> Picture:
        """Draw the lines, as far as both go: the log of a long training would squeeze a short one into its corner."""
        about = self.comparison
        named = list(zip("AB", about.lines, strict=True))
        # Of many lines the first have names: the log's is one of them.
        named.sort(key=lambda one: len(one[1]))
        end = max((meeting.last for meeting in about.meetings), default=math.inf)
        curves = [LossCurve(self._name(letter, line), _until(line, end)) for letter, lines in named for line in lines]
        title = say("{label} over {along}, as far as both go.", label=about.response.label, along=about.along)
        picture = loss_curves_picture(PICTURE, title, curves, about.along, about.response)
        assert picture is not None, "every line has a point"
        return picture

    def _name(self, letter: str, line: LossCurve) -> str:
        return say("{word}: {name}", word=letter, name=line.name)

    def numbers(self) -> dict[str, Any]:
        """Return the same for programs: the points of each line, and how far two are apart where both end."""
        about = self.comparison
        return {
            "studies": [
                {"study": study.folder, "lines": [{"name": line.name, "points": line.points} for line in lines]}
                for study, lines in zip((about.first, about.second), about.lines, strict=True)
            ],
            "along": about.along,
            "meetings": [
                {"lines": (one.first.name, one.second.name), "at": one.last, "difference": one.difference}
                for one in about.meetings
            ],
        }

    def _study(self, letter: str, study: StudyRows) -> str:
        name, along = code(str(study.folder)), escape(self.comparison.along)
        if not study.is_curve:
            lines = self.comparison.lines[letter == "B"]
            named = say("; ").join(escape(line.name) for line in lines[:MOST_LINES])
            return say(
                "{letter}: {name}, losses of {pretrainings}: {names}",
                letter=letter,
                name=name,
                pretrainings=plural(len(lines), "pretraining"),
                names=named,
            )
        return say(
            "{letter}: {name}, {points} of {metric} from a training log, {along} {start} to {end}",
            letter=letter,
            name=name,
            points=plural(len(study.observations), "point"),
            metric=escape(study.metric),
            along=along,
            start=escape(study.observations[0].index),
            end=escape(study.observations[-1].index),
        )

    @property
    def _columns(self) -> list[tuple[str, LossCurve]]:
        """The lines of the table, each with its letter; of many pretrainings the first."""
        return [
            (letter, line)
            for letter, lines in zip("AB", self.comparison.lines, strict=True)
            for line in lines[:MOST_LINES]
        ]

    def _table(self) -> Table | None:
        about = self.comparison
        if not about.places:
            return None
        columns = self._columns
        several = {letter for letter, lines in zip("AB", about.lines, strict=True) if len(lines) > 1}
        header = (about.along, *(_id(letter, line) if letter in several else letter for letter, line in columns))
        rows = [
            (Cell(f"{where:.4g}"), *(Cell(_spelled(value_at(line, where))) for _, line in columns))
            for where in about.places
        ]
        return Table(header, tuple(rows))

    def _notes(self) -> str:
        about = self.comparison
        if not about.meetings:
            ends = [(lines[0].points[0][0], max(line.points[-1][0] for line in lines)) for lines in about.lines]
            return say(
                "They have no {along} in common: A goes from {start} to {end}, B from {other_start} to {other_end}.",
                along=escape(about.along),
                start=f"{ends[0][0]:.4g}",
                end=f"{ends[0][1]:.4g}",
                other_start=f"{ends[1][0]:.4g}",
                other_end=f"{ends[1][1]:.4g}",
            )
        n_more = max(len(lines) for lines in about.lines) - MOST_LINES
        between = say("{mark}: on the straight line between the two logged points next to it.", mark=code(BETWEEN))
        return sentences([between, say("{n} more pretrainings are not shown.", n=n_more) if n_more > 0 else ""])

    def _meeting(self, meeting: Meeting) -> str:
        """Say which is lower at the last place of both."""
        about, size = self.comparison, abs(meeting.difference)
        first, second = self._short("A", meeting.first), self._short("B", meeting.second)
        where = {"along": escape(about.along), "last": f"{meeting.last:.4g}"}
        if not size:
            return say(
                "At {along} {last}, the last of both, {first} and {second} are equal.",
                first=first,
                second=second,
                **where,
            )
        lower, higher = (first, second) if meeting.difference > 0 else (second, first)
        return say(
            "At {along} {last}, the last of both, {lower} is lower than {higher} by {size}.",
            lower=lower,
            higher=higher,
            size=decimals(size),
            **where,
        )

    def _short(self, letter: str, line: LossCurve) -> str:
        several = len(self.comparison.lines[letter == "B"]) > 1
        return _id(letter, line) if several else letter

    def _caution(self) -> str:
        return say(
            "A lower loss is no better encoder: with other texts, another vocabulary or another mask it is another "
            "measure, and an epoch is another number of steps."
        )


def _id(letter: str, line: LossCurve) -> str:
    """Tell a line from the others of its study: by its first word, which is a pretraining's id."""
    return f"{letter}: {line.name.split(' ')[0]}"


def _until(line: LossCurve, end: float) -> tuple[tuple[float, float], ...]:
    """Cut a line at a place, between two points too."""
    last = value_at(line, end)
    kept = tuple(point for point in line.points if point[0] <= end)
    return kept if last is None or not last[1] else (*kept, (end, last[0]))


def _spelled(found: tuple[float, bool] | None) -> str:
    if found is None:
        return "-"
    value, is_between = found
    return (BETWEEN if is_between else "") + decimals(value)
