"""Tables of text whose fields are separated by a character or by a string: CSV, TSV and their like.

Whoever looks at a file's beginning to find out how it is written reads it by the same functions.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.formats import SEPARATORS, Format, format_of_name
from gridsearch.tasks.tables.layout import Layout

N_LINES_OF_COMMENT = 100  # at most, above a table
FEWEST_BELOW_A_TITLE = 3  # columns: of two, a row without a separator may be one that lacks its end
N_LINES_SURELY_ROWS = 5  # so many lines in one field, each with the table's number of columns, are rows
TEXT_QUOTES = "write quoting = false under [columns] if quotes are characters of the text"
ENCLOSE = "a field that holds the separator must be enclosed in double quotes"

csv.field_size_limit(2**31 - 1)  # a text may be longer than 131,072 characters, where the module would stop

_COMMENT = re.compile(r"#+(\s|$)")
Record = list[str]


class QuoteError(Exception):
    """Quotes do not enclose fields; ``row`` is the row where that shows."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class UnclosedQuoteError(QuoteError):
    """A quote opened a field, and none closed it."""


class LooseQuoteError(QuoteError):
    """Something else than a separator follows the quote that closes a field."""


class UnevenError(Exception):
    """A row has more fields than the first one, and they are not empty."""

    def __init__(self, row: int, seen: int, expected: int) -> None:
        super().__init__(row, seen, expected)
        self.row, self.seen, self.expected = row, seen, expected


@dataclass(frozen=True)
class Rows:
    """The rows of a table, all of one length; the first may name the columns. ``numbers`` are theirs in the file.

    ``padded`` and ``cut`` are the numbers of rows that were shorter than the first, or longer by empty fields.
    """

    rows: list[Record]
    numbers: list[int]
    padded: tuple[int, ...] = ()
    cut: tuple[int, ...] = ()
    comments: int = 0

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.rows[0]) if self.rows else 0

    @property
    def is_even(self) -> bool:
        """Tell whether every row has its fields, no more and no less."""
        return not (self.padded or self.cut or self.comments)

    def columns(self, first: int = 0) -> list[tuple[str, ...]]:
        """Return the columns, from the row at this place on."""
        rows = self.rows[first:] if first else self.rows
        return [tuple(map(itemgetter(place), rows)) for place in range(self.width)]

    def notes(self, path: Path) -> list[str]:
        """Tell what was filled in or left out."""
        notes = []
        if self.comments:
            notes.append(f"{path.name}: {_lines(self.comments)} above the table left out")
        if self.padded:
            n_rows = f"{len(self.padded)} rows (the first is row {self.padded[0]})"
            notes.append(f"{path.name}: {n_rows} have fewer columns than the first row; what they lack is empty")
        if self.cut:
            n_rows = f"{len(self.cut)} rows (the first is row {self.cut[0]})"
            notes.append(f"{path.name}: {n_rows} end in empty columns that the first row has not; they are left out")
        return notes


def read_rows(path: Path, text: str, layout: Layout) -> Rows:
    """Read a table whose separator, quotes and line ends are known.

    A blank line is no row where there are several columns, for it lacks their separators; in a table of one column it
    is a row whose text is empty.

    Raises:
        RequestError: a row that has too many fields, or a quote that does not enclose one, with its row.
    """
    refuse_unfit_separator(path, layout)
    try:
        rows = even_rows(records(text, layout, strict=not layout.loose))
    except UnclosedQuoteError as error:
        rule = "every quote must be closed"
        raise RequestError(f"{rule}; the one in {path} row {error.row} is not; {TEXT_QUOTES}") from None
    except LooseQuoteError as error:
        rule = "a quote within a field that quotes enclose must be doubled"
        raise RequestError(f"{rule}; in {path} row {error.row} one is not; {TEXT_QUOTES}") from None
    except UnevenError as error:
        counts = f"{path} row {error.row} has {error.seen}, the rows before it {error.expected}"
        rule = f"every row must have the same number of columns; {counts} (separator {layout.separator!r})"
        may_enclose = layout.quoting is not False and layout.separator != "\t"
        raise RequestError(f"{rule}; {ENCLOSE}" if may_enclose else rule) from None
    has_lines = bool(rows.numbers) and text.count("\n") > rows.numbers[-1]  # within fields
    if layout.quoting and has_lines and (swallowed := swallowed_rows(rows, layout)):
        row, n_rows = swallowed
        rule = "a quote must enclose one field"
        raise RequestError(f"{rule}; the one in {path} row {row} encloses {n_rows} rows: {TEXT_QUOTES}")
    return rows


