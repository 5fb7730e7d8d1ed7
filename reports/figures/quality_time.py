"""Quality against time: which cells no other one beats in both."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from reports.figures.axis import LOG_ABOVE, log_axis, number_axis, padded, response_label
from reports.figures.figure import Picture, Response, TimedCell
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.placing import Box, Label, along, around, place
from reports.figures.sheet import MARGIN, WIDTH, Sheet, drawing, finished
from reports.figures.style import AXIS, BLACK, BLUE, INK, PAPER, QUIET, VERMILLION, Look
from reports.figures.texts import FONT_SIZE, SMALL, decimals_for, number, shortened, text_width
from reports.formats.markdown import first_of
from reports.language.say import enumerated, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "quality-time"
PLOT_HEIGHT, BELOW = 340, 50
MOST_NAMES = 30
LONGEST_NAME = 160

CELL: Look = {"marker": "o", "color": AXIS, "markerfacecolor": PAPER, "markersize": 5.0, "markeredgewidth": 1.0}
PARETO: Look = {"marker": "o", "color": BLUE, "markersize": 7.0, "linestyle": "-", "linewidth": 1.2}
BASELINE: Look = {"marker": "D", "color": BLACK, "markerfacecolor": "none", "markersize": 10.0, "markeredgewidth": 1.3}
NOT_LEARNED: Look = {"marker": "x", "color": VERMILLION, "markersize": 6.0, "markeredgewidth": 1.4}
OUTSIDE: Look = {"marker": "v", "color": VERMILLION, "markerfacecolor": PAPER, "markersize": 7.0}
SD: Look = {"color": INK, "linewidth": 1.4}


def pareto_set(cells: Sequence[TimedCell], *, lower_is_better: bool = False) -> tuple[TimedCell, ...]:
    """List the cells that are better than all that are as fast, from fast to slow; of equals, the first.

    >>> [cell.name for cell in pareto_set([TimedCell("1", 5.0, 0.9), TimedCell("2", 4.0, 0.9)])]
    ['2']
    """
    sign = -1.0 if lower_is_better else 1.0
    chosen: list[TimedCell] = []
    for cell in sorted(cells, key=lambda cell: (cell.seconds, -sign * cell.value)):
        if not chosen or sign * cell.value > sign * chosen[-1].value:
            chosen.append(cell)
    return tuple(chosen)


@dataclass(frozen=True)
class _Ranges:
    """The two ranges, and the cells that the vertical one shows. ``is_log``: times differ so much that ratios count."""

    left: float
    times: tuple[float, float]
    unit: float
    unit_name: str
    values: tuple[float, float]
    inside: tuple[TimedCell, ...]
    outside: tuple[TimedCell, ...]
    is_log: bool


def quality_time_picture(cells: Sequence[TimedCell], response: Response, run_sd: float | None = None) -> Picture | None:
    """Draw each cell's result against its time; None without any. ``run_sd`` shows how noisy a run is."""
    known = [cell for cell in cells if math.isfinite(cell.value) and math.isfinite(cell.seconds) and cell.seconds > 0]
    if not known:
        return None
    sound = [cell for cell in known if not cell.not_learned] or known
    best = pareto_set(sound, lower_is_better=response.lower_is_better)
    with drawing(NAME):
        ranges = _ranges(known)
        keys = _keys(ranges, run_sd)
        head = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(head + PLOT_HEIGHT + BELOW)
        draw_legend(sheet, keys, MARGIN, MARGIN / 2)
        _draw(sheet, head, ranges, best, run_sd)
        label = shortened(response_label(response), PLOT_HEIGHT)
        sheet.text(MARGIN, head + PLOT_HEIGHT / 2, label, align="center", upright=True)
        middle = (ranges.left + WIDTH - MARGIN) / 2
        time = say("training time of one run ({unit})", unit=ranges.unit_name)
        sheet.text(middle, sheet.height - MARGIN, time, align="center")
        title = say(
            "{label} against training time: nothing is faster and better than the Pareto set.",
            label=response.label,
        )
        alt = say(
            "Cells (n = {n}) by training time and {label}. Pareto set, from fast to slow: {cells}.",
            n=len(known),
            label=response.label,
            cells=_listed(best, ranges),
        )
        return finished(sheet, NAME, title, alt)


def _ranges(cells: Sequence[TimedCell]) -> _Ranges:
    """Choose ranges. A run far off that did not learn would squeeze the others into a line: it stands at the edge."""
    sound = [cell.value for cell in cells if not cell.not_learned] or [cell.value for cell in cells]
    low, high = padded(min(sound), max(sound), 0.08)
    inside = tuple(cell for cell in cells if low <= cell.value <= high)
    outside = tuple(cell for cell in cells if not low <= cell.value <= high)
    slowest = max(cell.seconds for cell in cells)
    unit, name = (1.0, say("seconds"))
    if slowest >= 300:
        unit, name = (60.0, say("minutes")) if slowest < 18000 else (3600.0, say("hours"))
    times = [cell.seconds / unit for cell in cells]
    is_log = max(times) > LOG_ABOVE * min(times)
    first, last = (min(times) / 1.15, max(times) * 1.15) if is_log else padded(min(times), max(times), 0.06)
    ticks = text_width(number(high, decimals_for(high - low)), SMALL)
    left = MARGIN + FONT_SIZE + 4 + ticks + 8
    return _Ranges(left, (max(0.0, first), last), unit, name, (low, high), inside, outside, is_log)


