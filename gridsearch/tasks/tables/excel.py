"""The sheet of an Excel workbook as a table."""

import io
from collections.abc import Callable, Sequence

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.unpacked import Unpacked
from gridsearch.tasks.tables.values import typed_table

N_DIGITS_EXACT = 15  # above it Excel itself rounds whole numbers


def read_excel(file: Unpacked, has_header: Callable[[Sequence[Sequence[str]]], bool]) -> Table:
    """Read the one sheet that holds something, down to its last value; columns without any are left out.

    ``has_header`` is asked of all rows as texts whether the first one names the columns.

    Raises:
        RequestError: python-calamine is not installed, the workbook is damaged, or several sheets hold something.
    """
    first_row, cells = _only_sheet(file)
    columns = [column for column in zip(*cells, strict=True) if any(value is not None for value in column)]
    rows = range(first_row, first_row + len(cells))
    table = typed_table(file.path, list(map(str, range(len(columns)))), columns, rows, named=False)
    if not has_header(list(zip(*table.values, strict=True))):
        return table
    return typed_table(file.path, [_name(column[0]) for column in columns], [one[1:] for one in columns], rows[1:])


def _only_sheet(file: Unpacked) -> tuple[int, list[list[object]]]:
    """Return the number of the first row, and the cells, None for an empty one. Hidden sheets are not looked at."""
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
        if len(filled) != 1:
            held = f"{len(filled)} of its sheets do: {', '.join(filled)}" if filled else "none of its sheets does"
            rule = "a workbook is read where one sheet holds something"
            raise RequestError(f"{rule}; of {file.path} {held}; save the one that is meant as a file of its own")
        (sheet,) = filled.values()
        first_row, _ = sheet.start or (0, 0)
        cells = [[_value(cell) for cell in row] for row in sheet.to_python()]
        n_filled = max(number for number, row in enumerate(cells, 1) if any(value is not None for value in row))
        return first_row + 1, cells[:n_filled]
    except CalamineError as error:
        raise RequestError(
            f"{file.path} is no Excel workbook, or a damaged one ({first_line(error)}): save its table as CSV"
        ) from None


def _value(cell: object) -> object:
    """Return what stands in a cell: Excel keeps every number with a point, also those that are whole."""
    if cell == "":
        return None
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**N_DIGITS_EXACT
    return int(cell) if is_whole else cell  # type: ignore[call-overload]


def _name(cell: object) -> str:
    return "" if cell is None else str(cell)
