"""A published table, Markdown or CSV, becomes a study of observations: factors and a response, no recipe."""

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.study import Study
from reports.markdown import COLLAPSED_MARK, unescape
from reports.records import Observation

INDEX_NAMES = frozenset({"index", "#", "no", "no.", "nr", "id", "row"})
"""A first column with such a name counts the rows, and is no factor."""
RESPONSE = "result"
"""What a page calls the column with the results."""
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_DELIMITER_CELL = re.compile(r":?-+:?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*?)\s*#*\s*$")


@dataclass(frozen=True)
class PublishedTable:
    """A table as it was published. ``columns`` are all of them in order; ``index_column`` is empty without one."""

    title: str
    source: str
    columns: tuple[str, ...]
    index_column: str
    response: str
    rows: tuple[Observation, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """The columns whose levels are compared."""
        return tuple(name for name in self.columns if name not in (self.index_column, self.response))


def import_table(path: Path, response: str | None, study: Study, inert: Sequence[str] = ()) -> int:
    """Make a new study of a published table's rows; return how many. Raises RequestError, and then writes nothing.

    ``inert`` names factors that could not act.
    """
    table = read_table(path, response)
    for name in inert:
        if name not in table.factors:
            raise RequestError(f"--inert: {one_of('column to compare', name, list(table.factors))}")
    if study.ledger_path.exists():
        raise RequestError(f"an import needs a new study, but {study.folder} holds one already")
    with study.driven() as ledger:
        facts = _facts(table) | {"inert": list(inert)}
        ledger.import_observations(facts, [(row.levels, row.value) for row in table.rows], table.response)
    return len(table.rows)


def read_table(path: Path, response: str | None) -> PublishedTable:
    """Read the first Markdown table that has the response column, or a CSV (TSV) file.

    By default that is the column "result", and where no table has one the last column of the first.

    Labels stay the text that they are. Raises RequestError where there is no such table or column, for a row of
    another length than the header's, and for a response that is no finite number.
    """
    text = _read_text(path)
    separator = _SEPARATORS.get(path.suffix.lower())
    if separator is not None:
        title, lines = path.stem, _csv_rows(text, separator, path)
    else:
        title = _first_heading(text) or path.stem
        lines = _choose(_markdown_tables(text), response, path)
    header, *body = lines
    response = _checked_response(header, response, path)
    if not body:
        raise RequestError(f"{path}: the table with column {response!r} has no rows")
    return _published(title, path, header, body, response)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError(f"{path} must be text in UTF-8, and is not") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None


def _published(title: str, path: Path, header: list[str], body: list[list[str]], response: str) -> PublishedTable:
    index = header[0] if header[0].casefold() in INDEX_NAMES and header[0] != response else ""
    factors = [name for name in header if name not in (index, response)]
    if not factors:
        raise RequestError(f"{path}: besides {response!r} the table needs a column to compare, but has none")
    rows = []
    for number, cells in enumerate(body, start=1):
        if len(cells) != len(header):
            raise RequestError(
                f"{path}: row {number} must have {len(header)} cells as the header, but has {len(cells)}"
            )
        row = dict(zip(header, cells, strict=True))
        text = _bare_number(row[response])
        rows.append(
            Observation(
                index=row[index] if index else str(number),
                levels={name: row[name] for name in factors},
                value=_number(text, f"{path}: row {number}", response),
                text=text,
            )
        )
    return PublishedTable(title, path.name, tuple(header), index, response, tuple(rows))


def _bare_number(text: str) -> str:
    """Take off what decorates a result: stars, bold, the mark of a collapsed run."""
    return text.strip(f"*_`{COLLAPSED_MARK} ")


def _number(text: str, where: str, response: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise RequestError(f"{where}: {response} must be a number, but is {text!r}")
    return float(text)


def _checked_response(header: Sequence[str], response: str | None, path: Path) -> str:
    for name in header:
        if not name or list(header).count(name) > 1:
            raise RequestError(f"{path}: columns need names that differ, but are {', '.join(map(repr, header))}")
    if response is None:
        return RESPONSE if RESPONSE in header else header[-1]
    if response not in header:
        raise RequestError(f"{path}: {one_of('column', response, list(header))}")
    return response


def _csv_rows(text: str, separator: str, path: Path) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if any(row)]
    except csv.Error as error:
        raise RequestError(f"{path} is not a {path.suffix[1:].upper()} file: {error}") from None
    if not rows:
        raise RequestError(f"there is no table in {path}: it is empty")
    return [[cell.strip() for cell in row] for row in rows]


def _choose(tables: list[list[list[str]]], response: str | None, path: Path) -> list[list[str]]:
    if not tables:
        raise RequestError(
            f"there is no table in {path}: a Markdown table has a line such as |---|---| below its header"
        )
    for table in tables:
        if (response or RESPONSE) in table[0]:
            return table
    if response is None:
        return tables[0]
    known = dict.fromkeys(name for table in tables for name in table[0] if name)
    raise RequestError(f"{path}: {one_of('column', response, list(known))}")


def _first_heading(text: str) -> str:
    for line in text.split("\n"):
        if (found := _HEADING.match(line)) and found[1]:
            return _plain(found[1])
    return ""


def _markdown_tables(text: str) -> list[list[list[str]]]:
    """Find all tables: a header, a delimiter row of as many cells, and rows until a line without a pipe."""
    lines = text.split("\n")
    tables: list[list[list[str]]] = []
    place = 1
    while place < len(lines):
        header, delimiter = _cells(lines[place - 1]), _cells(lines[place])
        place += 1
        if (
            "|" not in lines[place - 1]
            or len(header) != len(delimiter)
            or not all(map(_DELIMITER_CELL.fullmatch, delimiter))
        ):
            continue
        rows = [header]
        while place < len(lines) and "|" in lines[place]:
            cells = _cells(lines[place])
            while len(cells) > len(header) and not cells[-1]:
                cells.pop()
            rows.append(cells)
            place += 1
        tables.append(rows)
    return tables


def _cells(line: str) -> list[str]:
    """Split a line at its pipes, those escaped apart; the outer ones are optional."""
    line = line.strip()
    parts = re.findall(r"((?:\\.|[^|\\]|\\$)*)(?:\||$)", line)
    # The last, empty match stands behind the end of the line.
    parts = parts[:-1] if line else parts
    if line.startswith("|"):
        parts = parts[1:]
    return [_plain(part.strip()) for part in parts]


def _plain(text: str) -> str:
    """Take off emphasis around a whole cell, then the escapes."""
    found = re.fullmatch(r"(\*{1,3})((?:\\.|[^\\])+?)\1", text)
    return unescape(found[2].strip() if found else text)


def _facts(table: PublishedTable) -> dict[str, object]:
    """What the ledger keeps of a published table, in the shape that a study of trials has."""
    labels = {name: dict.fromkeys(row.levels[name] for row in table.rows) for name in table.factors}
    return {
        "kind": "observations",
        "title": table.title,
        "source": table.source,
        "columns": list(table.columns),
        "index_column": table.index_column,
        "response": table.response,
        "factors": [
            {
                "name": name,
                "column": name,
                "baseline": next(iter(labels[name])),
                "levels": [[label, {}] for label in labels[name]],
            }
            for name in table.factors
        ],
        "published": {"index": [row.index for row in table.rows], "response": [row.text for row in table.rows]},
    }