def _keys(ranges: _Ranges, run_sd: float | None) -> list[Key]:
    keys = [Key(say("cell"), CELL), Key(say("Pareto set"), PARETO)]
    if any(cell.is_baseline for cell in ranges.inside):
        keys.append(Key(say("baseline"), BASELINE | {"markersize": 8.0}))
    if any(cell.not_learned for cell in ranges.inside):
        keys.append(Key(say("did not learn"), NOT_LEARNED))
    if ranges.outside:
        keys.append(Key(say("did not learn, off the axis ({n})", n=len(ranges.outside)), OUTSIDE))
    if run_sd:
        keys.append(
            Key(
                say("± one standard deviation of a run ({sd})", sd=number(run_sd, decimals_for(5 * run_sd))),
                SD,
                upright=True,
            )
        )
    return keys


def _draw(sheet: Sheet, top: float, ranges: _Ranges, best: Sequence[TimedCell], run_sd: float | None) -> None:
    width = WIDTH - MARGIN - ranges.left
    axes = sheet.axes(ranges.left, top, width, PLOT_HEIGHT)
    number_axis(axes, "y", *ranges.values)
    if ranges.is_log:
        log_axis(axes, "x", *ranges.times)
    else:
        number_axis(axes, "x", *ranges.times)
    shown = [cell for cell in best if cell in ranges.inside]
    _draw_cells(axes, ranges, shown)
    if run_sd:
        _draw_sd(axes, ranges, run_sd)
    _draw_names(sheet, axes, top, ranges, shown)


def _draw_cells(axes: "Axes", ranges: _Ranges, best: Sequence[TimedCell]) -> None:
    def marks(cells: Sequence[TimedCell], style: Look, order: int) -> None:
        if cells:
            places = ([cell.seconds / ranges.unit for cell in cells], [cell.value for cell in cells])
            unconnected: Look = {**style, "linestyle": "none"}
            axes.plot(*places, zorder=order, clip_on=False, **unconnected)

    marks([cell for cell in ranges.inside if not cell.not_learned and cell not in best], CELL, 2)
    marks([cell for cell in ranges.inside if cell.not_learned and cell not in best], NOT_LEARNED, 3)
    for edge, marker, is_beyond in zip(ranges.values, "v^", (float.__lt__, float.__gt__), strict=True):
        beyond = [replace(cell, value=edge) for cell in ranges.outside if is_beyond(cell.value, edge)]
        marks(beyond, OUTSIDE | {"marker": marker}, 3)
    axes.step(
        [cell.seconds / ranges.unit for cell in best],
        [cell.value for cell in best],
        where="post",
        color=BLUE,
        linewidth=1.2,
        zorder=1,
    )
    marks(best, PARETO, 4)
    marks([cell for cell in ranges.inside if cell.is_baseline], BASELINE, 5)


def _draw_sd(axes: "Axes", ranges: _Ranges, run_sd: float) -> None:
    """Draw the noise of a run as a bar at the right edge, at its true size."""
    middle = sum(ranges.values) / 2
    ends = [max(ranges.values[0], middle - run_sd), min(ranges.values[1], middle + run_sd)]
    axes.plot([0.99, 0.99], ends, color=INK, linewidth=1.4, marker="_", transform=axes.get_yaxis_transform())


def _draw_names(sheet: Sheet, axes: "Axes", top: float, ranges: _Ranges, best: Sequence[TimedCell]) -> None:
    """Name the Pareto set and the baseline, where there is room."""

    def pixels(cell: TimedCell) -> tuple[float, float]:
        x, y = axes.transData.transform((cell.seconds / ranges.unit, cell.value))
        return float(x), float(sheet.height - y)

    named = [*best, *(cell for cell in ranges.inside if cell.is_baseline and cell not in best)][:MOST_NAMES]
    texts = [shortened(cell.name, LONGEST_NAME) for cell in named]
    labels = [Label(*pixels(cell), text_width(text)) for cell, text in zip(named, texts, strict=True)]
    places = [pixels(cell) for cell in best]
    corners = [spot for (x, y), (x1, y1) in pairwise(places) for spot in ((x, y), (x1, y))]
    obstacles = [around(*pixels(cell), 4) for cell in ranges.inside] + along([*corners, *places[-1:]])
    bounds = Box(ranges.left + 3, top - 12, WIDTH - 3, top + PLOT_HEIGHT - 3)
    for text, label, box in zip(texts, labels, place(labels, obstacles, bounds, "ALRB"), strict=True):
        if box is not None:
            _draw_name(sheet, text, label, box)


def _draw_name(sheet: Sheet, text: str, label: Label, box: Box) -> None:
    x = min(max(label.x, box.left), box.right)
    y = min(max(label.y, box.top), box.bottom)
    if abs(x - label.x) + abs(y - label.y) > 14:
        sheet.line([x, label.x], [y, label.y], color=QUIET, width=0.6)
    sheet.text(box.left, box.middle, text)


def _listed(best: Sequence[TimedCell], ranges: _Ranges) -> str:
    decimals = decimals_for(ranges.values[1] - ranges.values[0])
    spent = decimals_for(ranges.times[1] - ranges.times[0])
    names = [
        cell.name
        + say(
            " ({details})",
            details=enumerated(
                [f"{number(cell.seconds / ranges.unit, spent)} {ranges.unit_name}", number(cell.value, decimals)]
            ),
        )
        for cell in best
    ]
    return first_of(names, MOST_NAMES)
