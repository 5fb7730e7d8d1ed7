"""From values to colours."""

from dataclasses import dataclass

from reports.figures.axis import round_ticks
from reports.figures.sheet import Sheet
from reports.figures.style import AXIS
from reports.figures.texts import SMALL

BAR_WIDTH, BAR_HEIGHT = 260.0, 10.0
N_STEPS = 65
ON_BRIGHT, ON_DARK = "#000000", "#fefefe"
"""Black and white upon shades, which stay what they are on dark screens: other colours than those of style.py."""


@dataclass(frozen=True)
class Shades:
    """From values to colours: a perceptually uniform map, its bright end the better one."""

    low: float
    high: float
    lower_is_better: bool

    def rgb(self, value: float) -> tuple[float, float, float]:
        """Return red, green and blue from 0 to 1."""
        import matplotlib as mpl

        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        share = min(max(share, 0.0), 1.0)
        red, green, blue, _ = mpl.colormaps["cividis"](1 - share if self.lower_is_better else share)
        return red, green, blue

    def color(self, value: float) -> str:
        """Return the colour as SVG spells it."""
        return "#" + "".join(f"{round(255 * part):02x}" for part in self.rgb(value))

    def ink(self, value: float) -> str:
        """Return black or white, whichever stands out more (WCAG relative luminance)."""
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in self.rgb(value)]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return ON_BRIGHT if luminance > 0.179 else ON_DARK


def draw_bar(sheet: Sheet, shades: Shades, left: float, top: float, label: str) -> None:
    """Draw what each colour means, the label below."""
    span = shades.high - shades.low
    step = BAR_WIDTH / N_STEPS
    for place in range(N_STEPS if span > 0 else 1):
        value = shades.low + span * place / (N_STEPS - 1)
        # Strips overlap, or a viewer that scales would show white hairs between them.
        width = step + 0.6 if place < N_STEPS - 1 and span > 0 else BAR_WIDTH - step * place
        sheet.rectangle(left + step * place, top, width, BAR_HEIGHT, shades.color(value))
    for tick, text in zip(*round_ticks(shades.low, shades.high, 5), strict=True) if span > 0 else ():
        x = left + BAR_WIDTH * (tick - shades.low) / span
        sheet.line([x, x], [top + BAR_HEIGHT, top + BAR_HEIGHT + 4], AXIS, 0.8)
        sheet.text(x, top + BAR_HEIGHT + 12, text, align="center", size=SMALL)
    sheet.text(left, top + BAR_HEIGHT + 30, label)
