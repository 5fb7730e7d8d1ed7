"""The columns of a file of predictions, as ``--columns`` names them: the input's own, and what is predicted."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.study.task_entry import TaskEntry
from gridsearch.tasks.judging.labelling import Labelling
from gridsearch.tasks.tables.table import Table

SEPARATOR = "|"
"""What stands between the labels of a row where the task has them in columns."""
Value: TypeAlias = str | int | float
"""A text, the number of a row, 0 or 1 of a label, a probability, or a predicted number."""


Predicted: TypeAlias = Callable[[np.ndarray], Sequence[Value]]
"""From what is said of the rows to the values of a column."""


@dataclass(frozen=True)
class Column:
    """A column's name, and its values, one a row, by probabilities of shape (rows, labels), or numbers of (rows, 1).

    ``is_number``: its texts spell numbers, and JSON has them as such.
    """

    name: str
    values: Predicted
    is_number: bool = False


@dataclass(frozen=True)
class Known:
    """What columns can be made of: the input, and the labels.

    Several labels of a row stand in a column each (``in_columns``), or in one with a ``separator`` between them.
    """

    table: Table
    labels: tuple[str, ...]
    labelling: Labelling
    separator: str = SEPARATOR
    in_columns: bool = False

    @property
    def kind(self) -> LabelKind:
        """What the labels are."""
        return self.labelling.kind

    @property
    def n_outputs(self) -> int:
        """How many numbers a row is told by: a probability for each label, or the one."""
        return len(self.labels)

    @property
    def default(self) -> str:
        """What is written where nobody says: all of the input, what is predicted, and how sure that is."""
        if self.kind == "score":
            return "*,predicted=prediction"
        return "*,has(*),p(*)" if self.in_columns else "*,predicted=prediction,p(*)"

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names of the input's columns; without a header, by their positions."""
        table = self.table
        return table.names if table.named else tuple(f"column {place}" for place in range(len(table.names)))


def known_of(table: Table, entry: TaskEntry, *, in_columns: bool) -> Known:
    """Return what is known of an input of a task; ``in_columns``: several labels of it stand in a column each."""
    return Known(table, tuple(entry.label_names), entry.labelling, entry.label_separator or SEPARATOR, in_columns)


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
    elif inside := re.fullmatch(r"number\((.*)\)", what):
        yield from (replace(column, is_number=True) for column in _columns(inside[1].strip(), known))
    elif inside := re.fullmatch(r"(p|has)\((.*)\)", what):
        yield from _of_labels(inside[1], inside[2], known)
    elif what == "probability":
        yield _probability(what, _positive(known))
    elif what == "prediction":
        yield Column(what, _PREDICTED[known.kind](known))
    elif what in ("row0", "row1"):
        first = int(what[-1])
        yield Column("row", lambda chances: range(first, first + len(chances)))
    elif (place := _own(what, known)) is not None:
        yield _of_input(place, known)
    else:
        words = _WORDS[known.kind]
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


def _of_labels(word: str, label: str, known: Known) -> Iterator[Column]:
    """Return the column of a label, or those of all: its probability, or whether rows have it."""
    asked = f"--columns: {word}({label})"
    if known.kind == "score":
        raise RequestError(f"{asked} is of labels, and the study has numbers; write prediction")
    if known.kind == "class" and word == "has":
        raise RequestError(f"{asked} is of several labels a row, and the study has one; write prediction")
    if label not in ("*", *known.labels):
        raise RequestError(f"{asked} is of no label of the study, which are {', '.join(known.labels)}")
    make = _has if word == "has" else _probability
    yield from (make(f"{word}({one})", place) for place, one in enumerate(known.labels) if label in ("*", one))


def _positive(known: Known) -> int:
    """Return the place of the positive one of two classes. Raises RequestError where there is none."""
    if known.kind == "score":
        raise RequestError("--columns: probability is of labels, and the study has numbers; write prediction")
    rule = "probability is that of the positive one of two labels"
    if known.kind == "multilabel":
        raise RequestError(f"--columns: {rule}, but a row may have several; write p(LABEL)")
    if len(known.labels) != 2:
        raise RequestError(f"--columns: {rule}, but there are {len(known.labels)}; write p(LABEL)")
    return known.labelling.positive


def _class(known: Known) -> Predicted:
    return lambda chances: [known.labels[place] for place in chances.argmax(axis=1)]


def _several(known: Known) -> Predicted:
    def joined(chances: np.ndarray) -> Sequence[Value]:
        return [
            known.separator.join(label for label, is_there in zip(known.labels, row, strict=True) if is_there)
            for row in is_told(chances)
        ]

    return joined


def _number(known: Known) -> Predicted:
    return lambda numbers: numbers[:, 0].tolist()


_PREDICTED: Mapping[LabelKind, Callable[[Known], Predicted]] = {
    "class": _class,
    "multilabel": _several,
    "score": _number,
}
_WORDS: Mapping[LabelKind, str] = {
    "class": "prediction, probability, p(LABEL), row0, row1, *",
    "multilabel": "prediction, has(LABEL), p(LABEL), row0, row1, *",
    "score": "prediction, row0, row1, *",
}


def is_told(chances: np.ndarray) -> np.ndarray:
    """Tell which labels are told, from the probability of each: those that are likelier there than not."""
    return np.asarray(chances > 0.5)


def _has(name: str, place: int) -> Column:
    return Column(name, lambda chances: is_told(chances)[:, place].astype(int).tolist())


def _probability(name: str, place: int) -> Column:
    return Column(name, lambda chances: chances[:, place].tolist())
