"""The curve of a training's log: one line, broken where nothing was logged."""

from collections.abc import Sequence
from itertools import pairwise

from reports.figures.axis import LOG_ABOVE, log_axis, number_axis, padded, response_label, round_ticks
from reports.figures.figure import Picture, Response
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.sheet import MARGIN, WIDTH, Sheet, drawing, finished
from reports.figures.style import BLUE, INK, QUIET, Look
from reports.figures.texts import FONT_SIZE, SMALL, shortened, text_width
from reports.language.say import say

NAME = "curve"
PLOT_HEIGHT, BELOW = 330, 50
N_TICKS = 6
MOST_MARKERS = 150
"""With more points than these, markers would only make the line thick."""

LINE: Look = {"color": BLUE, "linestyle": "-", "linewidth": 1.4}
NOT_LOGGED: Look = {"color": QUIET, "linestyle": (0, (1.2, 2.4)), "linewidth": 1.2}
EXTREME: Look = {"marker": "o", "color": INK, "markerfacecolor": "none", "markersize": 11.0, "markeredgewidth": 1.0}

Point = tuple[float, float]
"""Where it stands, and its value."""


def log_curve_picture(parts: Sequence[Sequence[Point]], extreme: Point, along: str, response: Response) -> Picture:
    """Draw a curve of at least two points; between its ``parts`` nothing was logged.

    ``along`` names what the curve runs over; ``extreme`` is the lowest point, or the highest where that is better.
    Values that differ by more than a factor of 20 get a logarithmic axis.
    """
    points = [point for part in parts for point in part]
    extreme_text = _extreme_text(extreme, along, response)
    keys = [Key(response.label, LINE), Key(extreme_text, EXTREME | {"markersize": 9.0, "linestyle": "none"})]
    if len(parts) > 1:
        keys.append(Key(say("not logged"), NOT_LOGGED))
    with drawing(NAME):
        head = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(head + PLOT_HEIGHT + BELOW)
        draw_legend(sheet, keys, MARGIN, MARGIN / 2)
        _draw(sheet, head, parts, extreme, along, response)
        title = say("{label} over {along}.", label=response.label, along=along)
        return finished(sheet, NAME, title, _alt(points[0], points[-1], extreme_text, along, response))


def _draw(
    sheet: Sheet, top: float, parts: Sequence[Sequence[Point]], extreme: Point, along: str, response: Response
) -> None:
    points = [point for part in parts for point in part]
    values = [value for _, value in points]
    low, high = min(values), max(values)
    is_log = low > 0 and high > LOG_ABOVE * low
    low, high = (low / 1.15, high * 1.15) if is_log else padded(low, high)
    labels = [f"{low:.1g}", f"{high:.1g}"] if is_log else round_ticks(low, high, N_TICKS)[1]
    left = MARGIN + FONT_SIZE + 4 + max(text_width(text, SMALL) for text in labels) + 8
    axes = sheet.axes(left, top, WIDTH - 2 * MARGIN - left, PLOT_HEIGHT)
    if is_log:
        log_axis(axes, "y", low, high)
    else:
        number_axis(axes, "y", low, high, N_TICKS)
    number_axis(axes, "x", *padded(points[0][0], points[-1][0], 0.02), n_ticks=9)
    marker: Look = {"marker": ".", "markersize": 4.0} if len(points) <= MOST_MARKERS else {}
    for part in parts:
        axes.plot(*zip(*part, strict=True), **(LINE | marker), zorder=3, clip_on=False)
    for before, after in pairwise(parts):
        axes.plot(*zip(before[-1], after[0], strict=True), **NOT_LOGGED, zorder=2)
    axes.plot(*extreme, **EXTREME, zorder=4, clip_on=False)
    sheet.text((left + WIDTH - MARGIN) / 2, sheet.height - MARGIN, shortened(along, PLOT_HEIGHT), align="center")
    label = shortened(response_label(response), PLOT_HEIGHT)
    sheet.text(MARGIN, top + PLOT_HEIGHT / 2, label, align="center", upright=True)


def _extreme_text(extreme: Point, along: str, response: Response) -> str:
    place, value = f"{extreme[0]:g}", f"{extreme[1]:.4g}"
    if response.lower_is_better:
        return say("lowest: {value} at {along} {place}", value=value, along=along, place=place)
    return say("highest: {value} at {along} {place}", value=value, along=along, place=place)


def _alt(first: Point, last: Point, extreme: str, along: str, response: Response) -> str:
    return say(
        "Curve of {label}: {first} at {along} {first_place}, {last} at {along} {last_place}; {extreme}.",
        label=response.label,
        along=along,
        first=f"{first[1]:.4g}",
        first_place=f"{first[0]:g}",
        last=f"{last[1]:.4g}",
        last_place=f"{last[0]:g}",
        extreme=extreme,
    )
