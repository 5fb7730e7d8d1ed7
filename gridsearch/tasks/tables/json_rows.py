"""JSON as a table: an object a line, an array of objects, or one object that holds all rows."""

import json
import re
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.json_shapes import rows_of_object
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.text import split_lines
from gridsearch.tasks.tables.values import typed_table

KNOWN = "known: one object a line, or one array of objects"
BLANKS = " \t\r\n"
_BETWEEN = re.compile(r"[ \t\r\n,]*")


def read_json(path: Path, text: str, are_lines: bool = False) -> Table:
    """Read rows as objects. Their form shows in how the text begins; one line is one row where ``are_lines`` is said.

    Raises:
        RequestError: what is not JSON, a row that is no object, or an object of all rows that can be read two ways.
    """
    items = _items(path, text, are_lines)
    for row, item in items.items():
        if not isinstance(item, dict):
            shown = json.dumps(item, ensure_ascii=False)[:60]
            raise RequestError(f'{path} row {row} must be an object such as {{"text": "..."}}, but is {shown}')
    names = tuple(dict.fromkeys(name for item in items.values() for name in item))
    columns = ([item.get(name) for item in items.values()] for name in names)
    return typed_table(path, names, columns, tuple(items))


def is_json(text: str) -> bool:
    """Tell whether a text begins with an object or an array of them, and is JSON to the end of its first line or all.

    >>> [is_json(text) for text in ('{"a": 1}\\n{', '[{"a":\\n 1}]', "[removed],1", "{}", "7")]
    [True, True, False, True, False]
    """
    begin = text.lstrip(BLANKS)
    if not begin.startswith(("{", "[")):
        return False
    return any(isinstance(_loaded(part), dict | list) for part in (begin.split("\n", 1)[0], begin))


def _items(path: Path, text: str, are_lines: bool) -> dict[int, Any]:
    """Return the rows by their numbers: those of their lines, or else counted from 1."""
    if text.lstrip(BLANKS).startswith("["):
        return dict(enumerate(_decode_json(path, text, 1), 1))
    lines = {row: line for row, line in enumerate(split_lines(text), 1) if line.strip()}
    if not lines or (isinstance(_loaded(next(iter(lines.values()))), dict) and (are_lines or len(lines) > 1)):
        return {row: _decode_json(path, line, row) for row, line in lines.items()}
    objects = _one_after_another(text)
    if len(objects) > 1:
        return dict(enumerate(objects, 1))
    if are_lines and not objects:
        return {row: _decode_json(path, line, row) for row, line in lines.items()}
    whole = _decode_json(path, text, 1)
    rows = rows_of_object(path, whole) if isinstance(whole, dict) else None
    return {1: whole} if rows is None else dict(enumerate(rows, 1))


def _one_after_another(text: str) -> list[Any]:
    """Return objects that are printed over several lines each; none where one of them is torn."""
    decoder, found = json.JSONDecoder(), []
    place = _past_blanks(text, 0)
    while place < len(text):
        try:
            item, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return []
        found.append(item)
        place = _past_blanks(text, end)
    return found


def _past_blanks(text: str, place: int) -> int:
    found = _BETWEEN.match(text, place)
    return found.end() if found else place


def _loaded(text: str) -> Any:
    """Return what JSON says; None where it is none, or null."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _decode_json(path: Path, text: str, row: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path} row {row} is not JSON ({error}); {KNOWN}") from None
