"""Main-effect plot: the mean at every level, one row a level, so that long names and many levels have room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.axis import number_axis, padded, response_label
from reports.figures.figure import FactorMeans, LevelPoint, Picture, Response
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.sheet import MARGIN, WIDTH, Sheet, drawing, finished
from reports.figures.style import BLUE, GRID, INK, PAPER, QUIET, VERMILLION, Look
from reports.figures.texts import FONT_SIZE, SMALL, decimals_for, number, shortened, text_width
from reports.language.say import enumerated, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "main-effects"
LEVEL_HEIGHT, FACTOR_GAP = 19, 13
BELOW = 50
LONGEST_FACTOR, LONGEST_LEVEL = 190, 130
GAP = 12

FOUND: Look = {"marker": "o", "color": BLUE, "markersize": 7.0}
NOT_FOUND: Look = {"marker": "o", "color": QUIET, "markerfacecolor": PAPER, "markersize": 6.0}
GRAND_MEAN: Look = {"linestyle": (0, (8, 2, 1.5, 2)), "color": VERMILLION, "width": 1.2}
BASELINE_MARKER = "D"
BAR: Look = {"linestyle": "-", "color": INK, "width": 1.4}


@dataclass(frozen=True)
class _Layout:
    """Where things are, in pixels from the top of the axes, and the x axis in units of the response."""

    names_right: float
    axes_left: float
    height: float
    low: float
    high: float


def main_effects_picture(factors: Sequence[FactorMeans], grand_mean: float, response: Response) -> Picture | None:
    """Draw the mean at each level of each factor; None without any factor."""
    factors = [factor for factor in factors if factor.levels]
    if not factors:
        return None
    with drawing(NAME):
        layout = _layout(factors, grand_mean)
        keys = _keys(factors, number(grand_mean, _decimals(layout)))
        head = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(head + layout.height + BELOW)
        draw_legend(sheet, keys, MARGIN, MARGIN / 2)
        _draw(sheet, head, layout, factors, grand_mean)
        middle = (layout.axes_left + WIDTH - MARGIN) / 2
        sheet.text(middle, sheet.height - MARGIN, response_label(response), align="center")
        alt = _alt(factors, grand_mean, _decimals(layout))
        about = say("Mean at each level, over the other factors.")
        bars = say("Levels whose bars do not overlap the baseline level's differ from it (95 %, simultaneous).")
        title = sentences([about, bars if _has_bars(factors) else ""])
        return finished(sheet, NAME, title, alt)


def _layout(factors: Sequence[FactorMeans], grand_mean: float) -> _Layout:
    names = max(text_width(factor.factor, bold=True) for factor in factors)
    levels = max(text_width(point.level, SMALL) for factor in factors for point in factor.levels)
    names_right = MARGIN + min(names, LONGEST_FACTOR)
    ends = [point.mean + side * (point.half_width or 0.0) for f in factors for point in f.levels for side in (-1, 1)]
    low, high = padded(min(*ends, grand_mean), max(*ends, grand_mean))
    n_levels = sum(len(factor.levels) for factor in factors)
    return _Layout(
        names_right,
        names_right + GAP + min(levels, LONGEST_LEVEL) + GAP,
        LEVEL_HEIGHT * n_levels + FACTOR_GAP * len(factors),
        low,
        high,
    )


def _has_bars(factors: Sequence[FactorMeans]) -> bool:
    return any(point.half_width is not None for factor in factors for point in factor.levels)


def _decimals(layout: _Layout) -> int:
    return decimals_for(layout.high - layout.low)


def _keys(factors: Sequence[FactorMeans], grand_mean: str) -> list[Key]:
    keys = [Key(say("main effect found"), FOUND)] if any(factor.found for factor in factors) else []
    if not all(factor.found for factor in factors):
        keys.append(Key(say("no main effect found"), NOT_FOUND))
    if any(point.is_baseline for factor in factors for point in factor.levels):
        keys.append(Key(say("baseline level"), NOT_FOUND | {"marker": BASELINE_MARKER}))
    if _has_bars(factors):
        keys.append(Key(say("bars apart: different"), BAR))
    return [*keys, Key(say("mean of all {mean}", mean=grand_mean), GRAND_MEAN, upright=True)]


def _rows(factors: Sequence[FactorMeans]) -> Iterator[tuple[FactorMeans, list[float]]]:
    """Yield each factor with the heights of its levels, from the top of the axes."""
    y = FACTOR_GAP / 2
    for factor in factors:
        yield factor, [y + LEVEL_HEIGHT * (place + 0.5) for place in range(len(factor.levels))]
        y += LEVEL_HEIGHT * len(factor.levels) + FACTOR_GAP


def _draw(sheet: Sheet, top: float, layout: _Layout, factors: Sequence[FactorMeans], grand_mean: float) -> None:
    axes = sheet.axes(layout.axes_left, top, WIDTH - MARGIN - layout.axes_left, layout.height)
    number_axis(axes, "x", layout.low, layout.high)
    axes.set_ylim(layout.height, 0)
    axes.set_yticks([])
    axes.axvline(grand_mean, linestyle=(0, (8, 2, 1.5, 2)), color=VERMILLION, linewidth=1.2)
    for place, (factor, heights) in enumerate(_rows(factors)):
        if place:
            edge = top + heights[0] - LEVEL_HEIGHT / 2 - FACTOR_GAP / 2
            sheet.line([MARGIN, WIDTH - MARGIN], [edge, edge], color=GRID, width=0.6)
        _draw_factor(axes, factor, heights)
        _write_names(sheet, top, layout, factor, heights)


def _draw_factor(axes: "Axes", factor: FactorMeans, heights: list[float]) -> None:
    look = FOUND if factor.found else NOT_FOUND
    means = [point.mean for point in factor.levels]
    axes.plot(means, heights, linestyle="-", linewidth=0.8, color=look["color"])
    for point, height in zip(factor.levels, heights, strict=True):
        if point.half_width is not None:
            ends = [point.mean - point.half_width, point.mean + point.half_width]
            axes.plot(ends, [height, height], linestyle="-", linewidth=1.4, color=INK)
    for point, height in zip(factor.levels, heights, strict=True):
        marker = {"marker": BASELINE_MARKER} if point.is_baseline else {}
        axes.plot(point.mean, height, linestyle="none", zorder=4, **(look | marker))


def _write_names(sheet: Sheet, top: float, layout: _Layout, factor: FactorMeans, heights: list[float]) -> None:
    name = shortened(factor.factor, layout.names_right - MARGIN, bold=factor.found)
    middle = top + (heights[0] + heights[-1]) / 2
    sheet.text(MARGIN, middle, name, size=FONT_SIZE, bold=factor.found)
    for point, height in zip(factor.levels, heights, strict=True):
        level = shortened(point.level, LONGEST_LEVEL, SMALL)
        sheet.text(layout.axes_left - GAP, top + height, level, align="right", size=SMALL)


def _alt(factors: Sequence[FactorMeans], grand_mean: float, decimals: int) -> str:
    def means(levels: Sequence[LevelPoint]) -> str:
        return enumerated(f"{point.level} {number(point.mean, decimals)}" for point in levels)

    texts = [
        say(
            "{factor}: {levels}.",
            factor=factor.factor + (say(" ({details})", details=say("main effect found")) if factor.found else ""),
            levels=means(factor.levels),
        )
        for factor in factors
    ]
    return say(
        "Level means of factors (n = {n}) around the mean of all, {mean}. {factors}",
        n=len(factors),
        mean=number(grand_mean, decimals),
        factors=sentences(texts),
    )
