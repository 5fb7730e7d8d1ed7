"""Colours and line styles: told apart by colour-blind readers (Okabe & Ito 2008), and in grey by their shape.

Each has its counterpart for dark screens in dark.py.
"""

from dataclasses import dataclass
from typing import Any

PAPER = "#ffffff"
INK = "#1a1a1a"
AXIS = "#555555"
QUIET = "#747474"
GRID = "#cccccc"
BAND = "#e8e8e8"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
BLACK = "#0b0b0b"

Look = dict[str, Any]
"""Arguments of matplotlib's Line2D."""
Dashes = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class LineStyle:
    """A colour, a dash pattern and a marker that go together."""

    color: str
    dashes: Dashes
    marker: str


_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, BLACK, ORANGE, SKY)
_DASHES: tuple[Dashes, ...] = ("-", (0, (5, 2)), (0, (6, 2, 1.2, 2)), (0, (1.2, 1.6)), (0, (10, 3)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")


def line_style(number: int) -> LineStyle:
    """Return the style of a line by its number: any two of the first 280 differ, neighbours in all three respects."""
    return LineStyle(_COLORS[number % len(_COLORS)], _DASHES[number % len(_DASHES)], _MARKERS[number % len(_MARKERS)])
