"""Learning curves: the runs that a page talks about, named at their ends."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.figures.axis import number_axis, padded, response_label
from reports.figures.figure import Curve, Picture, Response, Role
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.placing import LINE_HEIGHT, spread_apart
from reports.figures.sheet import MARGIN, WIDTH, Sheet, drawing, finished
from reports.figures.style import BLACK, BLUE, INK, QUIET, VERMILLION, LineStyle, Look
from reports.figures.texts import FONT_SIZE, SMALL, decimals_for, number, shortened, text_width
from reports.language.say import enumerated, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "curves"
PLOT_HEIGHT, BELOW = 330, 50
LONGEST_NAME = 190
MOST_CURVES = 20
"""What can be named beside the plot in rows of their own."""

STYLES = {
    Role.BEST: LineStyle(BLUE, "-", "o"),
    Role.WORST: LineStyle(VERMILLION, (0, (5, 2)), "s"),
    Role.BASELINE: LineStyle(BLACK, (0, (1.2, 1.6)), "D"),
    Role.NOT_LEARNED: LineStyle(QUIET, (0, (6, 2, 1.2, 2)), "x"),
}
CHOSEN: Look = {"marker": "o", "color": INK, "markerfacecolor": "none", "markersize": 12.0, "markeredgewidth": 1.0}

Points = list[tuple[int, float]]


def curves_picture(curves: Sequence[Curve], response: Response) -> Picture | None:
    """Draw the response after each epoch; None when no curve has a point."""
    known = [(curve, points) for curve in curves if (points := _points(curve))][:MOST_CURVES]
    if not known:
        return None
    with drawing(NAME):
        keys = _keys([curve for curve, _ in known])
        head = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(head + PLOT_HEIGHT + BELOW)
        draw_legend(sheet, keys, MARGIN, MARGIN / 2)
        _draw(sheet, head, known, response)
        title = say("{label} after each epoch.", label=response.label)
        return finished(sheet, NAME, title, _alt(known))


def _points(curve: Curve) -> Points:
    return [
        (epoch, value)
        for epoch, value in enumerate(curve.values, start=1)
        if value is not None and math.isfinite(value)
    ]


def _style(curve: Curve) -> LineStyle:
    return next((STYLES[role] for role in Role if role in curve.roles), STYLES[Role.NOT_LEARNED])


def _roles(curve: Curve) -> list[str]:
    names = {Role.BEST: say("best"), Role.WORST: say("worst"), Role.BASELINE: say("baseline")}
    texts = [names[role] for role in Role if role in curve.roles and role in names]
    return [*texts, say("did not learn")] if curve.not_learned or Role.NOT_LEARNED in curve.roles else texts


def _name(curve: Curve) -> str:
    roles = enumerated(_roles(curve))
    return say("{word}: {name}", word=roles, name=curve.name) if roles else curve.name


def _keys(curves: Sequence[Curve]) -> list[Key]:
    names = {
        Role.BEST: say("best"),
        Role.BASELINE: say("baseline"),
        Role.WORST: say("worst"),
        Role.NOT_LEARNED: say("did not learn"),
    }
    used = {_style(curve) for curve in curves}
    keys = [
        Key(name, {"linestyle": style.dashes, "marker": style.marker, "color": style.color, "linewidth": 1.7})
        for role, name in names.items()
        if (style := STYLES[role]) in used
    ]
    if any(curve.chosen_epoch and _style(curve) is not STYLES[Role.NOT_LEARNED] for curve in curves):
        keys.append(Key(say("chosen epoch"), CHOSEN | {"markersize": 10.0}))
    return keys


def _draw(sheet: Sheet, top: float, known: Sequence[tuple[Curve, Points]], response: Response) -> None:
    values = [value for _, points in known for _, value in points]
    low, high = padded(min(values), max(values))
    texts = [shortened(_name(curve), LONGEST_NAME, SMALL) for curve, _ in known]
    left = MARGIN + FONT_SIZE + 4 + text_width(number(high, decimals_for(high - low)), SMALL) + 8
    width = WIDTH - MARGIN - left - max(text_width(text, SMALL) for text in texts) - 22
    axes = sheet.axes(left, top, width, PLOT_HEIGHT)
    number_axis(axes, "y", low, high)
    _epoch_axis(axes, max(points[-1][0] for _, points in known))
    for curve, points in known:
        _draw_curve(axes, curve, points)
    sheet.text(left + width / 2, sheet.height - MARGIN, say("epoch"), align="center")
    label = shortened(response_label(response), PLOT_HEIGHT)
    sheet.text(MARGIN, top + PLOT_HEIGHT / 2, label, align="center", upright=True)
    _name_ends(sheet, axes, top, [points[-1] for _, points in known], texts, left + width)


def _epoch_axis(axes: "Axes", last: int) -> None:
    """Whole epochs only."""
    step = next(size * 10**power for power in range(9) for size in (1, 2, 5) if last / (size * 10**power) <= 16)
    ticks = [1, *range(step, last + 1, step)] if step > 1 else list(range(1, last + 1))
    axes.set_xlim(1 - 0.03 * last, last + 0.03 * last)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])


def _draw_curve(axes: "Axes", curve: Curve, points: Points) -> None:
    style = _style(curve)
    is_named = style is not STYLES[Role.NOT_LEARNED]
    # Unknown epochs interrupt the line.
    values = [math.nan] * points[-1][0]
    for epoch, value in points:
        values[epoch - 1] = value
    axes.plot(
        range(1, len(values) + 1),
        values,
        linestyle=style.dashes,
        color=style.color,
        marker=style.marker,
        markersize=4.5 if len(values) <= 40 else 0,
        linewidth=1.7 if is_named else 1.1,
        zorder=3 if is_named else 2,
        clip_on=False,
    )
    if curve.not_learned:
        axes.plot(
            *points[-1], marker="x", markersize=9, markeredgewidth=1.8, color=style.color, clip_on=False, zorder=2
        )
    chosen_epoch = curve.chosen_epoch or 0
    chosen = dict(points).get(chosen_epoch)
    if chosen is not None and is_named:
        axes.plot(chosen_epoch, chosen, linestyle="none", clip_on=False, **CHOSEN)


def _name_ends(
    sheet: Sheet, axes: "Axes", top: float, ends: list[tuple[int, float]], texts: list[str], right: float
) -> None:
    spots = [axes.transData.transform(end) for end in ends]
    wanted = [float(sheet.height - y) for _, y in spots]
    heights = spread_apart(wanted, LINE_HEIGHT, top, top + PLOT_HEIGHT)
    for (x, _), y, height, text in zip(spots, wanted, heights, texts, strict=True):
        sheet.line([float(x) + 7, right + 18], [y, height], color=QUIET, width=0.6)
        sheet.text(right + 21, height, text, size=SMALL)


def _alt(known: Sequence[tuple[Curve, Points]]) -> str:
    values = [value for _, points in known for _, value in points]
    decimals = decimals_for(max(values) - min(values))
    texts = [
        say(
            "{name}: {first} after epoch {first_epoch}, {last} after epoch {last_epoch}.",
            name=_name(curve),
            first=number(points[0][1], decimals),
            first_epoch=points[0][0],
            last=number(points[-1][1], decimals),
            last_epoch=points[-1][0],
        )
        for curve, points in known
    ]
    return say("Learning curves. {curves}", curves=sentences(texts))
