"""A sheet to draw on: fixed width, pixels from the upper left corner, and its SVG text."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from reports.figures.dark import dark_style
from reports.figures.figure import Picture
from reports.figures.style import AXIS, GRID, INK, PAPER
from reports.figures.texts import FONT_SIZE, SMALL, xml_safe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 700
MARGIN = 14
FAMILIES = (
    "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', 'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', "
    "'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Micro Hei', 'WenQuanYi Zen Hei', SimHei, sans-serif"
)
"""Arial's likes first: text is measured in a wider font. Then what has Chinese on one system or another."""

_TAG = re.compile(r"<[^>]+>")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_FAMILY = re.compile(r" ?font-family: [^;\"]*;?")
_GROUP_ID = re.compile(r'<g id="[^"]*"')
_BEFORE_DRAWING = re.compile(r"^.*?<svg[^>]*>.*?(?=<defs>|<g>)", re.DOTALL)
_STYLE = re.compile(r"<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>")
_UNTURNED = re.compile(r' transform="rotate\(-?0 [^"]*"')
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


class Sheet:
    """White paper, ``WIDTH`` pixels wide."""

    def __init__(self, height: float) -> None:
        from matplotlib.figure import Figure

        self.height = round(height)
        self.figure: Figure = Figure(figsize=(WIDTH / 72, self.height / 72), dpi=72, facecolor=PAPER)

    def axes(self, left: float, top: float, width: float, height: float) -> "Axes":
        """Add empty axes: a frame of two sides, and nothing that has not been asked for."""
        bottom = self.height - top - height
        axes = self.figure.add_axes((left / WIDTH, bottom / self.height, width / WIDTH, height / self.height))
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("bottom", "left"):
            axes.spines[side].set_color(AXIS)
        axes.tick_params(color=AXIS, labelcolor=INK, labelsize=SMALL, length=4)
        axes.set_axisbelow(True)
        axes.grid(visible=False)
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        align: Literal["left", "center", "right"] = "left",
        size: float = FONT_SIZE,
        bold: bool = False,
        color: str = INK,
        upright: bool = False,
    ) -> None:
        """Write one line, ``y`` at its middle; ``upright`` turns it to be read from below."""
        # By baseline: a centre would depend on the font, and on whether the text has a descender.
        drop = 0.35 * size
        self.figure.text(
            (x + drop if upright else x) / WIDTH,
            1 - (y if upright else y + drop) / self.height,
            text,
            ha=align,
            va="baseline",
            fontsize=size,
            fontweight="bold" if bold else "normal",
            color=color,
            rotation=90 if upright else 0,
            rotation_mode="anchor",
        )

    def line(
        self, xs: Sequence[float], ys: Sequence[float], color: str = GRID, width: float = 1.0, **look: Any
    ) -> None:
        """Draw a line through points, or their markers."""
        from matplotlib.lines import Line2D

        places = ([x / WIDTH for x in xs], [1 - y / self.height for y in ys])
        line = Line2D(*places, color=color, linewidth=width, transform=self.figure.transFigure)
        line.set(**look)
        self.figure.add_artist(line)

    def rectangle(self, left: float, top: float, width: float, height: float, color: str) -> None:
        """Fill a rectangle."""
        from matplotlib.patches import Rectangle

        corner = (left / WIDTH, 1 - (top + height) / self.height)
        size = (width / WIDTH, height / self.height)
        patch = Rectangle(corner, *size, facecolor=color, edgecolor="none", transform=self.figure.transFigure)
        self.figure.add_artist(patch)

    def frame(self, left: float, top: float, width: float, height: float, color: str, line_width: float) -> None:
        """Draw the outline of a rectangle."""
        right, bottom = left + width, top + height
        self.line([left, right, right, left, left], [top, top, bottom, bottom, top], color, line_width)


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Draw the same whatever the user's matplotlibrc says, and name what SVG must name after the figure."""
    import matplotlib as mpl
    from matplotlib import style

    # TeX in a label would be somebody's level, such as "$1$".
    ours: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"gridsearch {name}",
        "text.parse_math": False,
        "font.family": "DejaVu Sans",
        "font.size": FONT_SIZE,
        "lines.linewidth": 1.6,
        "lines.markersize": 6.0,
        "path.simplify": False,
    }
    with style.context("default", after_reset=True), mpl.rc_context(ours), warnings.catch_warnings():
        # The font that measures has no Chinese; the reader's has.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield


def finished(sheet: Sheet, name: str, title: str, alt: str) -> Picture:
    """Render a sheet; only within :func:`drawing`."""
    buffer = io.StringIO()
    sheet.figure.savefig(buffer, format="svg", metadata={"Date": None})
    title, alt = xml_safe(title), xml_safe(alt)
    return Picture(name, title, alt, _tidy(xml_safe(buffer.getvalue()), sheet.height, title, alt))


def _tidy(svg: str, height: int, title: str, alt: str) -> str:
    """Make one small element that can stand in a page: pixels, fonts once, no ids and styles that leak out."""
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" role="img" '
        f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'style="font-family: {FAMILIES}; stroke-linejoin: round; stroke-linecap: butt">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(alt)}</desc>\n{dark_style()}"
    )
    body = _COMMENT.sub("", _STYLE.sub("", _BEFORE_DRAWING.sub("", svg, count=1)))
    body = _GROUP_ID.sub("<g", body)
    return root + _TAG.sub(_tidy_tag, body).lstrip()


def _tidy_tag(found: re.Match[str]) -> str:
    tag = _UNTURNED.sub("", _FAMILY.sub("", found[0]))
    # Hundredths of a pixel: smaller files, and no last digits that depend on the machine.
    return _LONG_NUMBER.sub(lambda digits: f"{float(digits[0]):.2f}".rstrip("0").rstrip("."), tag)
