"""Heat map of a factorial: every cell in its place, so that patterns over several factors can be seen."""

import math
from collections.abc import Sequence
from dataclasses import replace
from math import prod

from reports.figures.figure import GridCell, GridFactor, Picture, Response
from reports.figures.grid import LEGIBLE, LINE, Layout, Side, make_layout
from reports.figures.heat_cells import ABSENT, BASELINE, BEST, MARK, draw_cells
from reports.figures.legend import ROW_HEIGHT, Key, draw_legend, legend_rows
from reports.figures.shades import Shades, draw_bar
from reports.figures.sheet import MARGIN, Sheet, drawing, finished
from reports.figures.texts import SMALL, decimals_for, number, shortened, text_width
from reports.language.say import enumerated, say

NAME = "heat-map"
MOST_PLACES = 4096
LEAST_FILLED = 0.2
"""Of a random sample of a large grid, a map would show holes."""
BELOW = 70

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
    sound = [cell.value for cell in places.values() if cell.value is not None and not cell.not_learned] or known
    shades = Shades(min(sound), max(sound), response.lower_is_better)
    with drawing(NAME):
        layout = make_layout(factors)
        keys = _keys(layout, places, n_places)
        top = MARGIN + ROW_HEIGHT * len(legend_rows(keys))
        sheet = Sheet(top + layout.height + BELOW)
        draw_legend(sheet, keys, MARGIN, MARGIN / 2)
        _write_columns(sheet, top, layout)
        _write_rows(sheet, top, layout)
        draw_cells(sheet, top, layout, places, shades)
        legend = say("{label}, brighter is better", label=response.label)
        draw_bar(sheet, shades, layout.left, top + layout.height + 16, legend)
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
