"""Parquet files as a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.arrow import table_of_frames, whole
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.unpacked import Unpacked

if TYPE_CHECKING:
    import pyarrow


def read_parquet(path: Path, files: Sequence[Unpacked]) -> Table:
    """Read Parquet files that together are one table. RequestError where one is none, or has other columns."""
    return table_of_frames(path, [_frame(file) for file in files])


def _frame(file: Unpacked) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import parquet

    try:
        frame = parquet.read_table(pyarrow.BufferReader(file.raw))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise RequestError(f"{file.path} is not a Parquet file, or is cut off ({first_line(error)})") from None
    return whole(frame, file.path)
