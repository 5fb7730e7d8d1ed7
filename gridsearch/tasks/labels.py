"""Labels: from the strings of a label column to the positions of names, with an error that gives file and row."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gridsearch.errors import RequestError, one_of
from gridsearch.tasks.task import OF_TWO_LABELS, POSITIVE

N_LABELS_SURELY_FEW = 20  # above it, labels that differ in every second row are taken for a mistaken column
UNLABELLED = ("", "-1")  # published tests without labels hold nothing, or -1 in every row

_INTEGER = re.compile(r"-?[0-9]+")


class Labels(BaseModel):
    """The labels' names in order, or a file with one a line; ``ignore`` lists values whose rows are left out.

    ``positive`` names the one of two labels that f1_binary is of; by default it is the second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] | None = None
    file: str | None = None
    ignore: tuple[str, ...] = ()
    positive: str | None = None


@dataclass(frozen=True)
class LabelColumn:
    """The strings of one label column, with the file and the row numbers that an error has to name."""

    path: Path
    rows: tuple[int, ...]
    values: tuple[str, ...]

    @property
    def is_unlabelled(self) -> bool:
        """Tell whether every row holds nothing, or every row -1."""
        return len(set(self.values)) == 1 and self.values[0] in UNLABELLED


def sorted_labels(values: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct values: as numbers where all are integers, else in alphabetical order.

    >>> sorted_labels(["10", "9", "10"]), sorted_labels(["b", "10", "a"])
    (('9', '10'), ('10', 'a', 'b'))
    """
    distinct = set(values)
    if all(_INTEGER.fullmatch(value) for value in distinct):
        return tuple(sorted(distinct, key=lambda value: (int(value), value)))
    return tuple(sorted(distinct))


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
    by_position = all(_INTEGER.fullmatch(value) for value in held) and not set(held) & set(names)
    return names, {str(position) if by_position else name: position for position, name in enumerate(names)}


def positions_of(column: LabelColumn, known: Mapping[str, int]) -> tuple[int, ...]:
    """Return the position of each row's label; raise RequestError for one that is empty or unknown."""
    refuse_empty(column)
    for row, value in zip(column.rows, column.values, strict=True):
        if value not in known:
            raise RequestError(f"{column.path} row {row}: {one_of('label', value, list(known))}")
    return tuple(known[value] for value in column.values)


def refuse_empty(column: LabelColumn) -> None:
    """Raise RequestError, naming the row, where a label is empty."""
    if "" in column.values:
        row = column.rows[column.values.index("")]
        raise RequestError(f"every row needs a label; {column.path} row {row} has none")


def refuse_unfit_metric(metric: str, names: Sequence[str]) -> None:
    """Raise RequestError for a metric that is defined for two labels only where there are more."""
    if metric in OF_TWO_LABELS and len(names) > 2:
        raise RequestError(
            f"metric {metric} needs exactly two labels, but there are {len(names)}: {', '.join(names)}; "
            "known for more: accuracy, f1_macro, f1_micro, f1_weighted, matthews, log_loss"
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
