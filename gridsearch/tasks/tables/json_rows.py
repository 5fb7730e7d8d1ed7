"""JSON lines, or an array of JSON objects, as a table."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.text import split_lines
from gridsearch.tasks.tables.values import as_text


def read_json(path: Path, text: str) -> Table:
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
    values = tuple(tuple(as_text(path, row, item.get(name)) for row, item in items.items()) for name in names)
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


def _are_numbers(values: Iterable[object]) -> bool:
    """Tell whether all values are finite numbers; true and false are none."""
    return all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in values)
