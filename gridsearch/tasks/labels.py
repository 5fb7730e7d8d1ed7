"""Labels: from the strings of a label column to the positions of names, with an error that gives file and row."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gridsearch.errors import RequestError, one_of
from gridsearch.tasks.columns.labels import several_in_a_cell
from gridsearch.tasks.judging.labelling import OF_CLASSES, OF_TWO_LABELS, POSITIVE

N_LABELS_SURELY_FEW = 20  # above it, labels that differ in every second row are taken for a mistaken column
UNLABELLED = ("", "-1")  # published tests without labels hold nothing, or -1 in every row
LEAVE_OUT = "drop_unlabelled = true under [labels] leaves such rows out (gridsearch init --drop-unlabelled writes it)"
NO_PART_OF_TEST = "a test has labels in all of its rows, or in none and is predicted only"
"""What to do about rows without a label: of train and dev, and of test, whose rows are never left out unasked."""

_INTEGER = re.compile(r"-?[0-9]+")
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")


class Labels(BaseModel):
    """What the labels are called, and which rows are left out for theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    names: tuple[str, ...] | None = None
    """The labels in their order; by default those of the training rows, sorted. Where the files hold numbers and none
    of them is a name, they are positions in this list, from 0. ``names = ["negative", "positive"]``
    """
    file: str | None = None
    """A file with a name a line, in place of ``names``. ``file = "class.txt"``"""
    ignore: tuple[str, ...] = ()
    """Rows with these labels are left out, and counted. ``ignore = ["-"]``"""
    drop_unlabelled: bool = Field(default=False, strict=True)
    """Whether the rows of train and dev that have no label are left out, and counted. ``drop_unlabelled = true``"""
    positive: str | None = None
    """Which of two labels f1_binary and average_precision are of; by default the second one. ``positive = "spam"``"""
    separator: str | None = Field(default=None, min_length=1)
    """What stands between several labels of one cell, where ``kind`` is multilabel; lists, such as ``["a", "b"]``, need
    none. ``separator = "|"``
    """
    empty_is_none: bool = Field(default=False, strict=True)
    """Whether an empty cell says that a row has none of several labels; else the row is one without a label.
    ``empty_is_none = true``
    """


@dataclass(frozen=True)
class LabelColumn:
    """The strings of one label column, with the file and the row numbers that an error has to name."""

    path: Path
    rows: tuple[int, ...]
    values: tuple[str, ...]

    @property
    def is_unlabelled(self) -> bool:
        """Tell whether every row holds nothing, or every row -1."""
        return len(set(self.values)) == 1 and as_spelled(self.values[0]) in UNLABELLED


def sorted_labels(values: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct values: as numbers where all are integers, else in alphabetical order.

    >>> sorted_labels(["10", "9", "10"]), sorted_labels(["b", "10", "a"])
    (('9', '10'), ('10', 'a', 'b'))
    """
    distinct = set(values)
    if all(_INTEGER.fullmatch(value) for value in distinct):
        return tuple(sorted(distinct, key=lambda value: (int(value), value)))
    return tuple(sorted(distinct))


def as_spelled(label: str) -> str:
    """Return the one spelling of a label that programs write in several: whole numbers with a point, true and false.

    A table of numbers with a value missing has made them so, and the other files of the task have not.

    >>> [as_spelled(label) for label in ("1.0", "-1.00", "1.5", "True", "a")]
    ['1', '-1', '1.5', 'true', 'a']
    """
    if whole := _WHOLE.fullmatch(label):
        return whole[1]
    return label.lower() if label.lower() in ("true", "false") else label


class Spellings:
    """The position that each label stands for: by its name, else by its name in another spelling of the same value."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self._known = {as_spelled(name): known[name] for name in reversed(list(known))} | dict(known)

    def position(self, label: str) -> int | None:
        """Return the position of a label, None where it is not known."""
        found = self._known.get(label)
        return self._known.get(as_spelled(label)) if found is None else found


def label_positions(train: LabelColumn, given: Sequence[str] | None) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the names in order, and the position that each value of the column stands for.

    Values are matched to given names by name; where they are integers and none of them is a name, by position.

    Raises:
        RequestError: an empty label, fewer than two, names that repeat, or far too many for a label column.
    """
    refuse_empty(train)
    held = sorted_labels(train.values)
    if len(held) < 2:
        raise RequestError(f"training rows must have two labels or more; {train.path} has only {held[0]!r}")
    if given is None:
        _refuse_implausible(train, held)
        return held, {value: position for position, value in enumerate(held)}
    names = tuple(given)
    if len(names) < 2 or len(set(names)) < len(names):
        shown = ", ".join(map(repr, names))
        raise RequestError(f"names under [labels] must be two or more that differ; they are {shown}")
    spelled = {as_spelled(value) for value in held}
    by_position = all(map(_INTEGER.fullmatch, spelled)) and not spelled & set(map(as_spelled, names))
    return names, {str(position) if by_position else name: position for position, name in enumerate(names)}


def positions_of(column: LabelColumn, known: Mapping[str, int], remedy: str = LEAVE_OUT) -> tuple[int, ...]:
    """Return the position of each row's label; raise RequestError for one that is empty or unknown."""
    refuse_empty(column, remedy)
    spellings, positions = Spellings(known), []
    for row, value in zip(column.rows, column.values, strict=True):
        position = spellings.position(value)
        if position is None:
            several = several_in_a_cell(list(known))
            remedy = f'; {several}, which kind = "multilabel" reads apart' if several else ""
            raise RequestError(f"{column.path} row {row}: {one_of('label', value, list(known))}{remedy}")
        positions.append(position)
    return tuple(positions)


def refuse_empty(column: LabelColumn, remedy: str = LEAVE_OUT) -> None:
    """Raise RequestError where a label is empty, naming the first such row, how many there are, and the way out."""
    if n_empty := column.values.count(""):
        row = column.rows[column.values.index("")]
        count = f" ({n_empty} of {len(column.values)} rows have none)" if n_empty > 1 else ""
        raise RequestError(f"every row needs a label; {column.path} row {row} has none{count}; {remedy}")


def refuse_unfit_metric(metric: str, names: Sequence[str]) -> None:
    """Raise RequestError for a metric that is defined for two labels only where there are more."""
    if metric in OF_TWO_LABELS and len(names) > 2:
        raise RequestError(
            f"metric {metric} needs exactly two labels, but there are {len(names)}: {', '.join(names)}; "
            f"known for more: {', '.join(metric for metric in OF_CLASSES if metric not in OF_TWO_LABELS)}"
        )


def position_of_positive(positive: str | None, names: Sequence[str]) -> int:
    """Return the position of the positive label; raise RequestError where no label is called so."""
    if positive is None:
        return POSITIVE
    if positive not in names:
        raise RequestError(f"positive under [labels]: {one_of('label', positive, names)}")
    return names.index(positive)


def _refuse_implausible(train: LabelColumn, held: Sequence[str]) -> None:
    if len(held) > max(N_LABELS_SURELY_FEW, len(train.values) / 2):
        raise RequestError(
            f"a label column repeats its values, but that of {train.path} has {len(held)} different ones "
            f"in {len(train.values)} rows, such as {held[0]!r}; name another column, or list the names under [labels]"
        )
