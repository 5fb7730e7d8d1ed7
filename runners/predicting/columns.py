"""The columns of a file of predictions, as ``--columns`` names them: the input's own, and what is predicted."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.table import Table

DEFAULT = "*,predicted=prediction,p(*)"
Value: TypeAlias = str | int | float
"""A text, the number of a row, or a probability."""


@dataclass(frozen=True)
class Column:
    """A column's name, and its values, one a row, by probabilities of shape (rows, labels).

    ``is_number``: its texts spell numbers, and JSON has them as such.
    """

    name: str
    values: Callable[[np.ndarray], Sequence[Value]]
    is_number: bool = False


@dataclass(frozen=True)
class Known:
    """What columns can be made of: the input, and the labels. ``positive`` is the place of one of two labels."""

    table: Table
    labels: tuple[str, ...]
    positive: int

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names of the input's columns; without a header, by their positions."""
        table = self.table
        return table.names if table.named else tuple(f"column {place}" for place in range(len(table.names)))


def read_columns(text: str, known: Known) -> list[Column]:
    """Read ``--columns``. Raises RequestError for what is no column, or has no name of its own."""
    (items,) = csv.reader([text], skipinitialspace=True) if text.strip() else ([],)
    found = [column for item in items for column in _read(item.strip(), known)]
    if not found:
        raise RequestError("--columns needs a column, such as id,label=prediction")
    return found


def _read(item: str, known: Known) -> Iterator[Column]:
    name, equals, what = (part.strip() for part in item.partition("="))
    if not equals or _own(item, known) is not None:
        yield from _columns(item, known)
        return
    columns = list(_columns(what, known))
    if len(columns) > 1:
        raise RequestError(f"--columns: {what} is {len(columns)} columns, which cannot all be called {name!r}")
    yield replace(columns[0], name=name)


def _columns(what: str, known: Known) -> Iterator[Column]:
    """Return the columns that a word stands for. Words of ours come first: a column of the same name has a position."""
    if what == "*":
        yield from (_of_input(place, known) for place in range(len(known.table.names)))
    elif what == "p(*)":
        yield from (_probability(f"p({label})", place) for place, label in enumerate(known.labels))
    elif inside := re.fullmatch(r"number\((.*)\)", what):
        yield from (replace(column, is_number=True) for column in _columns(inside[1].strip(), known))
    elif inside := re.fullmatch(r"p\((.*)\)", what):
        if inside[1] not in known.labels:
            labels = ", ".join(known.labels)
            raise RequestError(f"--columns: {what} is of no label of the study, which are {labels}")
        yield _probability(what, known.labels.index(inside[1]))
    elif what == "probability":
        if len(known.labels) != 2:
            rule = "probability is that of the positive one of two labels"
            raise RequestError(f"--columns: {rule}, but there are {len(known.labels)}; write p(LABEL)")
        yield _probability(what, known.positive)
    elif what == "prediction":
        yield Column(what, lambda chances: [known.labels[place] for place in chances.argmax(axis=1)])
    elif what in ("row0", "row1"):
        first = int(what[-1])
        yield Column("row", lambda chances: range(first, first + len(chances)))
    elif (place := _own(what, known)) is not None:
        yield _of_input(place, known)
    else:
        words = "prediction, probability, p(LABEL), row0, row1, *"
        own = f"the input's columns are {', '.join(map(repr, known.own_names))}"
        raise RequestError(f"--columns: there is no column {what!r}; {own}; besides: {words}")


def _own(what: str, known: Known) -> int | None:
    """Return the position of a column of the input, by its name or else by its position."""
    table = known.table
    place = table.find(what)
    return table.find(int(what)) if place is None and re.fullmatch(r"[0-9]+", what) else place


def _of_input(place: int, known: Known) -> Column:
    values = known.table.values[place]
    return Column(known.own_names[place], lambda chances: values, is_number=place in known.table.numbers)


def _probability(name: str, place: int) -> Column:
    return Column(name, lambda chances: chances[:, place].tolist())
