"""From the strings of label columns to what rows hold: several labels, or a number.

Splits hold a whole number a row, its code. That of a class is the class's position; here it is the position of what the
row is labelled with among all that occurs: of a combination of labels, or of a number.
"""

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from gridsearch.errors import RequestError, one_of
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.columns.numbers import finite_number
from gridsearch.tasks.labels import LEAVE_OUT, NO_PART_OF_TEST, LabelColumn, Labels, Spellings, refuse_empty
from gridsearch.tasks.labels import sorted_labels as in_order

Coded = TypeVar("Coded", tuple[int, ...], float)
Value = TypeVar("Value", tuple[int, ...], float, list[str])

CELLS = "\t"
"""What stands between the cells of several label columns, which a reader of tables joins."""
NO_STRATUM = -1
MOST_STRATA = 10
ROWS_A_STRATUM = 5
YES, NO = ("1", "true", "yes", "1.0"), ("0", "false", "no", "0.0")
"""What a column of one label holds where a row has it, and where not, in small letters."""


@dataclass(frozen=True)
class Codes:
    """What the codes stand for: ``combinations`` of positions of labels, rising, or ``scores``; neither for classes."""

    combinations: tuple[tuple[int, ...], ...] = ()
    scores: tuple[float, ...] = ()

    @property
    def kind(self) -> LabelKind:
        """What the labels are."""
        return "multilabel" if self.combinations else "score" if self.scores else "class"

    def truth(self, codes: Sequence[int] | np.ndarray, n_labels: int) -> np.ndarray:
        """Return what rows hold: positions of classes, (rows,); 0 and 1, (rows, labels), int8; or numbers, (rows,)."""
        numbers = np.asarray(codes, dtype=np.int64)
        return numbers if self.kind == "class" else self.table(n_labels)[numbers]

    def table(self, n_labels: int) -> np.ndarray:
        """Return what each code stands for: 0 and 1, (codes, labels), int8; or numbers, (codes,)."""
        if self.scores:
            return np.array(self.scores, dtype=np.float64)
        found = np.zeros((len(self.combinations), n_labels), dtype=np.int8)
        for code, positions in enumerate(self.combinations):
            found[code, list(positions)] = 1
        return found

    def strata(self, codes: Sequence[int]) -> tuple[int, ...]:
        """Return the group of each row, for parts of the rows to be alike: its class, its rarest label, or its range.

        Rows without any label are a group; of numbers there are up to ten ranges, each with as many rows.
        """
        if self.kind == "class":
            return tuple(codes)
        of_code = self._rarest(codes) if self.combinations else self._ranges(codes)
        return tuple(of_code[code] for code in codes)

    def _rarest(self, codes: Sequence[int]) -> Sequence[int]:
        counts = Counter(position for code in codes for position in self.combinations[code])
        return [min(held, key=lambda one: (counts[one], one), default=NO_STRATUM) for held in self.combinations]

    def _ranges(self, codes: Sequence[int]) -> Sequence[int]:
        values = np.array(self.scores)
        n_strata = max(1, min(MOST_STRATA, len(codes) // ROWS_A_STRATUM))
        held = values[np.asarray(codes, dtype=np.int64)]
        if not len(held):
            return [0] * len(values)
        edges = np.unique(np.quantile(held, np.arange(1, n_strata) / n_strata, method="lower"))
        found: list[int] = np.searchsorted(edges, values, side="left").tolist()
        return found


CLASSES: Final = Codes()
"""What stands for itself: the position of a class."""


def code_several(
    columns: Mapping[str, LabelColumn | None], rules: Labels, given: Sequence[str] | None, of_columns: Sequence[str]
) -> tuple[tuple[str, ...], Codes, dict[str, tuple[int, ...] | None]]:
    """Return the labels' names, what codes stand for, and the codes of each split, None where it is unlabelled.

    ``of_columns`` are the names of several label columns, empty where all labels of a row stand in one cell.

    Raises:
        RequestError: a cell that is empty or holds an unknown label, columns of other values than 0 and 1, or fewer
            than two labels.
    """
    train = columns["train"]
    assert train is not None, "training rows have labels"
    if of_columns:
        names = tuple(given or of_columns)
        if len(names) != len(of_columns):
            raise RequestError(f"names under [labels] are {len(names)}, but there are {len(of_columns)} label columns")
    else:

        def within(cell: str) -> list[str]:
            return labels_in(cell, rules.separator)

        read_apart = _read({"train": train}, within, empty_is_none=rules.empty_is_none)["train"] or ()
        held = {label for labels in read_apart for label in labels}
        names = tuple(given) if given is not None else in_order(held)
    if len(names) < 2 or len(set(names)) < len(names):
        raise RequestError(
            f"several labels a row are two or more that differ, but {train.path} has {', '.join(map(repr, names)) or 0}"
        )
    positions = reader_of_several(names, rules.separator, of_columns=bool(of_columns))
    read = _read(columns, positions, empty_is_none=rules.empty_is_none)
    combinations = _coded(read)
    return names, Codes(combinations=tuple(combinations)), _codes(read, combinations)


def reader_of_several(
    names: Sequence[str], separator: str | None, *, of_columns: bool
) -> Callable[[str], tuple[int, ...]]:
    """Return what reads the positions of a row's labels, rising, out of its cell, or out of several joined ones.

    It raises RequestError for an unknown label, and for a cell of a column of one label that holds no 0 or 1.
    """
    spellings = Spellings({name: position for position, name in enumerate(names)})

    def positions(value: str) -> tuple[int, ...]:
        if of_columns:
            return tuple(place for place, cell in enumerate(value.split(CELLS)) if _is_yes(cell))
        found = set()
        for label in labels_in(value, separator):
            position = spellings.position(label)
            if position is None:
                raise RequestError(one_of("label", label, names))
            found.add(position)
        return tuple(sorted(found))

    return positions


def code_numbers(columns: Mapping[str, LabelColumn | None]) -> tuple[Codes, dict[str, tuple[int, ...] | None]]:
    """Return what codes stand for, and the codes of each split, None where it is unlabelled.

    Raises:
        RequestError: a cell that is no finite number, or training rows that all have the same one.
    """
    read = _read(columns, read_number, empty_is_none=False)
    known = _coded(read)
    train = read["train"] or []
    if len(set(train)) < 2:
        shown = f"{train[0]:g}" if train else "nothing"
        raise RequestError(f"training rows must have two scores or more that differ, but all have {shown}")
    return Codes(scores=tuple(known)), _codes(read, known)


def _read(
    columns: Mapping[str, LabelColumn | None], parse: Callable[[str], Value], *, empty_is_none: bool
) -> dict[str, list[Value] | None]:
    """Read the cells of each split; an error names file and row. A test without any label has none."""
    read: dict[str, list[Value] | None] = {}
    for split, column in columns.items():
        if column is None or (split == "test" and column.is_unlabelled):
            read[split] = None
            continue
        if not empty_is_none:
            refuse_empty(column, NO_PART_OF_TEST if split == "test" else LEAVE_OUT)
        values = read[split] = []
        for row, cell in zip(column.rows, column.values, strict=True):
            try:
                values.append(parse(cell))
            except RequestError as error:
                raise RequestError(f"{column.path} row {row}: {error}") from None
    return read


def _coded(read: Mapping[str, list[Coded] | None]) -> list[Coded]:
    return sorted({value for values in read.values() for value in values or ()})


def _codes(read: Mapping[str, list[Coded] | None], known: Sequence[Coded]) -> dict[str, tuple[int, ...] | None]:
    code_of = {value: code for code, value in enumerate(known)}
    return {
        split: None if values is None else tuple(code_of[value] for value in values) for split, values in read.items()
    }


def labels_in(cell: str, separator: str | None) -> list[str]:
    """Return the labels of a cell: between separators, or those of a list as JSON or Python spells it; of none, none.

    >>> labels_in("a| b", "|"), labels_in("['a', 2]", None), labels_in("[]", None)
    (['a', 'b'], ['a', '2'], [])

    Raises:
        RequestError: there is no separator, and the cell is no list.
    """
    if separator is not None or not cell:
        return [part.strip() for part in cell.split(separator) if part.strip()]
    try:
        held = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        held = None
    if not isinstance(held, list) or not all(isinstance(label, str | int) for label in held):
        raise RequestError(
            f"several labels of one cell need a separator under [labels], or are a list; this one is {cell[:40]!r}"
        )
    return [str(label).strip() for label in held]


def _is_yes(cell: str) -> bool:
    if cell.lower() in YES:
        return True
    if cell.lower() in NO:
        return False
    raise RequestError(f"a column of one label holds 1 where a row has it and 0 where not, but this one holds {cell!r}")


def read_number(cell: str) -> float:
    """Return the number that a cell spells. Raises RequestError for none, or one that is not finite."""
    if (number := finite_number(cell)) is None:
        raise RequestError(f"a score is a number, such as 3.5, but this one is {cell[:40]!r}")
    return number