def refuse_unfit_separator(path: Path, layout: Layout) -> None:
    """Raise RequestError for a separator by which no table can be read."""
    separator = layout.separator
    if not separator or (layout.quoting and len(separator) > 1) or separator in ("\n", "\r", '"'):
        rule = "separator under [columns] must be one character, or several where quoting = false"
        raise RequestError(f"{rule}; for {path} it is {separator!r}")


def records(text: str, layout: Layout, *, strict: bool = False) -> Iterator[Record]:
    """Split a text into rows of fields; a blank line is a row without any field.

    Where no quotes enclose, a row is a line. Else a field that begins with a quote ends at the next one that is not
    doubled. A carriage return in a file of line feeds is a character.

    Raises:
        UnclosedQuoteError: the text ends within an enclosed field.
        LooseQuoteError: where ``strict``, something else than a separator follows the quote that closes a field.
    """
    assert layout.separator
    if layout.line_end == "\r":
        swapped = _records(text.translate(_SWAPPED), layout, strict=strict)
        return ([field.translate(_SWAPPED) for field in record] for record in swapped)
    return _records(text, layout, strict=strict)


_SWAPPED = {ord("\n"): "\r", ord("\r"): "\n"}


def _records(text: str, layout: Layout, *, strict: bool) -> Iterator[Record]:
    separator = layout.separator
    if not layout.quoting or layout.quote not in text:
        lines = io.StringIO(text, newline="\n")
        return (line.split(separator) if line else [] for line in map(_without_end, lines))
    return _enclosed_records(text, layout, strict=strict)


def _without_end(line: str) -> str:
    return line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith("\n") else line


