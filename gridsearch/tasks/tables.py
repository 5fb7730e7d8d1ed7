"""Data files read into columns of strings. No value is interpreted: a text such as "NA" or "1.0" stays what it is."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gridsearch.errors import RequestError

Format = Literal["tsv", "csv", "jsonl", "json", "parquet"]
FORMATS: dict[str, Format] = {
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}
SEPARATORS: dict[Format, str] = {"tsv": "\t", "csv": ","}
SAVE_IT_ANEW = "save it as UTF-8"
NAME_ITS_ENCODING = 'name its encoding under [columns], for instance encoding = "gb18030"'
"""What to do about a file that is not in the encoding that it is read with: any file, or one that a task names."""
N_LINES_SURELY_ROWS = 5  # so many lines in one field, each with the table's number of columns, are rows
UNIT_SEPARATOR = "\x1f"  # stands in for a separator of several characters, which the fast parser does not know


class Columns(BaseModel):
    """How a table is written, and where its text and labels stand: by name, or by position counted from 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    separator: str | None = None
    header: bool = True
    quoting: bool | None = None
    encoding: str = "utf-8"
    text: int | str
    pair: int | str | None = None
    label: int | str


@dataclass(frozen=True)
class Table:
    """Columns of strings. ``rows`` counts each row as an editor does: from 1, the header and blank lines included.

    ``numbers`` are the positions of columns whose values are numbers in the file, where its format tells: in JSON.
    """

    path: Path
    names: tuple[str, ...]
    named: bool
    values: tuple[tuple[str, ...], ...]
    rows: tuple[int, ...]
    numbers: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, key: int | str) -> int | None:
        """Return the index of a column, by position or by name, or None where the table lacks it."""
        if isinstance(key, int):
            return key if 0 <= key < len(self.names) else None
        return self.names.index(key) if self.named and key in self.names else None

    def column(self, key: int | str, role: str) -> tuple[str, ...]:
        """Return the strings of one column; ``role`` ("text", "label") is for the error where there is none."""
        index = self.find(key)
        if index is None:
            positions = f"positions 0 to {len(self.names) - 1}, without a header"
            known = ", ".join(map(repr, self.names)) if self.named else positions
            raise RequestError(f"{self.path} has no {role} column {key!r}; its columns: {known}")
        return self.values[index]


def format_of(path: Path, given: Format | None, separator: str | None) -> Format:
    """Return the format that is given, or the one of the file's extension; any text with a separator is a table."""
    if given:
        return given
    if known := FORMATS.get(path.suffix.lower()):
        return known
    if separator is None:
        raise RequestError(
            f"{path} has an extension that does not tell its format; write separator under [columns] "
            f"or format under [files]; known extensions: {', '.join(FORMATS)}"
        )
    return "tsv"


def read_table(path: Path, columns: Columns, given_format: Format | None = None) -> Table:
    """Read a file of any known format; raise RequestError where it cannot be decoded, is torn, or holds no rows."""
    kind = format_of(path, given_format, columns.separator)
    if kind == "parquet":
        table = _read_parquet(path)
    elif kind in ("jsonl", "json"):
        table = _read_json(path, read_text(path, columns.encoding, NAME_ITS_ENCODING))
    else:
        separator = SEPARATORS[kind] if columns.separator is None else columns.separator
        quoting = kind == "csv" if columns.quoting is None else columns.quoting
        text = read_text(path, columns.encoding, NAME_ITS_ENCODING)
        table = read_delimited(path, text, separator, columns.header, quoting)
    if not len(table):
        raise RequestError(f"{path} holds no rows")
    return table


def read_text(path: Path, encoding: str = "utf-8", remedy: str = SAVE_IT_ANEW) -> str:
    """Decode a file without touching its line ends; a byte order mark is dropped. RequestError where it cannot be."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return raw.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        where = f"byte {error.start} (row {row}) cannot be decoded"
        raise RequestError(f"{path} is not {encoding}: {where}; {remedy}") from None
    except LookupError:
        rule = "encoding under [columns] must be one that Python knows, such as gb18030"
        raise RequestError(f"{rule}; it is {encoding!r}") from None


def read_document(path: Path) -> str:
    """Read a text in UTF-8 that people wrote or a program printed: each kind of line end becomes a line feed."""
    return read_text(path).replace("\r\n", "\n").replace("\r", "\n")


def split_lines(text: str) -> list[str]:
    """Split at line feeds alone: a text may hold U+2028, U+0085 or a lone carriage return, and remain one line."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def read_delimited(path: Path, text: str, separator: str, header: bool, quoting: bool) -> Table:
    """Read a table whose fields are separated by a string of one or more characters; blank lines are left out."""
    if len(separator) != 1:
        separator, text = _single_character(path, separator, quoting, text)
    lines = _parse(path, _line_feeds(text, separator, quoting), separator, quoting)
    if quoting:
        _refuse_swallowed_rows(path, lines, separator)
    names = [column[0] for column in lines] if header else [str(index) for index in range(len(lines))]
    filled = [row for row in range(int(header), len(lines[0]) if lines else 0) if any(column[row] for column in lines)]
    values = tuple(tuple(column[row] for row in filled) for column in lines)
    return Table(path, tuple(names), header, values, tuple(row + 1 for row in filled))


