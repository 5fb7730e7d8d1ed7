"""The layout of a heat map: factors nested in rows and columns, in declared order, the first one outermost."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import log, prod

from reports.figures.figure import GridFactor
from reports.figures.sheet import MARGIN, WIDTH
from reports.figures.texts import SMALL, text_width

LINE = 18.0
WIDEST_CELL, HIGHEST_CELL, LOWEST_CELL = 76.0, 25.0, 4.0
WANTED_HEIGHT, MOST_HEIGHT = 560.0, 1600.0
LEGIBLE = 12.0
"""Rows of this height can be labelled; as long as the map gets no higher than ``MOST_HEIGHT``, they are."""
SHARE_OF_NAMES = 0.45


@dataclass(frozen=True)
class Side:
    """Factors nested along one side of the grid."""

    factors: tuple[GridFactor, ...]

    @property
    def combinations(self) -> list[tuple[str, ...]]:
        """The levels at each position."""
        return list(product(*(factor.levels for factor in self.factors)))

    @property
    def count(self) -> int:
        """The number of positions."""
        return prod(len(factor.levels) for factor in self.factors)

    def group(self, depth: int) -> int:
        """Count the positions that one level of a factor spans."""
        return prod(len(factor.levels) for factor in self.factors[depth + 1 :])

    def gaps(self) -> list[float]:
        """Return the space before each position: wider where a factor further out changes its level."""
        inner = 1.0 if self.count <= 40 else 0.0
        return [
            0.0 if not place else inner + 3.0 * sum(place % self.group(depth) == 0 for depth in self._outer)
            for place in range(self.count)
        ]

    @property
    def _outer(self) -> range:
        return range(max(0, len(self.factors) - 4), len(self.factors) - 1)


def split(factors: Sequence[GridFactor]) -> tuple[Side, Side]:
    """Give the first factors to the rows, the others to the columns: as square as can be, rather too high than wide."""
    shares = [
        (abs(log(prod(len(f.levels) for f in factors[:n])) - log(prod(len(f.levels) for f in factors[n:]))), -n)
        for n in range(len(factors) + 1)
    ]
    n_rows = -min(shares)[1]
    return Side(tuple(factors[:n_rows])), Side(tuple(factors[n_rows:]))


@dataclass(frozen=True)
class Layout:
    """Both sides, in pixels. ``name_widths`` are those of the columns that name the rows' levels."""

    rows: Side
    columns: Side
    name_widths: tuple[float, ...]
    left: float
    head: float
    cell_width: float
    cell_height: float

    @property
    def lefts(self) -> list[float]:
        """The left edge of every column."""
        return _edges(self.left, self.cell_width, self.columns.gaps())

    def tops(self, top: float) -> list[float]:
        """The upper edge of every row, below the head of a map that begins at ``top``."""
        return _edges(top + self.head, self.cell_height, self.rows.gaps())

    @property
    def height(self) -> float:
        """Pixels from the top of the head to the lower edge of the last row."""
        return self.tops(0.0)[-1] + self.cell_height


def _edges(start: float, size: float, gaps: Sequence[float]) -> list[float]:
    edges = []
    for gap in gaps:
        start += gap
        edges.append(start)
        start += size
    return edges


def make_layout(factors: Sequence[GridFactor]) -> Layout:
    """Fit a grid between the margins."""
    rows, columns = split(factors)
    widths = [_name_width(factor) for factor in rows.factors]
    room = SHARE_OF_NAMES * WIDTH
    if sum(widths) > room:
        widths = [width * room / sum(widths) for width in widths]
    # Names of the column factors stand in the same corner.
    widest = max((text_width(factor.name, SMALL, bold=True) + 12 for factor in columns.factors), default=0.0)
    left = float(round(MARGIN + max(sum(widths), min(widest, room))))
    free = WIDTH - MARGIN - left - sum(columns.gaps())
    return Layout(
        rows,
        columns,
        tuple(widths),
        left,
        LINE * (len(columns.factors) + (1 if rows.factors else 0)),
        min(WIDEST_CELL, _whole(free / columns.count)),
        _cell_height(rows),
    )


def _cell_height(rows: Side) -> float:
    height = (WANTED_HEIGHT - sum(rows.gaps())) / rows.count
    legible = min(LEGIBLE, MOST_HEIGHT / rows.count)
    return max(LOWEST_CELL, min(HIGHEST_CELL, _whole(max(height, legible))))


def _whole(size: float) -> float:
    """Cut to whole pixels, where that costs little: edges are sharp then."""
    return float(int(size)) if size >= LEGIBLE / 2 else size


def _name_width(factor: GridFactor) -> float:
    return max(text_width(factor.name, SMALL, bold=True), *(text_width(level, SMALL) for level in factor.levels)) + 12
