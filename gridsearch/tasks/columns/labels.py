"""What the values of a label column look like, where a user would want to know: several labels in a cell, numbers."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

N_NAMED = 5
SEPARATORS = ("|", ";", ",", "；", "，", "、")
"""What may stand between several labels of one cell."""
N_ROWS_EACH, N_LABELS_FEW = 10, 20
"""More labels than the second, with fewer rows each than the first, may be no labels."""
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_LIST = re.compile(r"\[.*\]", re.DOTALL)
PREDICTED = "--kind score predicts the number"
READ_APART = "--kind multilabel reads each cell as several labels"


def label_cautions(name: str, counts: Mapping[str, int]) -> list[str]:
    """Say what the labels may not be meant for. ``counts``: how many rows have each; ``name`` is their column's."""
    told = []
    if several := several_in_a_cell(list(counts)):
        each = f"each of the {len(counts)} combinations is taken as a label of its own"
        told.append(f"{several}: {each}; {READ_APART}")
    n_rows = sum(counts.values())
    if len(counts) > N_LABELS_FEW and n_rows < N_ROWS_EACH * len(counts):
        few = f"{len(counts)} labels in {n_rows} rows are {n_rows / len(counts):.1f} rows each"
        told.append(f"{few}: if {name} is not the label, --label COLUMN names another")
    if once := [label for label, count in counts.items() if count == 1]:
        n_once = f"{len(once)} labels occur" if len(once) > 1 else "1 label occurs"
        remedy = "a row that is in train cannot judge; ignore under [labels] leaves out the rows of the labels it lists"
        told.append(f"{n_once} once ({_named(once)}): {remedy}")
    return told


def several_in_a_cell(labels: Sequence[str]) -> str:
    """Say that labels look like several in a cell; empty where they do not.

    >>> several_in_a_cell(["a|b", "a", "b"])
    "the labels look like several in a cell, separated by '|', such as 'a|b'"
    >>> several_in_a_cell(["Arts, culture", "Business, finance"]), several_in_a_cell(["2,5", "3,0"])
    ('', '')
    """
    if labels and all(map(_LIST.fullmatch, labels)):
        return f"the labels are lists, such as {max(labels, key=len)[:40]!r}"
    if (separator := separator_within(labels)) is not None:
        joined = next(label for label in labels if separator in label)
        return f"the labels look like several in a cell, separated by {separator!r}, such as {joined[:40]!r}"
    return ""


def separator_within(labels: Sequence[str]) -> str | None:
    """Return what separates the labels in cells, by which most of them come back in others; None where nothing does."""
    for separator in SEPARATORS:
        parts = {label: [part.strip() for part in label.split(separator)] for label in labels}
        joined = [label for label, several in parts.items() if len(several) > 1]
        found = Counter(part for several in parts.values() for part in set(several))
        n_parts = {part for label in joined for part in parts[label]}
        # Where most parts come back in other cells they are labels; else the sign is part of a name.
        comes_back = [part for part in n_parts if found[part] > 1]
        if joined and "" not in n_parts and 2 * len(comes_back) > len(n_parts) and not _are_decimals(joined):
            return separator
    return None


def told_of_numbers(labels: Sequence[str]) -> str:
    """Say what becomes of labels that are numbers, three or more; empty where they are none.

    >>> told_of_numbers(["1", "2", "3"]).split(": ")[0]
    'the labels are numbers (1 to 3)'
    """
    if len(labels) < 3 or not all(map(_NUMBER.fullmatch, labels)):
        return ""
    ordered = sorted(labels, key=float)
    reach = f"{ordered[0]} to {ordered[-1]}"
    if all(float(label).is_integer() for label in labels):
        what = f"the labels are numbers ({reach})"
        as_classes = "they are taken as classes without order, each wrong one as wrong as another"
        return f"{what}: {as_classes}; {PREDICTED}"
    what = f"the labels are {len(labels)} numbers with fractions ({reach})"
    return f"{what}: each is taken as a class of its own; {PREDICTED}"


def _are_decimals(labels: Sequence[str]) -> bool:
    """Tell whether a comma is that of a number."""
    return all(re.fullmatch(r"[-+]?[0-9]+,[0-9]+", label) for label in labels)


def _named(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label[:40]) for label in labels[:N_NAMED])
    return shown if len(labels) <= N_NAMED else f"{shown} and {len(labels) - N_NAMED} more"
