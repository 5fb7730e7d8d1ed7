"""Tables of text whose fields are separated by a character or by a string: CSV, TSV and their like."""

import re
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.formats import SEPARATORS, format_of_name
from gridsearch.tasks.tables.table import Table

N_LINES_SURELY_ROWS = 5  # so many lines in one field, each with the table's number of columns, are rows
UNIT_SEPARATOR = "\x1f"  # stands in for a separator of several characters, which the fast parser does not know


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

    kind = format_of_name(path)
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
