"""The sheet of an Excel workbook as a table."""

import io

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.unpacked import Unpacked
from gridsearch.tasks.tables.values import typed_table

N_DIGITS_EXACT = 15  # above it Excel itself rounds whole numbers


def read_excel(file: Unpacked, header: bool) -> Table:
    """Read the one sheet that holds something; rows and columns without a value are left out.

    Raises:
        RequestError: python-calamine is not installed, the workbook is damaged, or several sheets hold something.
    """
    first_row, cells = _only_sheet(file)
    rows = [(number, row) for number, row in enumerate(cells, first_row) if any(value is not None for value in row)]
    columns = [column for column in zip(*(row for _, row in rows), strict=True) if any(v is not None for v in column)]
    names = [_name(column[0]) for column in columns] if header else [str(place) for place in range(len(columns))]
    below = int(header)
    numbers = [number for number, _ in rows[below:]]
    return typed_table(file.path, names, [column[below:] for column in columns], numbers, named=header)


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
        return first_row + 1, [[_value(cell) for cell in row] for row in sheet.to_python()]
    except CalamineError as error:
        raise RequestError(f"{file.path} is no Excel workbook, or a damaged one ({first_line(error)})") from None


def _value(cell: object) -> object:
    """Return what stands in a cell: Excel keeps every number with a point, also those that are whole."""
    if cell == "":
        return None
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**N_DIGITS_EXACT
    return int(cell) if is_whole else cell  # type: ignore[call-overload]


def _name(cell: object) -> str:
    return "" if cell is None else str(cell)
