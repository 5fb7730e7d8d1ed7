"""Data files read into columns of strings. No text is interpreted: one such as "NA" or "1.0" stays what it is."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.arrow import read_arrow
from gridsearch.tasks.tables.delimited import read_delimited
from gridsearch.tasks.tables.excel import read_excel
from gridsearch.tasks.tables.folders import read_folder
from gridsearch.tasks.tables.formats import SEPARATORS, Format, format_of
from gridsearch.tasks.tables.json_rows import read_json
from gridsearch.tasks.tables.parquet import read_parquet
from gridsearch.tasks.tables.signatures import format_of_bytes
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.text import NAME_ITS_ENCODING, decode
from gridsearch.tasks.tables.unpacked import Unpacked, unpack


def read_table(path: Path, columns: Columns, given_format: Format | None = None) -> Table:
    """Read a file of any known format; raise RequestError where it cannot be decoded, is torn, or holds no rows.

    A folder is read where it is a table. Formats that are no text are known by their bytes, whatever a name says.
    """
    table = read_folder(path) if path.is_dir() else _read_file(unpack(path), columns, given_format)
    if not len(table):
        raise RequestError(f"{path} holds no rows")
    return table


def _read_file(file: Unpacked, columns: Columns, given_format: Format | None) -> Table:
    kind = format_of_bytes(file) or format_of(file.name, given_format, columns.separator)
    if kind == "xlsx":
        return read_excel(file, columns.header)
    if kind == "arrow":
        return read_arrow(file.path, [file])
    if kind == "parquet":
        return read_parquet(file.path, [file])
    text = decode(file, columns.encoding, NAME_ITS_ENCODING)
    if kind in ("jsonl", "json"):
        return read_json(file.path, text, are_lines=kind == "jsonl")
    separator = SEPARATORS[kind] if columns.separator is None else columns.separator
    quoting = kind == "csv" if columns.quoting is None else columns.quoting
    return read_delimited(file.path, text, separator, columns.header, quoting)
