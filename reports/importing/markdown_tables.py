"""Tables in a Markdown file, and its title."""

import re

from reports.formats.markdown import unescape

Rows = list[list[str]]
"""A header and the rows below it."""

_DELIMITER_CELL = re.compile(r":?-+:?")
_NAMELESS = re.compile(r"-*")
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")


def title_of(text: str) -> str:
    """Return the first heading of the highest level; empty without any.

    >>> title_of("## Notes\\n\\n# *Results*\\n\\n# More")
    'Results'
    """
    found = [heading for line in text.split("\n") if (heading := _HEADING.match(line)) and heading[2]]
    return _plain(min(found, key=lambda heading: len(heading[1]))[2]) if found else ""


def markdown_tables(text: str) -> list[Rows]:
    """Find all tables: a header, a delimiter row of as many cells, and rows until a line without a pipe.

    A table whose header is nothing but dashes continues the one before it, if it has as many columns. Rows without any
    text are left out.
    """
    lines = text.split("\n")
    tables: list[Rows] = []
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
        rows = []
        while place < len(lines) and "|" in lines[place]:
            cells = _cells(lines[place])
            while len(cells) > len(header) and not cells[-1]:
                cells.pop()
            if any(cells):
                rows.append(cells)
            place += 1
        if tables and _names_nothing(header) and len(tables[-1][0]) == len(header):
            tables[-1] += rows
        else:
            tables.append([header, *rows])
    return tables


def _names_nothing(header: list[str]) -> bool:
    return any(header) and all(map(_NAMELESS.fullmatch, header))


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