def _enclosed_records(text: str, layout: Layout, *, strict: bool) -> Iterator[Record]:
    """Let the csv module read, for which lone carriage returns and escaped quotes are put away and brought back."""
    unused = (chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
    end, carriage, quote = next(unused), next(unused), next(unused)
    changes = []
    if re.search(r"\r(?!\n)", text):
        text = re.sub(r"\r(?!\n)", carriage, text)
        changes.append((carriage, "\r"))
    if layout.escaped:
        text = _unescaped(text, layout.quote, quote)
        changes.append((quote, layout.quote))
    has_ended = False

    def lines() -> Iterator[str]:
        nonlocal has_ended
        yield from io.StringIO(text, newline="\n")
        has_ended = True
        yield f"{end}{layout.separator}{end}"  # two fields, unless a quote is open

    reader = csv.reader(lines(), delimiter=str(layout.separator), quotechar=layout.quote, strict=strict)
    row = 0
    try:
        for row, record in enumerate(reader, 1):
            if record == [end, end]:
                return
            if has_ended:
                raise UnclosedQuoteError(row)
            yield _restored(record, changes) if changes else record
    except csv.Error:
        raise (UnclosedQuoteError if has_ended else LooseQuoteError)(row + 1) from None


def _unescaped(text: str, quote: str, mark: str) -> str:
    """Put a mark for each quote behind a backslash. Some programs double all backslashes, some those before a quote."""
    all_doubled = re.search(rf"(?<!\\)(?:\\\\)*\\(?![\\{quote}])", text) is None
    escapes = rf"\\([\\{quote}])" if all_doubled else rf"\\(\\(?=\\*{quote})|{quote})"
    return re.sub(escapes, lambda match: mark if match[1] == quote else "\\", text)


def _restored(record: Record, changes: Sequence[tuple[str, str]]) -> Record:
    for mark, meant in changes:
        record = [field.replace(mark, meant) for field in record]
    return record


def even_rows(found: Iterable[Record]) -> Rows:
    """Give all rows the fields of the first: what is missing at their ends is empty, and empty ones too many are cut.

    Lines above the first row are left out where they have fewer fields than it: of comment (#), or where they are
    without a separator and all rows have as many fields, three or more.
    Numbers that only the rows begin with, and count them, have a column whose name is empty.

    Raises:
        UnevenError: a row has more fields than the first.
    """
    rows = list(found)
    numbers = list(range(1, len(rows) + 1))
    if all(len(row) <= 1 for row in rows):
        return Rows([row or [""] for row in rows], numbers)
    filled = [place for place, row in enumerate(rows) if len(row) > 1 or (row and row[0].strip())]
    comments = _n_comments([rows[place] for place in filled[:N_LINES_OF_COMMENT]])
    rows, numbers = [rows[place] for place in filled[comments:]], [numbers[place] for place in filled[comments:]]
    if _are_counted(rows):
        rows[0] = ["", *rows[0]]
    padded, cut = _of_one_width(rows, numbers)
    return Rows(rows, numbers, tuple(padded), tuple(cut), comments)


def _of_one_width(rows: list[Record], numbers: Sequence[int]) -> tuple[list[int], list[int]]:
    """Give rows the first one's width, in place; return the numbers of those that were shorter, and longer."""
    width, padded, cut = len(rows[0]), [], []
    for place, row in enumerate(rows):
        if len(row) < width:
            padded.append(numbers[place])
            rows[place] = row + [""] * (width - len(row))
        elif len(row) > width:
            if any(field.strip() for field in row[width:]):
                raise UnevenError(numbers[place], len(row), width)
            cut.append(numbers[place])
            rows[place] = row[:width]
    return padded, cut


def _n_comments(rows: Sequence[Record]) -> int:
    """Count the lines above a table that have fewer fields than its rows, and begin with # or are a title."""
    n_lines = next((place for place, row in enumerate(rows) if not _COMMENT.match(row[0])), 0)
    if n_lines:
        return n_lines if all(len(row) < len(rows[n_lines]) for row in rows[:n_lines]) else 0
    n_lines = next((place for place, row in enumerate(rows) if len(row) > 1), 0)
    widths = {len(row) for row in rows[n_lines:]}
    return n_lines if len(widths) == 1 and max(widths) >= FEWEST_BELOW_A_TITLE and len(rows) > n_lines + 1 else 0


def _are_counted(rows: Sequence[Record]) -> bool:
    """Tell whether rows have a number before the columns that the first row names, as R writes tables."""
    if len(rows) < 2 or any(len(row) != len(rows[0]) + 1 for row in rows[1:]):
        return False
    first = rows[1][0]
    return first in ("0", "1") and all(row[0] == str(number) for number, row in enumerate(rows[1:], int(first)))


def swallowed_rows(rows: Rows, layout: Layout) -> tuple[int, int] | None:
    """Return a row and a number of lines in one of its fields that are whole rows: a stray quote opened the field."""
    for number, row in zip(rows.numbers, rows.rows, strict=True) if rows.width > 1 else ():
        for field in row:
            if field.count("\n") <= N_LINES_SURELY_ROWS:
                continue
            within = field.split("\n")[1:-1]
            if {line.count(str(layout.separator)) for line in within} == {rows.width - 1}:
                return number, len(within)
    return None


def _lines(count: int) -> str:
    return "a line" if count == 1 else f"{count} lines"


def separated_rows(path: Path, text: str, kind: Format | None = None) -> list[list[str]] | None:
    """Split a small CSV or TSV file into the rows that have a field filled; None where its ``kind`` is neither.

    It is what its extension says, unless it is given. Rows may differ in length, and blanks around fields are dropped.
    What data files may hold, quotes that enclose nothing and lone carriage returns, is refused.
    """
    kind = kind or format_of_name(path)
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
