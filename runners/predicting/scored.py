"""The score of predictions whose input is labelled."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.study.task_entry import TaskEntry
from gridsearch.tasks.judging.codes import read_number, reader_of_several
from gridsearch.tasks.judging.judge import measured
from gridsearch.tasks.labelled_file import label_cells
from gridsearch.tasks.labels import Spellings, as_spelled
from gridsearch.tasks.tables.table import Columns, Table

UNKNOWN = -1
BESIDE: Mapping[LabelKind, str] = {"class": "accuracy", "multilabel": "subset_accuracy", "score": "rmse"}
"""What is told beside the metric of the task."""


def score_text(table: Table, columns: Columns, outputs: np.ndarray, task: TaskEntry) -> str:
    """Say what the metric of a task or part is on the rows with a label, and another one; empty where no row has one.

    ``outputs`` are of shape (rows, labels), or (rows, 1) of numbers.
    """
    texts = [table.find(columns.text), None if columns.pair is None else table.find(columns.pair)]
    places = [table.find(key) for key in columns.labels]
    may_hold_lists = task.labels_are == "multilabel" and task.label_separator is None
    no_labels = texts if may_hold_lists else [*texts, *table.no_texts]
    if any(place is None or place in no_labels for place in places):
        return ""
    cells = label_cells(table, columns, may_hold_lists=may_hold_lists)
    assert cells is not None, "all columns of labels are there"
    truth, known = _truth(cells, task, of_columns=isinstance(columns.label, tuple))
    if not known.any():
        return ""
    found = measured(truth[known], outputs[known], task.labelling)
    why_not = "these are of one label" if task.labels_are == "class" else "these do not differ"
    own = task.own_metric
    names = dict.fromkeys([*([] if own is not None else [task.metric]), BESIDE[task.labels_are]])
    told = [f"{name} {found[name]:.4f}" if name in found else f"no {name}: {why_not}" for name in names]
    n_rows, n_known = len(known), int(known.sum())
    of_all = "" if n_known == n_rows else f" of {n_rows}"
    what = {"class": "a label", "multilabel": "labels", "score": "a score"}[task.labels_are]
    told += [] if own is None else [f"no {own.name}: it is a function of Python, which is not kept with the study"]
    return f"{n_known}{of_all} rows have {what}: {', '.join(told)}"


def _truth(cells: Sequence[str], task: TaskEntry, *, of_columns: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return what rows hold, as metrics are computed from it, and of which it is known, (rows,)."""
    if task.labels_are == "class":
        labels = label_places(cells, task.label_names)
        return labels, labels != UNKNOWN
    if task.labels_are == "score":
        numbers = np.array([_read(cell, read_number, np.nan) for cell in cells])
        return numbers, ~np.isnan(numbers)
    positions = reader_of_several(task.label_names, task.label_separator, of_columns=of_columns)
    # A file without any label is one without labels, and no file of rows that have none.
    is_labelled = [bool(cell) or (task.empty_is_none and any(cells)) for cell in cells]
    read = [_read(cell, positions, None) if ok else None for cell, ok in zip(cells, is_labelled, strict=True)]
    there = np.zeros((len(cells), len(task.label_names)), dtype=np.int8)
    for row, held in enumerate(read):
        there[row, list(held or ())] = 1
    return there, np.array([held is not None for held in read])


def _read(cell: str, reader: Callable[[str], Any], otherwise: Any) -> Any:
    try:
        return reader(cell)
    except RequestError:
        return otherwise


def label_places(values: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Return the position of each row's label, (rows,), and -1 for what is none.

    Labels are told by their names; where none is, and all are whole numbers, by their positions, as in a task's files.

    >>> label_places(["yes", "no", "", "?"], ["no", "yes"]).tolist(), label_places(["1", "-1"], ["no", "yes"]).tolist()
    ([1, 0, -1, -1], [1, -1])
    """
    texts = [value.strip() for value in values]
    by_name = Spellings({name: place for place, name in enumerate(names)})
    places = [by_name.position(text) for text in texts]
    if set(places) <= {None} and all(re.fullmatch(r"-?[0-9]+", as_spelled(text)) for text in texts if text):
        by_number = Spellings({str(place): place for place in range(len(names))})
        places = [by_number.position(text) for text in texts]
    return np.array([UNKNOWN if place is None else place for place in places], dtype=np.int64)
