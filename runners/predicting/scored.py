"""The score of predictions whose input is labelled."""

import re
from collections.abc import Sequence

import numpy as np

from gridsearch.study.task_entry import TaskEntry
from gridsearch.tasks.labels import Spellings, as_spelled
from gridsearch.tasks.metrics import score
from gridsearch.tasks.tables.table import Columns, Table

UNKNOWN = -1


def score_text(table: Table, columns: Columns, logits: np.ndarray, task: TaskEntry) -> str:
    """Say what the metric of a task or part and the accuracy are on the rows with a label; empty where no row has one.

    ``logits`` are of shape (rows, labels).
    """
    place = table.find(columns.labels[0])
    if place is None or place in (table.find(columns.text), None if columns.pair is None else table.find(columns.pair)):
        return ""
    labels = label_places(table.values[place], task.label_names)
    known = labels != UNKNOWN
    if not known.any():
        return ""
    found = score(labels[known], logits[known], task.position_of_positive)
    names = list(dict.fromkeys([task.metric, "accuracy"]))
    told = [f"{name} {found[name]:.4f}" if name in found else f"no {name}: these are of one label" for name in names]
    n_rows, n_known = len(labels), int(known.sum())
    of_all = "" if n_known == n_rows else f" of {n_rows}"
    return f"{n_known}{of_all} rows have a label: {', '.join(told)}"


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
