"""Interaction plots: what one factor does at each level of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.axis import number_axis, padded, response_label
from reports.figures.figure import InteractionPanel, LevelPoint, Picture, Response
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.sheet import MARGIN, WIDTH, Sheet, drawing, finished
from reports.figures.style import PAPER, QUIET, line_style
from reports.figures.texts import FONT_SIZE, SMALL, decimals_for, number, shortened, text_width
from reports.language.say import enumerated, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "interactions"
PER_ROW, MOST_PANELS = 2, 8
AXES_HEIGHT, BELOW_AXES, BETWEEN = 190, 58, 34
HEADING = 20
WIDEST = 440
DODGE = 0.07
"""Lines are moved apart by this share of the distance between two levels, so that no bar hides another."""


@dataclass(frozen=True)
class _Axis:
    """The y axis that all panels share, where the first panel of a row begins, and how wide each is."""

    low: float
    high: float
    left: float
    width: float


def interactions_picture(panels: Sequence[InteractionPanel], response: Response) -> Picture | None:
    """Draw the panels, all on one scale; None without any."""
    if not panels:
        return None
    shown = panels[:MOST_PANELS]
    with drawing(NAME):
        axis = _axis(shown)
        rows = [shown[start : start + PER_ROW] for start in range(0, len(shown), PER_ROW)]
        heads = [max(_head_height(panel, axis) for panel in row) for row in rows]
        sheet = Sheet(sum(heads) + len(rows) * (AXES_HEIGHT + BELOW_AXES) + MARGIN)
        top = float(MARGIN)
        for row, head in zip(rows, heads, strict=True):
            for place, panel in enumerate(row):
                _draw_panel(sheet, axis, panel, place, top + head)
            middle = top + head + AXES_HEIGHT / 2
            label = shortened(response_label(response), AXES_HEIGHT + head)
            sheet.text(MARGIN, middle, label, align="center", upright=True)
            top += head + AXES_HEIGHT + BELOW_AXES
        title = [say("Factors that act together: lines that are not parallel.")]
        if any(point.half_width is not None for point in _points(shown)):
            title.append(say("Bars are read as for the means."))
        if len(shown) < len(panels):
            title.append(say("Only the surest {n} panels of {total} are shown.", n=len(shown), total=len(panels)))
        return finished(sheet, NAME, sentences(title), _alt(shown))


def _points(panels: Sequence[InteractionPanel]) -> list[LevelPoint]:
    return [point for panel in panels for line in panel.means for point in line]


def _axis(panels: Sequence[InteractionPanel]) -> _Axis:
    ends = [point.mean + side * (point.half_width or 0.0) for point in _points(panels) for side in (-1, 1)]
    low, high = padded(min(ends), max(ends))
    ticks = text_width(number(high, decimals_for(high - low)), SMALL)
    left = MARGIN + FONT_SIZE + 4 + ticks + 8
    per_row = min(PER_ROW, len(panels))
    return _Axis(low, high, left, min(WIDEST, (WIDTH - MARGIN - left - (per_row - 1) * BETWEEN) / per_row))


def _keys(panel: InteractionPanel) -> list[Key]:
    keys = [Key(say("{name}:", name=panel.lines))]
    for place, level in enumerate(panel.line_levels):
        style = line_style(place)
        keys.append(Key(level, {"linestyle": style.dashes, "marker": style.marker, "color": style.color, "width": 1.6}))
    return keys


def _given(panel: InteractionPanel) -> str:
    return enumerated(f"{name} = {level}" for name, level in panel.given)


def _head_height(panel: InteractionPanel, axis: _Axis) -> float:
    return ROW_HEIGHT * len(legend_rows(_keys(panel), axis.width)) + (HEADING if panel.given else 0) + 8


def _draw_panel(sheet: Sheet, axis: _Axis, panel: InteractionPanel, place: int, axes_top: float) -> None:
    left = axis.left + place * (axis.width + BETWEEN)
    start = axes_top - _head_height(panel, axis)
    if panel.given:
        given = shortened(_given(panel), axis.width, bold=True)
        sheet.text(left, start + HEADING / 2, given, bold=True)
        start += HEADING
    draw_legend(sheet, _keys(panel), left, start, axis.width)
    axes = sheet.axes(left, axes_top, axis.width, AXES_HEIGHT)
    number_axis(axes, "y", axis.low, axis.high)
    if place:
        axes.tick_params(labelleft=False)
    _draw_lines(axes, panel)
    levels = [point.level for point in panel.means[0]]
    room = axis.width / len(levels) - 4
    axes.set_xlim(-0.5, len(levels) - 0.5)
    axes.set_xticks(range(len(levels)), [shortened(level, room, SMALL) for level in levels])
    name = shortened(panel.across, axis.width)
    sheet.text(left + axis.width / 2, axes_top + AXES_HEIGHT + 34, name, align="center")


def _draw_lines(axes: "Axes", panel: InteractionPanel) -> None:
    for place, line in enumerate(panel.means):
        style = line_style(place)
        shift = (place - (len(panel.means) - 1) / 2) * DODGE
        xs = [level + shift for level in range(len(line))]
        for x, point in zip(xs, line, strict=True):
            if point.half_width is not None:
                ends = [point.mean - point.half_width, point.mean + point.half_width]
                axes.plot([x, x], ends, linestyle="-", linewidth=1.1, color=QUIET, zorder=2)
        axes.plot(
            xs,
            [point.mean for point in line],
            linestyle=style.dashes,
            marker=style.marker,
            color=style.color,
            markeredgecolor=PAPER,
            markeredgewidth=0.6,
            markersize=7.5,
            zorder=3,
        )


def _alt(panels: Sequence[InteractionPanel]) -> str:
    values = [point.mean for point in _points(panels)]
    decimals = decimals_for(max(values) - min(values))
    texts = []
    for panel in panels:
        means = [
            f"{panel.across} {point.level}, {panel.lines} {level} {number(point.mean, decimals)}"
            for level, line in zip(panel.line_levels, panel.means, strict=True)
            for point in line
        ]
        term = panel.term + (say(" ({details})", details=_given(panel)) if panel.given else "")
        texts.append(say("{term}: {means}.", term=term, means=say("; ").join(means)))
    return say("Interaction plot. {panels}", panels=sentences(texts))
