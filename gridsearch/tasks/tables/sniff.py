"""How an unknown data file is written: encoding, separator, quotes, header. What a column means is not asked here."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.encoding import sniff_encoding
from gridsearch.tasks.tables.excel import read_excel
from gridsearch.tasks.tables.formats import TYPED, Format, format_of_name
from gridsearch.tasks.tables.json_rows import is_json
from gridsearch.tasks.tables.signatures import format_of_bytes
from gridsearch.tasks.tables.text import decode, split_lines
from gridsearch.tasks.tables.unpacked import unpack

SEPARATORS = ("\t", ",", ";", "|", "_!_")  # the last one is that of a well-known Chinese news corpus
N_LINES_READ = 20_000
N_HEADER_CHARS_MOST = 40

Rows = list[list[str]]


@dataclass(frozen=True)
class Layout:
    """How a file is written. ``format`` is None where the extension tells it; the rest is for text tables only."""

    format: Format | None = None
    encoding: str = "utf-8"
    separator: str | None = None
    header: bool = True
    quoting: bool | None = None


def sniff(path: Path) -> Layout:
    """Look at a file's first lines and return how it is written.

    Raises:
        RequestError: no such file, or no separator that gives every row the same number of columns.
    """
    if not path.exists():
        raise RequestError(f"a data file must exist; there is none at {path}")
    if path.is_dir():
        return Layout()
    file = unpack(path)
    known = format_of_bytes(file) or format_of_name(file.name)
    if known == "xlsx":
        return Layout(header=looks_like_header(list(zip(*read_excel(file, header=False).values, strict=True))))
    if known in TYPED:
        return Layout()
    encoding = sniff_encoding(file.raw)
    text = decode(file, encoding)
    if not text.strip():
        raise RequestError(f"{path} is empty")
    if known in ("json", "jsonl"):
        return Layout(encoding=encoding)
    if is_json(text):
        return Layout("json", encoding)
    separator, quoting, rows = _sniff_separator(path, text)
    return Layout(None, encoding, separator, looks_like_header(rows), quoting)


def looks_like_header(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row names the columns.

    Names are short, distinct and no numbers; and they do not come back below them, as the label of a first row would.
    """
    if len(rows) < 2:
        return False
    first, columns = rows[0], list(zip(*rows[1:], strict=True))
    if len(set(first)) < len(first) or any(spells_number(name) or len(name) > N_HEADER_CHARS_MOST for name in first):
        return False
    if any(not name.strip() for name in first[1:]):  # the first may be the empty name of an index column
        return False
    if any(name in column for name, column in zip(first, columns, strict=True)):
        return False
    return any(all(map(spells_number, column)) or _has_few_values(column) for column in columns)


def spells_number(text: str) -> bool:
    """Tell whether a text spells a number, be it infinite or none at all (nan)."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _has_few_values(column: Sequence[str]) -> bool:
    return len(set(column)) <= len(column) / 2


def _sniff_separator(path: Path, text: str) -> tuple[str, bool, Rows]:
    """Return the first separator by which all rows have equally many columns, two or more, and whether quotes count."""
    for separator in SEPARATORS:
        plain, quoted = _plain_rows(text, separator), _quoted_rows(text, separator)
        # Where the two differ in rows and both are even, a stray quote has swallowed whole rows: quotes are text.
        if quoted and (not plain or (len(plain) == len(quoted) and _quotes_are_marks(text, separator))):
            return separator, True, quoted
        if plain:
            return separator, False, plain
    tried = ", ".join(map(repr, SEPARATORS))
    raise RequestError(
        f"every row of a table must have the same number of columns, two or more; {path} has not, with any separator "
        f"of {tried}; write the task's TOML by hand, with separator and quoting under [columns]"
    )


def _plain_rows(text: str, separator: str) -> Rows | None:
    return _even([line.split(separator) for line in split_lines(text)[:N_LINES_READ] if line.strip()])


def _quoted_rows(text: str, separator: str) -> Rows | None:
    if len(separator) > 1 or '"' not in text:
        return None
    lines = split_lines(text)[: N_LINES_READ + 1]
    reader = csv.reader(io.StringIO("\n".join(lines), newline="\n"), delimiter=separator, strict=True)
    rows = []
    try:
        for row in reader:
            rows += [row] if any(row) else []
    except csv.Error:
        if reader.line_num <= N_LINES_READ:  # else a record was cut off where the reading stops
            return None
    return _even(rows)


def _even(rows: Rows) -> Rows | None:
    widths = Counter(map(len, rows))
    return rows if len(widths) == 1 and max(widths) > 1 else None


def _quotes_are_marks(text: str, separator: str) -> bool:
    """Tell quotes that enclose fields from quotes that are text, where a table can be read either way.

    Doubled quotes inside an enclosed field, or a column whose every field is enclosed, show that they enclose.
    """
    edge = rf"(?:^|(?<=[\n{re.escape(separator)}]))"
    if re.search(rf'{edge}"[^"\n]*""[^\n]*"(?=\r?\n|{re.escape(separator)}|$)', text):
        return True
    rows = [line.split(separator) for line in split_lines(text)[1:N_LINES_READ] if line.strip()]
    columns = zip(*rows, strict=True)
    return any(all(len(field) > 1 and field[0] == field[-1] == '"' for field in column) for column in columns)
