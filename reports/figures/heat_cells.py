"""The cells of a heat map: their colours, the values in them, and the frames around two of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.figures.figure import GridCell
from reports.figures.grid import Layout
from reports.figures.shades import Shades
from reports.figures.sheet import Sheet
from reports.figures.style import BLACK, GRID, Look
from reports.figures.texts import SMALL, decimals_for, number, text_width

MOST_PRINTED = 64
SMALLEST_FONT = 8.0
MARK = "†"
"""At cells that did not learn, as in the table."""

BEST: Look = {"linestyle": "-", "color": BLACK, "width": 2.0}
BASELINE: Look = {"linestyle": (0, (1.5, 1.5)), "color": BLACK, "width": 2.0}
ABSENT: Look = {"linestyle": "-", "color": GRID, "width": 1.0}

Place = tuple[str, ...]


@dataclass(frozen=True)
class _Printed:
    """The texts in the cells, all of one size; only marks where values do not fit."""

    texts: Mapping[Place, str]
    size: float


def draw_cells(sheet: Sheet, top: float, layout: Layout, cells: Mapping[Place, GridCell], shades: Shades) -> None:
    """Fill the grid; ``top`` is that of its head."""
    printed = _printed(layout, cells)
    framed = []
    for row, y in zip(layout.rows.combinations, layout.tops(top), strict=True):
        for column, x in zip(layout.columns.combinations, layout.lefts, strict=True):
            cell = cells.get((*row, *column))
            if cell is None or cell.value is None:
                sheet.frame(x + 0.5, y + 0.5, layout.cell_width - 1, layout.cell_height - 1, GRID, 0.7)
                continue
            sheet.rectangle(x, y, layout.cell_width, layout.cell_height, shades.color(cell.value))
            if text := printed.texts.get((*row, *column)):
                middle = (x + layout.cell_width / 2, y + layout.cell_height / 2)
                sheet.text(*middle, text, align="center", size=printed.size, color=shades.ink(cell.value))
            if cell.is_best or cell.is_baseline:
                framed.append((cell, x, y))
    for cell, x, y in framed:
        _frame(sheet, layout, cell, x, y)


def _frame(sheet: Sheet, layout: Layout, cell: GridCell, x: float, y: float) -> None:
    """Frame a cell in black on white, one of which shows on any colour; the best cell's frame is the outer one."""
    looks = [look for look, wanted in ((BEST, cell.is_best), (BASELINE, cell.is_baseline)) if wanted]
    for inset, look in zip((0.0, 3.5), looks, strict=False):
        right, bottom = x + layout.cell_width - inset, y + layout.cell_height - inset
        xs = [x + inset, right, right, x + inset, x + inset]
        ys = [y + inset, y + inset, bottom, bottom, y + inset]
        sheet.line(xs, ys, "#ffffff", 4.0)
        sheet.line(xs, ys, **look)


def _printed(layout: Layout, cells: Mapping[Place, GridCell]) -> _Printed:
    """Spell the values where all fit, without the zero before the point if need be."""
    values = {place: cell.value for place, cell in cells.items() if cell.value is not None}
    marks = {place: MARK for place in values if cells[place].not_learned}
    only_marks = _Printed(marks if min(layout.cell_width, layout.cell_height) >= SMALLEST_FONT else {}, SMALLEST_FONT)
    if len(cells) > MOST_PRINTED:
        return only_marks
    sound = [value for place, value in values.items() if place not in marks] or list(values.values())
    decimals = max(2, decimals_for(max(sound) - min(sound)))
    texts = {place: number(value, decimals) + marks.get(place, "") for place, value in values.items()}
    if _fitting_size(layout, texts) < SMALL:
        texts = {place: text.removeprefix("0") if text.startswith("0.") else text for place, text in texts.items()}
    size = _fitting_size(layout, texts)
    return _Printed(texts, size) if size >= SMALLEST_FONT else only_marks


def _fitting_size(layout: Layout, texts: Mapping[Place, str]) -> float:
    widest = max(text_width(text, 1.0) for text in texts.values())
    return min(SMALL, (layout.cell_width - 4) / widest, layout.cell_height - 4)
