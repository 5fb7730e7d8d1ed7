"""Half-normal plot: what sticks out of the noise. Source: Daniel 1959, Technometrics 1, 311-341."""

from typing import TYPE_CHECKING

from reports.figures.axis import number_axis
from reports.figures.figure import EffectPoint, EffectPoints, Picture, Response, Scale
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.noise_band import Place, noise_size, placed
from reports.figures.placing import LINE_HEIGHT, Box, around
from reports.figures.sheet import MARGIN, WIDTH, Sheet, drawing, finished
from reports.figures.style import BAND, BLUE, PAPER, QUIET, VERMILLION, Look
from reports.figures.texts import decimals_for, number, shortened, signed, text_width
from reports.language.say import enumerated, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "half-normal"
PLOT_HEIGHT = 360
LEFT, BELOW = 58, 50
GAP, FAR = 9.0, 2 * LINE_HEIGHT
"""Between a point and its name; and how far below it a name may be before the other side is better."""


def half_normal_picture(effects: EffectPoints, response: Response) -> Picture | None:
    """Draw sizes of effects against half-normal quantiles, with names of those found; None without any effect."""
    if not effects.points:
        return None
    with drawing(NAME):
        places = placed(effects)
        keys = _keys(effects)
        head = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(head + PLOT_HEIGHT + BELOW)
        draw_legend(sheet, keys, LEFT, MARGIN / 2, WIDTH - LEFT - MARGIN)
        _draw(sheet, head, effects, places, _size_label(effects.scale, response))
        title = say(
            "Half-normal plot of {n} effects: noise stays in the grey band; beyond the limit an effect is found.",
            n=len(effects.points),
        )
        alt = say(
            "Half-normal plot of effects (n = {n}). {found}. Others outside the band of noise: {outside}.",
            n=len(effects.points),
            found=_found_text(effects),
            outside=sum(not place.is_within for place in places if not place.point.found),
        )
        return finished(sheet, NAME, title, alt)


def _size_label(scale: Scale, response: Response) -> str:
    label = response.label
    names = {
        Scale.EFFECT: say("size of the effect on {label}", label=label),
        Scale.T: say("size of the effect on {label} / its standard error", label=label),
        Scale.SCORE: say("normal score of the effect's p value ({label})", label=label),
    }
    return names[scale]


def _decimals(effects: EffectPoints) -> int:
    return decimals_for(max(abs(point.value) for point in effects.points)) if effects.scale is Scale.EFFECT else 1


def _text(point: EffectPoint, effects: EffectPoints) -> str:
    if effects.scale is Scale.SCORE:
        return point.name
    return f"{point.name} {signed(point.value, _decimals(effects))}"


def _found_text(effects: EffectPoints) -> str:
    ordered = sorted(effects.points, key=lambda point: -abs(point.value))
    names = [_text(point, effects) for point in ordered if point.found]
    return say("Found: {names}", names=enumerated(names)) if names else say("None was found")


FOUND: Look = {"marker": "o", "color": BLUE, "markersize": 7.0}
NOT_FOUND: Look = {"marker": "o", "color": QUIET, "markerfacecolor": PAPER, "markersize": 5.5}
LIMIT: Look = {"linestyle": (0, (8, 2, 1.5, 2)), "color": VERMILLION, "width": 1.6}
NOISE: Look = {"linestyle": (0, (3, 3)), "color": QUIET, "width": 1.2}
WITHIN: Look = {"marker": "s", "color": BAND, "markeredgecolor": QUIET, "markeredgewidth": 0.5, "markersize": 9.0}
N_STEPS = 60
"""Straight pieces of the dashed line."""


def _keys(effects: EffectPoints) -> list[Key]:
    keys = [Key(say("effect found"), FOUND)] if any(point.found for point in effects.points) else []
    if not all(point.found for point in effects.points):
        keys.append(Key(say("no effect found"), NOT_FOUND))
    if effects.limit is not None:
        limit = number(effects.limit, _decimals(effects) + 1)
        keys.append(Key(say("simultaneous 95 % limit {limit}", limit=limit), LIMIT))
    return [*keys, Key(say("noise alone"), NOISE), Key(say("95 % band of noise"), WITHIN)]


