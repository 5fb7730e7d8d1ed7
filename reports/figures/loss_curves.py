"""Losses as trainings logged them, one line each, named at their ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.axis import LOG_ABOVE, log_axis, number_axis, padded, response_label, round_ticks
from reports.figures.figure import LossCurve, Picture, Response
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.placing import LINE_HEIGHT, spread_apart
from reports.figures.sheet import MARGIN, WIDTH, Sheet, drawing, finished
from reports.figures.style import QUIET, Look, line_style
from reports.figures.texts import FONT_SIZE, SMALL, shortened, text_width
from reports.language.say import say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOT_HEIGHT, BELOW = 330, 50
N_TICKS = 6
LONGEST_NAME = 200
MOST_NAMED = 8
"""More lines than these are drawn, but not told apart."""
MOST_MARKERS = 40

OTHERS: Look = {"color": QUIET, "linestyle": "-", "linewidth": 0.9}


@dataclass(frozen=True)
class LossCurves:
    """The lines of a figure; ``along`` names what they run over. Those beyond the first few are drawn in grey."""

    curves: tuple[LossCurve, ...]
    along: str
    response: Response

    @property
    def named(self) -> tuple[LossCurve, ...]:
        """The lines that have a name."""
        return self.curves[:MOST_NAMED]

    @property
    def values(self) -> list[float]:
        """All losses."""
        return [value for curve in self.curves for _, value in curve.points]

    @property
    def places(self) -> list[float]:
        """Where they stand."""
        return [place for curve in self.curves for place, _ in curve.points]


def loss_curves_picture(
    name: str, title: str, curves: Sequence[LossCurve], along: str, response: Response
) -> Picture | None:
    """Draw losses over steps or epochs; None without a point.

    Values that differ by more than a factor of 20 get a logarithmic axis.
    """
    about = LossCurves(tuple(curve for curve in curves if curve.points), along, response)
    if not about.curves:
        return None
    n_others = len(about.curves) - len(about.named)
    with drawing(name):
        keys = [Key(say("others ({n})", n=n_others), OTHERS)] if n_others else []
        head = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(head + PLOT_HEIGHT + BELOW)
        draw_legend(sheet, keys, MARGIN, MARGIN / 2)
        _draw(sheet, head, about)
        return finished(sheet, name, title, _alt(about))


def _draw(sheet: Sheet, top: float, about: LossCurves) -> None:
    low, high = min(about.values), max(about.values)
    is_log = low > 0 and high > LOG_ABOVE * low
    low, high = (low / 1.15, high * 1.15) if is_log else padded(low, high)
    labels = [f"{low:.1g}", f"{high:.1g}"] if is_log else round_ticks(low, high, N_TICKS)[1]
    texts = [shortened(curve.name, LONGEST_NAME, SMALL) for curve in about.named]
    left = MARGIN + FONT_SIZE + 4 + max(text_width(text, SMALL) for text in labels) + 8
    width = WIDTH - MARGIN - left - max(text_width(text, SMALL) for text in texts) - 22
    axes = sheet.axes(left, top, width, PLOT_HEIGHT)
    (log_axis if is_log else number_axis)(axes, "y", low, high)
    number_axis(axes, "x", *padded(min(about.places), max(about.places), 0.02), n_ticks=7)
    for curve in about.curves[MOST_NAMED:]:
        _draw_curve(axes, curve, OTHERS | {"zorder": 2})
    for number, curve in enumerate(about.named):
        style = line_style(number)
        look: Look = {"color": style.color, "linestyle": style.dashes, "marker": style.marker, "linewidth": 1.6}
        _draw_curve(axes, curve, look | {"zorder": 3, "markersize": 4.0 if len(curve.points) <= MOST_MARKERS else 0})
    sheet.text(left + width / 2, sheet.height - MARGIN, shortened(about.along, width), align="center")
    label = shortened(response_label(about.response), PLOT_HEIGHT)
    sheet.text(MARGIN, top + PLOT_HEIGHT / 2, label, align="center", upright=True)
    _name_ends(sheet, axes, top, about, texts, left + width)


def _draw_curve(axes: "Axes", curve: LossCurve, look: Look) -> None:
    axes.plot(*zip(*curve.points, strict=True), **look, clip_on=False)


def _name_ends(sheet: Sheet, axes: "Axes", top: float, about: LossCurves, texts: Sequence[str], right: float) -> None:
    spots = [axes.transData.transform(curve.points[-1]) for curve in about.named]
    wanted = [float(sheet.height - y) for _, y in spots]
    heights = spread_apart(wanted, LINE_HEIGHT, top, top + PLOT_HEIGHT)
    for number, ((x, _), y, height, text) in enumerate(zip(spots, wanted, heights, texts, strict=True)):
        sheet.line([float(x) + 6, right + 18], [y, height], color=line_style(number).color, width=0.6)
        sheet.text(right + 21, height, text, size=SMALL)


def _alt(about: LossCurves) -> str:
    texts = [
        say(
            "{name}: {first} at {along} {first_place}, {last} at {along} {last_place}.",
            name=curve.name,
            along=about.along,
            first=f"{curve.points[0][1]:.4g}",
            first_place=f"{curve.points[0][0]:g}",
            last=f"{curve.points[-1][1]:.4g}",
            last_place=f"{curve.points[-1][0]:g}",
        )
        for curve in about.named
    ]
    return say("Curves of {label}. {curves}", label=about.response.label, curves=sentences(texts))
