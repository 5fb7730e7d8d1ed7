"""Parquet files as a table."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.values import as_text


def read_parquet(path: Path) -> Table:
    """Read a Parquet file; raise RequestError where it is none."""
    from pyarrow import ArrowInvalid, parquet

    try:
        frame = parquet.read_table(path)
    except ArrowInvalid as error:
        raise RequestError(f"{path} is not a Parquet file ({error})") from None
    rows = tuple(range(1, frame.num_rows + 1))
    columns = [frame.column(index).to_pylist() for index in range(frame.num_columns)]
    values = tuple(tuple(as_text(path, *item) for item in zip(rows, column, strict=True)) for column in columns)
    return Table(path, tuple(frame.column_names), True, values, rows)