def separated_rows(path: Path, text: str) -> list[list[str]] | None:
    """Split a small CSV or TSV file into the rows that have a field filled; None where its extension tells of neither.

    Rows may differ in length, and blanks around fields are dropped. What :func:`read_delimited` must bear in millions
    of foreign texts, quotes that enclose nothing and lone carriage returns, is refused.
    """
    import csv
    import io

    kind = FORMATS.get(path.suffix.lower())
    if kind is None or kind not in SEPARATORS:
        return None
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=SEPARATORS[kind], strict=True)
    try:
        rows = [[field.strip() for field in row] for row in lines if any(row)]
    except csv.Error as error:
        raise RequestError(f"{path} is not a {kind.upper()} file: {error}") from None
    if not rows:
        raise RequestError(f"there is no table in {path}: it is empty")
    return rows


def _single_character(path: Path, separator: str, quoting: bool, text: str) -> tuple[str, str]:
    if not separator or quoting or UNIT_SEPARATOR in text:
        rule = "separator under [columns] must be one character, or several where quoting = false"
        raise RequestError(f"{rule}; for {path} it is {separator!r}")
    return UNIT_SEPARATOR, text.replace(separator, UNIT_SEPARATOR)


def _line_feeds(text: str, separator: str, quoting: bool) -> str:
    """Make every row end with a line feed alone, and leave what stands inside quotes as it is."""
    if "\n" not in text:
        return text.replace("\r", "\n")
    if not quoting or "\r\n" not in text:
        return text.replace("\r\n", "\n")
    quoted_field_or_line_end = rf'(?<![^\n{re.escape(separator)}])"(?:[^"]|"")*"|\r\n'
    return re.sub(quoted_field_or_line_end, lambda match: "\n" if match[0] == "\r\n" else match[0], text)


def _parse(path: Path, text: str, separator: str, quoting: bool) -> list[list[str]]:
    """Return the columns with their header, which is read as a row: pandas would rename columns of the same name."""
    import csv
    import io

    import pandas
    from pandas.errors import EmptyDataError, ParserError

    try:
        frame = pandas.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=str,
            na_filter=False,  # "NA" is a text; a missing last field becomes ""
            quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
            lineterminator="\n",  # else a lone carriage return would end a row
            skip_blank_lines=False,  # so that rows keep the numbers that an editor shows
            on_bad_lines="error",
        )
    except EmptyDataError:
        raise RequestError(f"{path} holds no rows") from None
    except ParserError as error:
        raise RequestError(_explain(path, str(error), separator)) from None
    return [frame[column].tolist() for column in frame.columns]


def _refuse_swallowed_rows(path: Path, columns: list[list[str]], separator: str) -> None:
    """Refuse a field whose every line is a whole row: a stray quote opened it, and the next one closed it."""
    for column in columns:
        for row, field in enumerate(column, 1):
            within = field.split("\n")[1:-1]
            if len(within) >= N_LINES_SURELY_ROWS and {line.count(separator) for line in within} == {len(columns) - 1}:
                rule = "a quote must enclose one field"
                remedy = "write quoting = false under [columns] if quotes are characters of the text"
                raise RequestError(f"{rule}; the one in {path} row {row} encloses {len(within)} rows: {remedy}")


def _explain(path: Path, message: str, separator: str) -> str:
    """Turn the parser's message into a sentence with the file, the row, and what to look at."""
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message):
        expected, row, seen = found.groups()
        counts = f"{path} row {row} has {seen}, the rows before it {expected}"
        return f"every row must have the same number of columns; {counts} (separator {separator!r})"
    if found := re.search(r"EOF inside string starting at row (\d+)", message):
        remedy = "if quotes are characters of the text, write quoting = false under [columns]"
        return f"every quote must be closed; the one in {path} row {int(found[1]) + 1} is not; {remedy}"
    return f"{path} cannot be read as a table: {message.strip()}"


def _read_json(path: Path, text: str) -> Table:
    """Read an array of objects, or one object a line: which of the two shows in the first character."""
    items: dict[int, Any]
    if text.lstrip().startswith("["):
        items = dict(enumerate(_decode_json(path, text, 1), 1))
    else:
        lines = enumerate(split_lines(text), 1)
        items = {row: _decode_json(path, line, row) for row, line in lines if line.strip()}
    for row, item in items.items():
        if not isinstance(item, dict):
            shown = json.dumps(item, ensure_ascii=False)[:60]
            raise RequestError(f'{path} row {row} must be an object such as {{"text": "..."}}, but is {shown}')
    names = tuple(dict.fromkeys(name for item in items.values() for name in item))
    values = tuple(tuple(_as_text(path, row, item.get(name)) for row, item in items.items()) for name in names)
    numbers = frozenset(
        place for place, name in enumerate(names) if _are_numbers(item.get(name) for item in items.values())
    )
    return Table(path, names, True, values, tuple(items), numbers)


def _decode_json(path: Path, text: str, row: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        known = "known: one object a line, or one array of objects"
        raise RequestError(f"{path} row {row} is not JSON ({error}); {known}") from None


def _read_parquet(path: Path) -> Table:
    from pyarrow import ArrowInvalid, parquet

    try:
        frame = parquet.read_table(path)
    except ArrowInvalid as error:
        raise RequestError(f"{path} is not a Parquet file ({error})") from None
    rows = tuple(range(1, frame.num_rows + 1))
    columns = [frame.column(index).to_pylist() for index in range(frame.num_columns)]
    values = tuple(tuple(_as_text(path, *item) for item in zip(rows, column, strict=True)) for column in columns)
    return Table(path, tuple(frame.column_names), True, values, rows)


def _are_numbers(values: Iterable[object]) -> bool:
    """Tell whether all values are finite numbers; true and false are none."""
    return all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in values)


def _as_text(path: Path, row: int, value: object) -> str:
    """Write a JSON or Parquet value as text: null is empty, true is "true". A lone surrogate is no text at all."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(
            f"{path} row {row} holds half of a surrogate pair, which no text may: {text[:60]!r}"
        ) from None
    return text