def _draw(sheet: Sheet, top: float, effects: EffectPoints, placed_points: list[Place], size_label: str) -> None:
    points = [place.point for place in placed_points]
    quantiles = [place.quantile for place in placed_points]
    width = WIDTH - LEFT - MARGIN
    axes = sheet.axes(LEFT, top, width, PLOT_HEIGHT)
    upper = 1.12 * quantiles[-1]
    sizes = [abs(point.value) for point in points]
    right = 1.06 * max(*sizes, effects.limit or 0.0, noise_size(effects, quantiles[-1])) or 1.0
    number_axis(axes, "x", 0.0, right)
    number_axis(axes, "y", 0.0, upper)
    _draw_noise(axes, effects, placed_points, upper)
    for found, look in ((False, NOT_FOUND), (True, FOUND)):
        chosen = [(abs(p.value), q) for p, q in zip(points, quantiles, strict=True) if p.found is found]
        if chosen:
            axes.plot(*zip(*chosen, strict=True), linestyle="none", clip_on=False, zorder=4, **look)
    sheet.text(LEFT + width / 2, sheet.height - MARGIN, size_label, align="center")
    sheet.text(MARGIN, top + PLOT_HEIGHT / 2, say("half-normal quantile"), align="center", upright=True)
    places = [
        (LEFT + width * abs(p.value) / right, top + PLOT_HEIGHT * (1 - q / upper))
        for p, q in zip(points, quantiles, strict=True)
    ]
    _draw_names(sheet, top, effects, points, places)


def _draw_noise(axes: "Axes", effects: EffectPoints, places: list[Place], upper: float) -> None:
    heights = [0.0, *(place.quantile for place in places)]
    edges = [0.0, *(place.low for place in places)], [0.0, *(place.high for place in places)]
    axes.fill([*edges[0], *edges[1][::-1]], [*heights, *heights[::-1]], facecolor=BAND, edgecolor="none", zorder=0.5)
    steps = [upper * step / N_STEPS for step in range(N_STEPS + 1)]
    sizes = [noise_size(effects, quantile) for quantile in steps]
    axes.plot(sizes, steps, linestyle=NOISE["linestyle"], color=QUIET, linewidth=1.2)
    if effects.limit is not None:
        axes.axvline(effects.limit, linestyle=LIMIT["linestyle"], color=VERMILLION, linewidth=1.6)


def _draw_names(
    sheet: Sheet, top: float, effects: EffectPoints, points: list[EffectPoint], places: list[tuple[float, float]]
) -> None:
    """Name what was found, the largest first, as far as there is room."""
    found = [(_text(p, effects), *place) for p, place in zip(points, places, strict=True) if p.found][::-1]
    last_right = last_left = -LINE_HEIGHT
    for full_text, x, y in found:
        text = shortened(full_text, max(WIDTH - 4 - x, x - LEFT - 4) - GAP)
        width = text_width(text)
        # Points rise to the right: below a point, all to its right is free.
        height = max(y, last_right + LINE_HEIGHT)
        is_free = x + GAP + width <= WIDTH - 4 and height <= top + PLOT_HEIGHT - LINE_HEIGHT / 2
        to_left = Box(x - GAP - width, y - LINE_HEIGHT / 2, x - GAP, y + LINE_HEIGHT / 2)
        is_left_free = y >= last_left + LINE_HEIGHT and _is_free(to_left, places)
        if is_free and (height - y <= FAR or not is_left_free):
            last_right = height
            if height - y > 4:
                sheet.line([x, x + GAP - 2], [y, height], color=QUIET, width=0.6)
            sheet.text(x + GAP, height, text)
        elif is_left_free:
            last_left = y
            # The limit may be behind it.
            sheet.rectangle(to_left.left, to_left.top, width, LINE_HEIGHT, PAPER)
            sheet.text(x - GAP, y, text, align="right")


def _is_free(box: Box, places: list[tuple[float, float]]) -> bool:
    points = [around(x, y, 4) for x, y in places]
    return box.left >= LEFT + 4 and not any(box.overlaps(point) for point in points)
