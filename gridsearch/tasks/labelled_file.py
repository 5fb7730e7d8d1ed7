"""One data file as a part of a task: its texts, its label column, and what a user should know about its rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gridsearch.errors import RequestError
from gridsearch.tasks.judging.codes import CELLS
from gridsearch.tasks.labels import LabelColumn, Labels
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.task import Kind, Split

N_CHARACTERS_SHOWN = 40
_IDS = re.compile(r"[0-9]*( +[0-9]+)* *")


@dataclass(frozen=True)
class LabelledFile:
    """The rows of one file, their labels still as strings; ``labels`` is None where the file has no label column."""

    split: Split
    labels: LabelColumn | None
    notes: tuple[str, ...]


def by_name(columns: Columns, train: Table) -> Columns:
    """Replace positions by train's column names: a test without labels may have its columns at other places."""
    changes: dict[str, object] = {}
    for role, key in (("text", columns.text), ("pair", columns.pair)):
        changes[role] = _by_name(key, train)
    labels = tuple(_by_name(key, train) for key in columns.labels)
    changes["label"] = labels if isinstance(columns.label, tuple) else labels[0]
    return columns.model_copy(update=changes)


Key = TypeVar("Key", int | str, int | str | None)


def _by_name(key: Key, train: Table) -> Key | str:
    position = train.find(key) if isinstance(key, int) else None
    if train.named and position is not None and train.names.count(train.names[position]) == 1:
        return train.names[position]
    return key


def label_cells(table: Table, columns: Columns, *, may_hold_lists: bool = False) -> tuple[str, ...] | None:
    """Return what the label column holds; of several columns, their cells joined. None where the table lacks one.

    A row without anything in any of several columns holds nothing.
    """
    if any(table.find(key) is None for key in columns.labels):
        return None
    cells = [
        [cell.strip() for cell in table.column(key, "label", may_hold_lists=may_hold_lists)] for key in columns.labels
    ]
    return tuple(CELLS.join(row) if any(row) else "" for row in zip(*cells, strict=True))


def texts_of(table: Table, columns: Columns, kind: Kind, *, ids: bool) -> Split:
    """Return the rows of a table without their labels. Where they are to be ``ids``, RequestError for another text."""
    pairs = table.column(columns.pair, "pair") if kind == "pair" and columns.pair is not None else None
    split = Split(table.column(columns.text, "text"), None, pairs)
    if ids:
        refuse_words(split, table.path, table.rows)
    return split


def are_ids(text: str) -> bool:
    """Tell whether a text is whole numbers separated by spaces; an empty one is none of them.

    >>> [are_ids(text) for text in ("12 5 776", "12", "", "12, 5", "-1", "1.5", "١٢")]
    [True, True, True, False, False, False, False]
    """
    return _IDS.fullmatch(text) is not None


def refuse_words(split: Split, path: Path, rows: Sequence[int]) -> None:
    """Raise RequestError for a text that is no ids, with its file and row."""
    for texts in (split.texts, *([] if split.pairs is None else [split.pairs])):
        for row, text in zip(rows, texts, strict=True):
            if not are_ids(text):
                shown = text if len(text) <= N_CHARACTERS_SHOWN else f"{text[:N_CHARACTERS_SHOWN]}…"
                rule = "with ids = true every text is whole numbers separated by spaces"
                raise RequestError(f"{path} row {row}: {rule}, but this one is {shown!r}")


def read_labelled_file(
    table: Table, columns: Columns, kind: Kind, rules: Labels, is_test: bool, *, ids: bool, several: bool = False
) -> LabelledFile:
    """Take a table apart into texts and label strings, leaving out the rows that ``rules`` say.

    Rows without a label are left out of train and dev only; a test may lack the label column. ``several``: a cell may
    be a list of labels.

    Raises:
        RequestError: a missing column, no row left, a text column that is mostly empty, or texts that are no ``ids``.
    """
    split, labels, notes = texts_of(table, columns, kind, ids=ids), None, list(table.notes)
    cells = label_cells(table, columns, may_hold_lists=several and rules.separator is None)
    if cells is None and not is_test:
        for key in columns.labels:
            table.column(key, "label")  # names the one that is missing
    if (values := cells) is not None:
        dropped = ("",) if rules.drop_unlabelled and not is_test else ()
        kept = [position for position, value in enumerate(values) if value not in (*rules.ignore, *dropped)]
        rows = tuple(table.rows[position] for position in kept)
        split, labels = split.take(kept), LabelColumn(table.path, rows, tuple(values[position] for position in kept))
        n_unlabelled = sum(value in dropped for value in values)
        if ignored := len(values) - len(kept) - n_unlabelled:
            notes.append(f"{ignored} rows of {table.path.name} left out, their label being {' or '.join(rules.ignore)}")
        if n_unlabelled:
            notes.append(f"{n_unlabelled} of {len(values)} rows of {table.path.name} left out, having no label")
    if not len(split):
        missing = " or missing" if rules.drop_unlabelled else ""
        raise RequestError(f"{table.path} holds no rows but those whose label is to be ignored{missing}")
    return LabelledFile(split, labels, (*notes, *_notes_on_empty(table, split)))


def _notes_on_empty(table: Table, split: Split) -> list[str]:
    """Count empty texts. They are kept: without them dev would be another one. Mostly empty means a wrong column."""
    rows = [
        [text.strip() for text in row] for row in zip(split.texts, *([split.pairs] if split.pairs else []), strict=True)
    ]
    if (n_bare := sum(not any(row) for row in rows)) > len(rows) / 2:
        count = f"{n_bare} of {len(rows)} rows"
        raise RequestError(f"a text column must hold texts, but that of {table.path} is empty in {count}")
    n_empty = sum(not all(row) for row in rows)
    return [f"{n_empty} rows of {table.path.name} have an empty text; they are kept"] if n_empty else []
