"""Data files read into columns of strings. No text is interpreted: one such as "NA" or "1.0" stays what it is.

How a file is written is its own affair: what a task says of it holds for its training rows, and is likely of others.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.roles import shorten
from gridsearch.tasks.tables.arrow import read_arrow
from gridsearch.tasks.tables.delimited import read_rows
from gridsearch.tasks.tables.encoding import is_certain, sniff_encoding
from gridsearch.tasks.tables.excel import read_excel
from gridsearch.tasks.tables.folders import read_folder
from gridsearch.tasks.tables.formats import SEPARATORS, TYPED, Format, extension_of, format_of_name
from gridsearch.tasks.tables.header import ENOUGH, Beginning, header_weight, looks_like_header, n_title_rows
from gridsearch.tasks.tables.json_rows import is_json, read_json
from gridsearch.tasks.tables.layout import Layout, Likely, filled, of_format
from gridsearch.tasks.tables.parquet import read_parquet
from gridsearch.tasks.tables.signatures import format_of_bytes
from gridsearch.tasks.tables.sniff import sniff_table
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.text import NAME_ITS_ENCODING, SAVE_IT_ANEW, decode, split_lines
from gridsearch.tasks.tables.unpacked import Unpacked, unpack

N_ROWS_WEIGHED = 20_000
SURELY = 3.0
"""A weight that decides for or against a header although train has it otherwise."""
_NAMED_SEPARATOR = re.compile(r'"?sep=([^\r\n"])"?(?:\r\n|\r|\n)')  # what Excel heeds and writes above a table


def read_table(path: Path, columns: Columns, given_format: Format | None = None) -> Table:
    """Read a file that is written as a task says; separator and quotes that it does not name are those of its format.

    Where it has no such columns then, they are found out. A folder is read where it is a table. Formats that are no
    text are known by their bytes, whatever a name says.

    Raises:
        RequestError: the file cannot be decoded, is torn, is no data file, or holds no rows.
    """
    if path.is_dir():
        return _read_folder(path)
    file, stated = unpack(path), replace(columns.layout, format=given_format)
    usual = of_format(stated, given_format or format_of_name(file.name) or "tsv")
    try:
        table = _read(file, usual, Likely(usual))
    except RequestError:
        if usual == stated:
            raise
    else:
        if usual == stated or None not in map(table.find, (columns.text, *columns.labels)):
            return table
    return _read(file, stated, Likely(usual))


def read_unknown(path: Path, *, header: bool | None = None) -> Table:
    """Read a file of which nothing is known, but perhaps whether it has a header; see :func:`read_table`.

    Raises RequestError also where the first row may name the columns or not.
    """
    if not path.exists():
        raise RequestError(f"a data file must exist; there is none at {path}")
    if path.is_dir():
        return _read_folder(path)
    file = unpack(path)
    kind = format_of_name(file.name)
    usual = Layout(separator=SEPARATORS.get(kind) if kind else None)
    return _read(file, Layout(header=header), Likely(usual, least_columns=2))


def read_other(
    path: Path,
    columns: Columns,
    given_format: Format | None = None,
    train: Table | None = None,
    file: Unpacked | None = None,
) -> Table:
    """Read another file of a task than its training rows, in its own layout; see :func:`read_table`.

    Its rows are a promise: every one of them is there, an empty one too. ``notes`` of the table say how it differs.
    Without a header its columns are taken for those of ``train``, of which it may lack the label. ``file`` is what
    ``path`` holds, where that has been read already.
    """
    if path.is_dir():
        return _read_folder(path)
    file = file or unpack(path)
    known = format_of_name(file.name)
    if known and not (train and extension_of(train.path) == extension_of(file.name)):
        given_format = None
    likely = _likely(columns, given_format or known, train)
    table = _read(file, Layout(format=given_format), likely)
    return replace(table, notes=(*_notes_on_layout(table, columns, train), *table.notes))


def read_lines(file: Unpacked, likely_encoding: str) -> tuple[str, ...]:
    """Read the lines of a text, blank ones too. Raises RequestError where there are none, or bytes that are no text."""
    lines = split_lines(decode(file, _encoding_of(file.raw, likely_encoding)).removeprefix("\ufeff"))
    if not any(lines):
        raise RequestError(f"{file.path} holds no rows")
    return tuple(lines)


def _read_folder(path: Path) -> Table:
    return replace(read_folder(path), layout=Layout(header=True))


def _likely(columns: Columns, kind: Format | None, train: Table | None) -> Likely:
    said = columns.layout
    if train is not None and train.layout.separator is not None:
        said = filled(replace(said, separator=train.layout.separator), Layout(quoting=train.layout.quoting))
    elif kind:
        said = filled(said, Layout(separator=SEPARATORS.get(kind)))
    return Likely(said, columns=columns, train=train)


def _encoding_of(raw: bytes, likely: str) -> str:
    """Return what a text is encoded in: UTF-8 wherever it fits, else what is likely, where that does."""
    found = sniff_encoding(raw)
    if is_certain(found):
        return found
    try:
        raw.decode(likely)
    except (UnicodeDecodeError, LookupError):
        return found
    return likely


def _read(file: Unpacked, stated: Layout, likely: Likely) -> Table:
    table = _read_typed(file, stated, likely) or _read_text(file, stated, likely)
    if not len(table):
        raise RequestError(f"{file.path} holds no rows")
    if table.named:
        return table
    names, lacks = _names_without_header(file.path, len(table.names), likely)
    return replace(table, lacks=lacks) if names is None else replace(table, names=names, named=True)


def _read_typed(file: Unpacked, stated: Layout, likely: Likely) -> Table | None:
    """Read a format that is no text, as the bytes tell or else the name; None where the file is to be text."""
    kind = format_of_bytes(file) or stated.format or format_of_name(file.name)
    if kind == "xlsx":
        table = read_excel(file, lambda rows: _begin(file.path, rows, stated, likely))
        return replace(table, layout=Layout(stated.format, header=table.named))
    if kind not in TYPED:
        return None
    table = read_arrow(file.path, [file]) if kind == "arrow" else read_parquet(file.path, [file])
    return replace(table, layout=Layout(stated.format, header=True))


def _read_text(file: Unpacked, stated: Layout, likely: Likely) -> Table:
    kind = stated.format or format_of_name(file.name)
    encoding = stated.encoding or _encoding_of(file.raw, likely.layout.encoding or "utf-8")
    text = decode(file, encoding, NAME_ITS_ENCODING if stated.encoding else SAVE_IT_ANEW).removeprefix("\ufeff")
    stated = replace(stated, encoding=encoding)
    if not text.strip("\r\n"):
        raise RequestError(f"{file.path} holds no rows")
    if kind not in ("json", "jsonl") and stated.separator is None and is_json(text):
        kind, stated = "json", replace(stated, format="json")
    if kind in ("json", "jsonl"):
        table = read_json(file.path, text, are_lines=kind == "jsonl")
        return replace(table, layout=Layout(stated.format, encoding, header=True))
    return _read_delimited(file.path, text, stated, likely)


def _read_delimited(path: Path, text: str, stated: Layout, likely: Likely) -> Table:
    """Read a table of text; without a header its columns are called by their positions."""
    n_above = 0
    if named := _NAMED_SEPARATOR.match(text):
        text, n_above = text[named.end() :], 1
        stated = replace(stated, separator=stated.separator or named[1])
    layout = sniff_table(path, text, stated, likely)
    read = read_rows(path, text, layout)
    found = _begin(path, read.rows, stated, likely)
    first, header = found.n_above, found.header
    numbers = tuple(number + n_above for number in read.numbers[first + header :])
    columns = tuple(read.columns(first + header))
    layout = replace(layout, header=header, quoting=layout.quoting if layout.quote in text else None)
    notes = (*read.notes(path), *found.notes)
    if header and read.rows[first] in read.rows[first + 1 :]:
        row = read.numbers[read.rows.index(read.rows[first], first + 1)]
        notes = (*notes, f"{path.name}: row {row} repeats the names of the columns; it is read as a row")
    names = tuple(read.rows[first]) if header else tuple(map(str, range(read.width)))
    return Table(path, names, header, columns, numbers, layout=layout, notes=notes)


def _begin(path: Path, rows: Sequence[Sequence[str]], stated: Layout, likely: Likely) -> Beginning:
    """Tell how the rows of a file begin: what stands above its table, and whether that has a header."""
    n_above = n_title_rows(rows[: 1 + N_ROWS_WEIGHED], likely.names) if stated.header is not False else 0
    if n_above:
        held = [shorten(value, 30) for row in rows[:n_above] for value in row if value]
        above = f"{path.name}: what stands above the table is left out: {_listed(held)}"
        return Beginning(n_above, True, (above,) if held else ())
    return Beginning(0, *_decide_header(path, rows, stated, likely))


def _decide_header(
    path: Path, read: Sequence[Sequence[str]], stated: Layout, likely: Likely
) -> tuple[bool, tuple[str, ...]]:
    """Tell whether the first row names the columns, and what is to be said of that.

    Names of train's columns in it show a header; a first row without any is hardly one.
    """
    if stated.header is not None:
        return stated.header, ()
    first = read[0]
    rows = list(read[1 : 1 + N_ROWS_WEIGHED])
    if likely.train is not None and len(likely.train.names) == len(first):
        rows += likely.train.first_rows(N_ROWS_WEIGHED)
    if {name.strip() for name in first} & set(likely.names):
        return True, ()
    if likely.text is not None:
        weight = header_weight(first, rows) - SURELY
        if abs(weight) < ENOUGH:
            remedy = f"write the names that its columns have in train into a row above: {_listed(likely.names)}"
            raise RequestError(f"{_both_readings(path, first, rows)}; {remedy}")
        return weight > 0, ()
    usual = likely.layout.header
    if usual is None:
        found = looks_like_header(first, rows)
        if found is None:
            remedy = "say which: --header yes or --header no (in a task file, header = true or false under [columns])"
            raise RequestError(f"{_both_readings(path, first, rows)}; {remedy}")
        return found, ()
    weight = header_weight(first, rows) * (-1 if usual else 1)
    if weight >= SURELY:
        return not usual, ()
    doubtful = f"{path.name}: the first row, {_shown(first)}, is taken for {'names' if usual else 'a row'} as in train"
    return usual, (doubtful,) if weight >= ENOUGH else ()


def _both_readings(path: Path, first: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    below = f" above rows such as {_shown(rows[0])}" if rows else ""
    return f"the first row of {path} may name the columns, {_shown(first)}{below}, or be a row itself"


def _shown(row: Sequence[str], n_most: int = 5) -> str:
    shown = [repr(field if len(field) <= 30 else f"{field[:29]}…") for field in row[:n_most]]
    return f"({', '.join(shown)}{', …' if len(row) > n_most else ''})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _names_without_header(path: Path, width: int, likely: Likely) -> tuple[tuple[str, ...] | None, int | None]:
    """Return train's names for the columns of a file without a header, or the position of the one that it lacks.

    A file that lacks a column lacks the label.
    """
    columns, names = likely.columns, likely.names
    if columns is None:
        return None, None
    if likely.text is None:
        needed = max(key for key in (columns.text, columns.pair) if isinstance(key, int))
        label = columns.label
        return None, label if isinstance(label, int) and label < needed == width else None
    for known in (names, tuple(name for name in names if name not in columns.labels)):
        if likely.train is not None and len(known) == width:
            return known, None
    if width == 1 and columns.pair is None:
        return (likely.text,), None
    remedy = f"write the names that its columns have in train into a row above: {_listed(names)}"
    raise RequestError(f"{path} has no header, and its {width} columns may be any of a task's; {remedy}")


def _notes_on_layout(table: Table, columns: Columns, train: Table | None) -> list[str]:
    """Tell in what a file is written otherwise than the training rows."""
    said = of_format(columns.layout, format_of_name(table.path) or "tsv")
    known = (said if train is None else train.layout).told()
    own = table.layout.told()
    if len(table.names) == 1:
        own.pop("separator", None)
    differs = [words for key, words in own.items() if known.get(key) != words]
    than = "than the task says" if train is None else f"than {train.path.name}"
    return [f"{table.path.name} is written otherwise {than}: {', '.join(differs)}"] if differs else []
