"""Data files read into columns of strings. No value is interpreted: a text such as "NA" or "1.0" stays what it is."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.delimited import read_delimited
from gridsearch.tasks.tables.formats import SEPARATORS, Format, format_of
from gridsearch.tasks.tables.json_rows import read_json
from gridsearch.tasks.tables.parquet import read_parquet
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.text import NAME_ITS_ENCODING, read_text


def read_table(path: Path, columns: Columns, given_format: Format | None = None) -> Table:
    """Read a file of any known format; raise RequestError where it cannot be decoded, is torn, or holds no rows."""
    kind = format_of(path, given_format, columns.separator)
    if kind == "parquet":
        table = read_parquet(path)
    elif kind in ("jsonl", "json"):
        table = read_json(path, read_text(path, columns.encoding, NAME_ITS_ENCODING))
    else:
        separator = SEPARATORS[kind] if columns.separator is None else columns.separator
        quoting = kind == "csv" if columns.quoting is None else columns.quoting
        text = read_text(path, columns.encoding, NAME_ITS_ENCODING)
        table = read_delimited(path, text, separator, columns.header, quoting)
    if not len(table):
        raise RequestError(f"{path} holds no rows")
    return table
