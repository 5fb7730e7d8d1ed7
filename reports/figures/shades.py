"""From values to colours."""

from dataclasses import dataclass

from reports.figures.axis import is_flat, round_ticks
from reports.figures.sheet import Sheet
from reports.figures.style import AXIS
from reports.figures.texts import SMALL, decimals_for, number, text_width

BAR_WIDTH, BAR_HEIGHT = 260.0, 10.0
PATCH_WIDTH, PATCH_GAP = 16.0, 6.0
N_STEPS = 65
ON_BRIGHT, ON_DARK = "#000000", "#fefefe"
"""Black and white upon shades, which stay what they are on dark screens: other colours than those of style.py."""
BEYOND = (1 / 255, 1 / 255, 1 / 255)
"""Black; not #000000, which matplotlib leaves out of an SVG, where the page's own style might then decide."""


@dataclass(frozen=True)
class Shades:
    """From values to colours: a perceptually uniform map, its bright end the better one; black for what is worse."""

    low: float
    high: float
    lower_is_better: bool

    @property
    def span(self) -> float:
        """How far the ends are apart; 0 where there is one value, and so one colour."""
        return 0.0 if is_flat(self.low, self.high) else self.high - self.low

    def is_beyond(self, value: float) -> bool:
        """Whether a value is worse than all that have a colour: the worst of these would pass for as bad."""
        return value > self.high if self.lower_is_better else value < self.low

    def rgb(self, value: float) -> tuple[float, float, float]:
        """Return red, green and blue from 0 to 1."""
        import matplotlib as mpl

        if self.is_beyond(value):
            return BEYOND
        share = (value - self.low) / self.span if self.span else 0.5
        share = min(max(share, 0.0), 1.0)
        red, green, blue, _ = mpl.colormaps["cividis"](1 - share if self.lower_is_better else share)
        return red, green, blue

    def color(self, value: float) -> str:
        """Return the colour as SVG spells it."""
        return spelled(self.rgb(value))

    def ink(self, value: float) -> str:
        """Return black or white, whichever stands out more (WCAG relative luminance)."""
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in self.rgb(value)]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return ON_BRIGHT if luminance > 0.179 else ON_DARK


def spelled(rgb: tuple[float, float, float]) -> str:
    """Return red, green and blue from 0 to 1 as SVG spells them."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def draw_bar(sheet: Sheet, shades: Shades, left: float, top: float, label: str, beyond: str = "") -> None:
    """Draw what each colour means, the label below; ``beyond`` names what is worse than all of them, if anything is."""
    start, ticks = left, _ticks(shades)
    if beyond:
        sheet.rectangle(left, top, PATCH_WIDTH, BAR_HEIGHT, spelled(BEYOND))
        sheet.text(left + PATCH_WIDTH / 2, top + BAR_HEIGHT + 12, beyond, align="center", size=SMALL)
        start += PATCH_WIDTH + max([PATCH_GAP, *(text_width(text, SMALL) / 2 for _, text in ticks[:1])])
    if shades.span:
        _draw_strips(sheet, shades, start, top)
    else:
        sheet.rectangle(start, top, BAR_WIDTH, BAR_HEIGHT, shades.color(shades.low))
    for share, text in ticks:
        x = start + BAR_WIDTH * share
        sheet.line([x, x], [top + BAR_HEIGHT, top + BAR_HEIGHT + 4], AXIS, 0.8)
        sheet.text(x, top + BAR_HEIGHT + 12, text, align="center", size=SMALL)
    sheet.text(left, top + BAR_HEIGHT + 30, label)


def _draw_strips(sheet: Sheet, shades: Shades, left: float, top: float) -> None:
    step = BAR_WIDTH / N_STEPS
    for place in range(N_STEPS):
        value = shades.low + shades.span * place / (N_STEPS - 1)
        # Strips overlap, or a viewer that scales would show white hairs between them.
        width = step + 0.6 if place < N_STEPS - 1 else BAR_WIDTH - step * place
        sheet.rectangle(left + step * place, top, width, BAR_HEIGHT, shades.color(value))


def _ticks(shades: Shades) -> list[tuple[float, str]]:
    """Return which share of the bar each tick stands at, and what it says."""
    if not shades.span:
        return [(0.5, number(shades.low, decimals_for(0.0)))]
    ticks, texts = round_ticks(shades.low, shades.high, 5)
    return [((tick - shades.low) / shades.span, text) for tick, text in zip(ticks, texts, strict=True)]
