"""Values of JSON or of a typed column as the texts that a person would write for them."""

import base64
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.table import LISTS, Table

N_CHARACTERS_SHOWN = 60
N_NAMES_IN_OBJECTS = 50  # more are no columns, but data


@dataclass(frozen=True)
class Texts:
    """A column as texts; ``are_numbers`` where they were numbers, ``no_text`` says what else they were, as lists."""

    values: tuple[str, ...]
    are_numbers: bool
    no_text: str | None


def typed_table(
    path: Path, names: Sequence[str], columns: Iterable[Sequence[object]], rows: Sequence[int], named: bool = True
) -> Table:
    """Return columns of values as a table of texts; what objects hold are columns of their own, such as ``data.text``.

    Raises RequestError for half of a surrogate pair, which is no text.
    """
    spread = [one for name, column in zip(names, columns, strict=True) for one in _spread(name, column)]
    texts = [as_texts(path, column, rows) for _, column in spread]
    return Table(
        path,
        tuple(name for name, _ in spread),
        named,
        tuple(one.values for one in texts),
        tuple(rows),
        frozenset(place for place, one in enumerate(texts) if one.are_numbers),
        {place: one.no_text for place, one in enumerate(texts) if one.no_text},
    )


def _spread(name: str, column: Sequence[object]) -> Iterator[tuple[str, Sequence[object]]]:
    """Yield a column, or one for each name in the objects that it holds, unless these are names of all sorts."""
    held = [value for value in column if not is_missing(value)]
    objects = [value for value in held if isinstance(value, dict)]
    names = list(dict.fromkeys(inner for value in objects for inner in value))
    if len(objects) < len(held) or not 0 < len(names) <= N_NAMES_IN_OBJECTS:
        yield name, column
        return
    for inner in names:
        yield from _spread(
            f"{name}.{inner}", [value.get(inner) if isinstance(value, dict) else None for value in column]
        )


def as_texts(path: Path, column: Sequence[object], rows: Sequence[int]) -> Texts:
    """Write the values of a column as texts. A missing one, which not-a-number is as well as null, is empty.

    Numbers with a point in a column that lacks some and has whole ones else are whole: a table of numbers with a value
    missing had them made so. Dates without a time of day stay dates. Bytes are texts in UTF-8, or no texts.
    """
    held = [value for value in column if not is_missing(value)]
    are_whole = len(held) < len(column) and all(isinstance(value, float) and value.is_integer() for value in held)
    are_days = all(_is_day(value) for value in held if isinstance(value, date))

    def text(row: int, value: object) -> str:
        if is_missing(value):
            return ""
        if are_whole:
            return str(int(value))  # type: ignore[call-overload]  # a float, as was asked above
        return _checked(path, row, _written(value, are_days))

    written = tuple(text(row, value) for row, value in zip(rows, column, strict=True))
    return Texts(written, bool(held) and all(map(_is_number, held)), _no_text(held))


def is_missing(value: object) -> bool:
    """Tell whether a value is nothing: null, or what does not equal itself, as not-a-number and not-a-time do.

    >>> [is_missing(value) for value in (None, float("nan"), Decimal("nan"), "", "nan", 0, [])]
    [True, True, True, False, False, False, False]
    """
    return value is None or bool(value != value)


def _written(value: object, are_days: bool) -> str:
    """Write a value that is there: true is "true", a list or an object is JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):  # as a datetime is, too
        as_day = value.date() if isinstance(value, datetime) else value
        return str(as_day if are_days else value if isinstance(value, datetime) else datetime.combine(value, time()))
    if isinstance(value, bool | int | float | list | dict):
        return json.dumps(value, ensure_ascii=False, default=lambda inner: _written(inner, are_days))
    return str(value)


def _is_day(value: date) -> bool:
    return not isinstance(value, datetime) or value.timetz() == time()


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


def _no_text(held: Iterable[object]) -> str | None:
    for value in held:
        if isinstance(value, list | dict):
            shown = _written(value, are_days=True)
            return f"{LISTS if isinstance(value, list) else 'objects'}, such as {shown[:N_CHARACTERS_SHOWN]}"
        if isinstance(value, bytes) and _decoded(value).encode() != value:
            return "bytes that are no UTF-8"
    return None


def _checked(path: Path, row: int, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = repr(text[:N_CHARACTERS_SHOWN])
        raise RequestError(f"{path} row {row} holds half of a surrogate pair, which no text may: {shown}") from None
    return text


def _is_number(value: object) -> bool:
    """Tell whether a value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
