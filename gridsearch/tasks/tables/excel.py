"""The sheet of an Excel workbook as a table."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.header import Beginning
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.unpacked import Unpacked
from gridsearch.tasks.tables.values import typed_table

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

N_DIGITS_EXACT = 15  # above it Excel itself rounds whole numbers


def read_excel(file: Unpacked, begin: Callable[[Sequence[Sequence[str]]], Beginning]) -> Table:
    """Read the one sheet that holds a table, down to its last value; columns without any are left out.

    ``begin`` is asked of all rows as texts where the table begins, and whether its first row names the columns.

    Raises:
        RequestError: python-calamine is not installed, the workbook is damaged, or several sheets hold a table.
    """
    first_row, cells, note = _only_sheet(file)
    rows = range(first_row, first_row + len(cells))
    found = begin(list(zip(*_typed(file, cells, rows).values, strict=True)))
    table = _typed(file, cells[found.n_above :], rows[found.n_above :])
    if found.header:
        columns = _columns(cells[found.n_above :])
        names, values = [_name(column[0]) for column in columns], [column[1:] for column in columns]
        table = typed_table(file.path, names, values, table.rows[1:])
    return replace(table, notes=(*note, *found.notes))


def _typed(file: Unpacked, cells: Sequence[Sequence[object]], rows: Sequence[int]) -> Table:
    columns = _columns(cells)
    return typed_table(file.path, list(map(str, range(len(columns)))), columns, rows, named=False)


def _columns(cells: Sequence[Sequence[object]]) -> list[tuple[object, ...]]:
    return [column for column in zip(*cells, strict=True) if any(value is not None for value in column)]


def _only_sheet(file: Unpacked) -> tuple[int, list[list[object]], list[str]]:
    """Return the number of the first row, the cells, None for an empty one, and a note on other sheets.

    Hidden sheets are not looked at, and one of a single row or column is no table beside one that is.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum
    except ImportError:
        rule = f"{file.path} is an Excel workbook, which needs a package to be read"
        raise RequestError(f"{rule}: pip install 'gridsearch[excel]', or save it as CSV") from None
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(file.raw))
        shown = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        sheets = {name: book.get_sheet_by_name(name) for name in shown}
        filled = {name: sheet for name, sheet in sheets.items() if sheet.start is not None}
        tables = filled if len(filled) == 1 else {name: one for name, one in filled.items() if min(_size(one)) > 1}
        if len(tables) != 1:
            held = f"{len(filled)} of its sheets do: {', '.join(filled)}" if filled else "none of its sheets does"
            rule = "a workbook is read where one sheet holds a table"
            raise RequestError(f"{rule}; of {file.path} {held}; save the one that is meant as a file of its own")
        ((name, sheet),) = tables.items()
        beside = [f"{file.path.name}: the sheet {name!r} is read, and not {_listed(filled.keys() - {name})}"]
        first_row, _ = sheet.start or (0, 0)
        cells = [[_value(cell) for cell in row] for row in sheet.to_python()]
        n_filled = max(number for number, row in enumerate(cells, 1) if any(value is not None for value in row))
        return first_row + 1, cells[:n_filled], beside if len(filled) > 1 else []
    except CalamineError as error:
        raise RequestError(
            f"{file.path} is no Excel workbook, or a damaged one ({first_line(error)}): save its table as CSV"
        ) from None


def _size(sheet: "CalamineSheet") -> tuple[int, int]:
    """Return the rows and the columns between a sheet's first and last value."""
    (top, left), (bottom, right) = sheet.start or (0, 0), sheet.end or (0, 0)
    return bottom - top + 1, right - left + 1


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)))


def _value(cell: object) -> object:
    """Return what stands in a cell: Excel keeps every number with a point, also those that are whole."""
    if cell == "":
        return None
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**N_DIGITS_EXACT
    return int(cell) if is_whole else cell  # type: ignore[call-overload]


def _name(cell: object) -> str:
    return "" if cell is None else str(cell)
