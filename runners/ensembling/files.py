"""Predictions from outside: a file of probabilities, or numbers, for the rows that judge or for test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.tasks.columns.numbers import finite_number, spells_number
from gridsearch.tasks.judging.labelling import Labelling
from gridsearch.tasks.tables.delimited import separated_rows
from gridsearch.tasks.tables.formats import format_of_name
from gridsearch.tasks.tables.text import read_text
from reports.statistics.ensembles.results import Member
from reports.statistics.results import Array

NONE = "none"
"""In place of a file that is not there."""
MOST_AWAY = 0.01
"""So far may the probabilities of a row be from adding up to 1: they were rounded."""


@dataclass(frozen=True)
class Wanted:
    """What files of predictions are about: the labels, what they are, and how many rows."""

    labels: Sequence[str]
    labelling: Labelling
    n_judged: int
    n_test: int


def read_added(files: Sequence[str], wanted: Wanted) -> Member:
    """Read a member of one file or two: of the rows that judge, then of test. Raises RequestError for others."""
    given = [None if name == NONE else Path(name) for name in files]
    named = [path for path in given if path is not None]
    if len(files) > 2 or not named:
        rule = "takes a file for the rows that judge, then one for test, or one of them"
        raise RequestError(f"--add {rule}, but got {' '.join(files)}; another member has an --add of its own")
    read = [None if path is None else read_predictions(path, wanted) for path in given]
    judged, test = _in_place(named[0], read, wanted) if len(read) == 1 else (read[0], read[1])
    for path, logits, n_rows, which in (
        (given[0], judged, wanted.n_judged, "that judge"),
        (given[-1], test, wanted.n_test, "of test"),
    ):
        if logits is not None and len(logits) != n_rows:
            raise RequestError(f"{path} has {len(logits)} rows, but the rows {which} are {n_rows}")
    return Member(named[0].stem, judged, test)


def _in_place(path: Path, read: Sequence[Array | None], wanted: Wanted) -> tuple[Array | None, Array | None]:
    """Tell by the number of its rows what a single file is about."""
    (logits,) = read
    assert logits is not None
    if wanted.n_judged == wanted.n_test == len(logits):
        rule = f"the rows that judge and those of test are {len(logits)} each, so their number does not tell which"
        raise RequestError(f"{rule} {path} is of; write --add FILE none, or --add none FILE for test")
    if len(logits) == wanted.n_judged:
        return logits, None
    if len(logits) == wanted.n_test:
        return None, logits
    has_test = f", and those of test {wanted.n_test}" if wanted.n_test else ""
    raise RequestError(f"{path} has {len(logits)} rows, but the rows that judge are {wanted.n_judged}{has_test}")


def read_predictions(path: Path, wanted: Wanted) -> Array:
    """Read a file as outputs, (rows, labels). Raises RequestError, with the row, for what are no such predictions.

    With a header, the columns are found by the names of ours or of the labels; else there is one column, of the
    positive label, or one for each label in their order. Of numbers there is one.
    """
    rows = _rows(path)
    names = None if all(map(spells_number, rows[0])) else rows[0]
    first = 1 if names is None else 2
    body = rows[first - 1 :]
    if not body:
        raise RequestError(f"{path} holds no rows")
    places = _places(path, names, len(rows[0]), wanted)
    kind = wanted.labelling.kind
    read = _number if kind == "score" else _probability
    values = np.array([[read(path, row, number, place) for place in places] for number, row in enumerate(body, first)])
    if kind == "score":
        return values
    least = np.finfo(np.float64).eps
    if kind == "multilabel":
        sure = np.clip(values, least, 1 - least)
        return np.asarray(np.log(sure) - np.log1p(-sure))
    if len(places) == 1:
        values = np.stack([1 - values[:, 0], values[:, 0]][:: 1 if wanted.labelling.positive == 1 else -1], axis=1)
    sums = values.sum(axis=1)
    if len(wrong := np.flatnonzero(np.abs(sums - 1) > MOST_AWAY)):
        number = int(wrong[0])
        raise RequestError(
            f"{path} row {number + first}: the probabilities of a row add up to 1, but here to {sums[number]:.4g}"
        )
    return np.asarray(np.log(np.maximum(values / sums[:, None], least)))


def _rows(path: Path) -> list[list[str]]:
    """Split a file into rows; one of another extension is separated by tabs, if it has any."""
    text = read_text(path)
    rows = separated_rows(path, text, format_of_name(path) or ("tsv" if "\t" in text else "csv"))
    if rows is None:
        raise RequestError(f"{path}: predictions are read from .csv and .tsv files")
    return [row for row in rows if any(row)]


def _places(path: Path, names: Sequence[str] | None, n_columns: int, wanted: Wanted) -> list[int]:
    """Find the columns of all labels, or the one of the positive label, or of the numbers."""
    if wanted.labelling.kind == "score":
        return [_place_of_numbers(path, names, n_columns, wanted)]
    for spelled in ([f"p({label})" for label in wanted.labels], list(wanted.labels)):
        if names is not None and all(names.count(name) == 1 for name in spelled):
            return [list(names).index(name) for name in spelled]
    has_two = len(wanted.labels) == 2 and wanted.labelling.kind == "class"
    if has_two and names is not None and list(names).count("probability") == 1:
        return [list(names).index("probability")]
    if n_columns == len(wanted.labels) or (has_two and n_columns == 1):
        return list(range(n_columns))
    one = f"one, of label {wanted.labels[wanted.labelling.positive]!r}, or " if has_two else ""
    every = f"{len(wanted.labels)}, one a label ({', '.join(wanted.labels)})"
    plural = "s" if n_columns > 1 else ""
    raise RequestError(f"{path} has {n_columns} column{plural}, but probabilities have {one}{every}")


def _place_of_numbers(path: Path, names: Sequence[str] | None, n_columns: int, wanted: Wanted) -> int:
    for name in ("predicted", "prediction", *wanted.labels):
        if names is not None and list(names).count(name) == 1:
            return list(names).index(name)
    if n_columns > 1:
        raise RequestError(f"{path} has {n_columns} columns, but numbers have one, or one called prediction")
    return 0


def _number(path: Path, row: Sequence[str], number: int, place: int) -> float:
    text = row[place] if place < len(row) else ""
    if (said := finite_number(text)) is None:
        raise RequestError(f"{path} row {number}: a prediction is a number, but this is {text[:40]!r}")
    return said


def _probability(path: Path, row: Sequence[str], number: int, place: int) -> float:
    text = row[place] if place < len(row) else ""
    if not spells_number(text) or not 0 <= float(text) <= 1:
        raise RequestError(f"{path} row {number}: a probability is a number from 0 to 1, but this is {text[:40]!r}")
    return float(text)
