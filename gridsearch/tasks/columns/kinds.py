"""The label of tasks that are no classes: several labels a row, or a number; what is told of it, and which metric."""

from collections import Counter
from collections.abc import Sequence

from gridsearch.errors import RequestError
from gridsearch.tasks.columns.labels import separator_within
from gridsearch.tasks.columns.numbers import finite_number
from gridsearch.tasks.judging.codes import YES, labels_in

N_SHOWN = 12
OF_SEVERAL = ("f1_micro", "metric f1_micro: each label of each row counts alike; f1_macro counts rare labels as much")
OF_NUMBERS = ("pearson", "metric pearson: how well predictions go with the numbers; rmse and mae say how far off")


def separator_of(cells: Sequence[str], name: str) -> str | None:
    """Return what stands between the labels of a cell; None where cells are lists.

    Raises:
        RequestError: nothing stands between any, as far as can be seen.
    """
    there = sorted({cell for cell in cells if cell})
    if there and all(cell.startswith("[") and cell.endswith("]") for cell in there):
        return None
    found = separator_within(there)
    if found is None:
        shown = ", ".join(repr(cell[:40]) for cell in there[:3])
        rule = f"--kind multilabel: nothing stands between several labels in {name}, such as {shown}"
        raise RequestError(f"{rule}; --separator names what does, or --label names a column for each label, one by one")
    return found


def told_of_several(cells: Sequence[str], name: str, separator: str | None) -> str:
    """Say which labels the cells hold."""
    counts = Counter(label for cell in cells if cell for label in set(labels_in(cell, separator)))
    between = "as a list" if separator is None else f"with {separator!r} between them"
    return f"label is {name}, several in a cell, {between}: {_shown(counts)}"


def told_of_columns(names: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    """Say which columns are labels, and how many rows have each."""
    counts: Counter[str] = Counter()
    for name, cells in zip(names, columns, strict=True):
        counts[name] = sum(cell.strip().lower() in YES for cell in cells)
    return f"labels are {len(names)} columns, 1 where a row has one: {_shown(counts)}"


def told_of_scores(cells: Sequence[str], name: str) -> str:
    """Say from where to where the numbers go."""
    numbers = [number for cell in cells if (number := finite_number(cell)) is not None]
    if not numbers:
        raise RequestError(f"--kind score: {name} holds no number; --label COLUMN names the column that does")
    return f"label is {name}, a number from {min(numbers):g} to {max(numbers):g}, {len(set(numbers))} different ones"


def are_numbers(cells: Sequence[str]) -> bool:
    """Tell whether there are two numbers or more, and nothing else but empty cells."""
    there = {cell.strip() for cell in cells} - {""}
    return len(there) > 1 and all(finite_number(cell) is not None for cell in there)


def are_signs(cells: Sequence[str]) -> bool:
    """Tell whether all cells are 0 or 1, and both are there."""
    return {cell.strip() for cell in cells} in ({"0", "1"}, {"0.0", "1.0"}, {"false", "true"}, {"False", "True"})


def _shown(counts: Counter[str]) -> str:
    shown = ", ".join(f"{label[:40]} ({count})" for label, count in counts.most_common(N_SHOWN))
    return shown + (f" and {len(counts) - N_SHOWN} more" if len(counts) > N_SHOWN else "")
