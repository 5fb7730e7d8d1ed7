"""Heat map of a factorial: every cell in its place, so that patterns over several factors can be seen."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from reports.figures.axis import is_flat
from reports.figures.figure import GridCell, GridFactor, Picture, Response
from reports.figures.grid import LEGIBLE, LINE, Layout, Side, make_layout
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.shades import ON_BRIGHT, ON_DARK, Shades, draw_bar
from reports.figures.sheet import MARGIN, Sheet, drawing, finished
from reports.figures.style import BLACK, GRID, Look
from reports.figures.texts import SMALL, decimals_for, number, shortened, text_width
from reports.language.say import enumerated, say

NAME = "heat-map"
MOST_PLACES = 4096
LEAST_FILLED = 0.2
"""Of a random sample of a large grid, a map would show holes."""
BELOW = 70
MOST_PRINTED = 64
SMALLEST_FONT = 8.0
MARK = "†"
"""At cells that did not learn, as in the table."""

BEST: Look = {"linestyle": "-", "color": BLACK, "width": 2.0}
BASELINE: Look = {"linestyle": (0, (1.5, 1.5)), "color": BLACK, "width": 2.0}
ABSENT: Look = {"linestyle": "-", "color": GRID, "width": 1.0}

Place = tuple[str, ...]


def heat_map_picture(factors: Sequence[GridFactor], cells: Sequence[GridCell], response: Response) -> Picture | None:
    """Draw every cell at its levels; None when there is no result, or when the cells are no grid."""
    factors = _varied(factors, cells)
    known = [cell.value for cell in cells if cell.value is not None and math.isfinite(cell.value)]
    n_places = prod(len(factor.levels) for factor in factors)
    if not known or not factors or n_places > MOST_PLACES:
        return None
    places = _placed(factors, cells)
    if len(places) < LEAST_FILLED * n_places:
        return None
    shades = _shades(places.values(), response)
    with drawing(NAME):
        layout = make_layout(factors)
        keys = _keys(layout, places, n_places)
        top = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(top + layout.height + BELOW)
        draw_legend(sheet, keys, MARGIN, MARGIN / 2)
        _write_columns(sheet, top, layout)
        _write_rows(sheet, top, layout)
        _draw_cells(sheet, top, layout, places, shades)
        legend = say("{label}, brighter is better", label=response.label)
        is_beyond = any(cell.value is not None and shades.is_beyond(cell.value) for cell in places.values())
        draw_bar(sheet, shades, layout.left, top + layout.height + 16, legend, MARK if is_beyond else "")
        title = say("{label} of every cell. Brighter is better.", label=response.label)
        return finished(sheet, NAME, title, _alt(layout, len(places), known))


def _varied(factors: Sequence[GridFactor], cells: Sequence[GridCell]) -> list[GridFactor]:
    """Drop levels that no cell has, and factors with one level."""
    seen = {factor.name: {cell.levels.get(factor.name) for cell in cells} for factor in factors}
    kept = [GridFactor(f.name, tuple(one for one in f.levels if one in seen[f.name])) for f in factors]
    return [factor for factor in kept if len(factor.levels) > 1]


def _placed(factors: Sequence[GridFactor], cells: Sequence[GridCell]) -> dict[Place, GridCell]:
    """Put cells at their levels; of several at one place, the mean of what they have."""
    groups: dict[tuple[str, ...], list[GridCell]] = {}
    for cell in cells:
        groups.setdefault(tuple(cell.levels[factor.name] for factor in factors), []).append(cell)
    return {place: _merged(group) for place, group in groups.items()}


def _merged(group: Sequence[GridCell]) -> GridCell:
    values = [cell.value for cell in group if cell.value is not None and math.isfinite(cell.value)]
    return replace(
        group[0],
        value=math.fsum(values) / len(values) if values else None,
        is_best=any(cell.is_best for cell in group),
        is_baseline=any(cell.is_baseline for cell in group),
        not_learned=any(cell.not_learned for cell in group),
    )


def _shades(cells: Collection[GridCell], response: Response) -> Shades:
    """Scale colours by the cells that learned; where these are all equal, or there is none, by all that have a value.

    A run far off that did not learn would leave one shade to all others: it is worse than all that have a colour.
    """
    values = [cell.value for cell in cells if cell.value is not None]
    sound = [cell.value for cell in cells if cell.value is not None and not cell.not_learned]
    scaled = values if not sound or is_flat(min(sound), max(sound)) else sound
    return Shades(min(scaled), max(scaled), response.lower_is_better)


def _keys(layout: Layout, places: dict[Place, GridCell], n_places: int) -> list[Key]:
    cells = list(places.values())
    keys = []
    if any(cell.is_best for cell in cells):
        keys.append(Key(say("best"), BEST, boxed=True))
    if any(cell.is_baseline for cell in cells):
        keys.append(Key(say("baseline"), BASELINE, boxed=True))
    if len(cells) < n_places or any(cell.value is None for cell in cells):
        keys.append(Key(say("no result"), ABSENT, boxed=True))
    if any(cell.not_learned for cell in cells):
        keys.append(Key(f"{MARK} {say('did not learn')}"))
    return keys


def _label(name: str, side: Side, depth: int, *, shown: bool) -> str:
    """Name a factor; with its levels, in order, where the grid has no room for them."""
    return name if shown else f"{name} ({' | '.join(side.factors[depth].levels)})"


def _write_columns(sheet: Sheet, top: float, layout: Layout) -> None:
    lefts = layout.lefts
    for depth, factor in enumerate(layout.columns.factors):
        span = layout.columns.group(depth)
        y = top + LINE * (depth + 0.5)
        room = lefts[span - 1] + layout.cell_width - lefts[0]
        shown = max(min(text_width(level, SMALL), 40.0) for level in factor.levels) <= room
        name = _label(factor.name, layout.columns, depth, shown=shown)
        sheet.text(layout.left - 12, y, shortened(name, layout.left - MARGIN - 12, SMALL, bold=True),
                   align="right", size=SMALL, bold=True)  # fmt: skip
        if not shown:
            continue
        for group in range(layout.columns.count // span):
            level = factor.levels[group % len(factor.levels)]
            middle = lefts[group * span] + room / 2
            sheet.text(middle, y, shortened(level, room, SMALL), align="center", size=SMALL)


def _write_rows(sheet: Sheet, top: float, layout: Layout) -> None:
    tops = layout.tops(top)
    left = float(MARGIN)
    for depth, (factor, width) in enumerate(zip(layout.rows.factors, layout.name_widths, strict=True)):
        span = layout.rows.group(depth)
        room = tops[span - 1] + layout.cell_height - tops[0]
        shown = room >= LEGIBLE
        name = shortened(_label(factor.name, layout.rows, depth, shown=shown), width - 6, SMALL, bold=True)
        sheet.text(left, top + layout.head - LINE / 2, name, size=SMALL, bold=True)
        for group in range(layout.rows.count // span if shown else 0):
            level = shortened(factor.levels[group % len(factor.levels)], width - 6, SMALL)
            sheet.text(left, tops[group * span] + room / 2, level, size=SMALL)
        left += width


@dataclass(frozen=True)
class _Printed:
    """The texts in the cells, all of one size; only marks where values do not fit."""

    texts: Mapping[Place, str]
    size: float


def _draw_cells(sheet: Sheet, top: float, layout: Layout, cells: Mapping[Place, GridCell], shades: Shades) -> None:
    """Fill the grid; ``top`` is that of its head."""
    printed = _printed(layout, cells, decimals_for(shades.span))
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
        sheet.line(xs, ys, ON_DARK, 4.0)
        sheet.line(xs, ys, **look | {"color": ON_BRIGHT})


def _printed(layout: Layout, cells: Mapping[Place, GridCell], decimals: int) -> _Printed:
    """Spell the values where all fit, without the zero before the point if need be; with two decimals or more."""
    values = {place: cell.value for place, cell in cells.items() if cell.value is not None}
    marks = {place: MARK for place in values if cells[place].not_learned}
    only_marks = _Printed(marks if min(layout.cell_width, layout.cell_height) >= SMALLEST_FONT else {}, SMALLEST_FONT)
    if len(cells) > MOST_PRINTED:
        return only_marks
    texts = {place: number(value, max(2, decimals)) + marks.get(place, "") for place, value in values.items()}
    if _fitting_size(layout, texts) < SMALL:
        texts = {place: text.removeprefix("0") if text.startswith("0.") else text for place, text in texts.items()}
    size = _fitting_size(layout, texts)
    return _Printed(texts, size) if size >= SMALLEST_FONT else only_marks


def _fitting_size(layout: Layout, texts: Mapping[Place, str]) -> float:
    widest = max(text_width(text, 1.0) for text in texts.values())
    return min(SMALL, (layout.cell_width - 4) / widest, layout.cell_height - 4)


def _alt(layout: Layout, n_cells: int, values: Sequence[float]) -> str:
    decimals = max(2, decimals_for(max(values) - min(values)))
    rows, columns = (enumerated(factor.name for factor in side.factors) for side in (layout.rows, layout.columns))
    return say(
        "Heat map of cells (n = {n}) from {low} to {high}. {layout}.",
        n=n_cells,
        low=number(min(values), decimals),
        high=number(max(values), decimals),
        layout=say("Rows: {rows}; columns: {columns}", rows=rows or "-", columns=columns or "-"),
    )
