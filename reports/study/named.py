"""Rows of the table as people name them."""

from gridsearch.errors import RequestError
from reports.study.view import CellRow, StudyRows


def find_cell(study: StudyRows, key: str) -> CellRow | None:
    """Return the row with this index, or with this name in a list; None where there is none."""
    by_index = (cell for cell in study.cells if str(cell.index) == key)
    return next(by_index, None) or next((cell for cell in study.cells if cell.row == key), None)


def cell_named(study: StudyRows, key: str) -> CellRow:
    """Return the row with this index or name. Raises RequestError where there is none."""
    cell = find_cell(study, key)
    if cell is None:
        named = ", or by their names in the list" if study.is_list else ""
        known = f"rows are named by their index, 1 to {len(study.cells)}{named}"
        raise RequestError(f"the table has no row {key!r}; {known}")
    return cell
