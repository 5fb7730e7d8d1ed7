"""Whether the first row of a table names its columns, or is a row like the others: all signs are weighed, none decides.

A weight is about the logarithm of how much likelier a sign is where the row names the columns.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gridsearch.tasks.columns.numbers import spells_number
from gridsearch.tasks.roles import LABEL_NAMES, TEXT_NAMES


@dataclass(frozen=True)
class Beginning:
    """How a table begins: below so many rows of the file, and with a row that names the columns or not.

    ``notes`` are what a user has to know of that.
    """

    n_above: int
    header: bool
    notes: tuple[str, ...] = ()


ENOUGH = 1.5
"""A weight that decides, on either side of zero."""
MOST_OF_VALUES = 4.0
N_NAME_CHARACTERS = 20
N_SENTENCE_WORDS = 4
N_SENTENCE_CHARACTERS = 25
OTHER_NAMES = re.compile(
    r"(row|sentence|text|doc|example|user|q|test)?_?(id|idx|index|number|no)|split|编号|序号|"
    r"title|headline|subject|message|msg|body|news|post|passage|answer|reply|doc(ument)?|desc(ription)?"
)


def looks_like_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool | None:
    """Tell whether the first row names the columns; None where the signs do not tell."""
    weight = header_weight(first, rows)
    return None if abs(weight) < ENOUGH else weight > 0


def n_title_rows(rows: Sequence[Sequence[str]], names: Collection[str] = ()) -> int:
    """Count the rows above a table that hold one value at most, such as a title, as people put them into spreadsheets.

    They are none unless the row below them names the columns, by what it looks like or by ``names``.

    >>> n_title_rows([["Sales of March", ""], ["", ""], ["text", "label"], *[["a good film", "yes"]] * 9])
    2
    >>> n_title_rows([["a film", ""], *[["a good film", "yes"]] * 9]), n_title_rows([["", "text"], ["0", "a film"]])
    (0, 0)
    """
    n_above = next((place for place, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)
    if not n_above:
        return 0
    first, below = rows[n_above], rows[n_above + 1 :]
    is_header = bool({name.strip() for name in first} & set(names)) or looks_like_header(first, below) is True
    return n_above if is_header else 0


def header_weight(first: Sequence[str], rows: Sequence[Sequence[str]]) -> float:
    """Return how much speaks for a header, below zero what speaks against one.

    >>> rows = [["a good film", "pos"], ["a bad film", "neg"]] * 9
    >>> header_weight(["what", "which"], rows) > ENOUGH, header_weight(["a nice film", "pos"], rows) < -ENOUGH
    (True, True)
    """
    names = [name.strip() for name in first]
    columns = [[value.strip() for value in column] for column in zip(*rows, strict=True)] or [[] for _ in names]
    weight = sum(map(_weight_in_column, names, columns))
    filled = [name for name in names if name]
    weight -= min(2, len(filled) - len(set(filled)))
    if len(filled) > 1 and filled in ([str(place) for place in range(start, start + len(filled))] for start in (0, 1)):
        weight += 3.0  # as pandas names the columns of a table without names
    return weight


def _weight_in_column(name: str, values: Sequence[str]) -> float:
    held = [value for value in values if value]
    if not name:
        return 0.0 if not held else 1.0 if all(map(spells_number, held)) else -1.0
    if not held:
        return _weight_of_name(name, held)
    weight = 0.0
    counts, numbers = Counter(held), sum(map(spells_number, held))
    if numbers == len(held):
        weight += -2.0 if spells_number(name) else min(3.0, math.log1p(len(held)))
    elif spells_number(name) and numbers < 0.1 * len(held):
        weight += 1.0
    if len(counts) <= len(held) / 2:
        n_single = sum(count == 1 for count in counts.values())
        weight += -3.0 if name in counts else math.log((len(held) + 1) / (n_single + 1))
    elif numbers < len(held):
        weight += _weight_among_texts(name, held)
    return _weight_of_name(name, held) + max(-MOST_OF_VALUES, min(MOST_OF_VALUES, weight))


def _weight_of_name(name: str, values: Sequence[str]) -> float:
    """Weigh a name that columns often have; of several words, such as "review text", it may be a text like others."""
    if not is_usual_name(name):
        return 0.0
    n_alike = sum(map(is_usual_name, values)) if " " in name else 0
    return min(3.0, math.log((len(values) + 2) / (n_alike + 1))) if " " in name else 3.0


def _weight_among_texts(name: str, texts: Sequence[str]) -> float:
    """Weigh a name above texts that do not come back: those are sentences, and names are short."""
    weight = -1.0 if name in texts else 0.0
    if len(name) < min(map(len, texts)):
        weight += min(2.0, math.log1p(len(texts)) / 2)
    elif is_sentence(name):
        weight -= 3.0 if 2 * sum(map(is_sentence, texts)) > len(texts) else 1.0
    return weight


def is_usual_name(name: str) -> bool:
    """Tell whether columns are often called so."""
    spelled = name.lower()
    known = (LABEL_NAMES, TEXT_NAMES, OTHER_NAMES)
    is_short = len(spelled) <= N_NAME_CHARACTERS and spelled.count(" ") < 2
    return is_short and any(pattern.fullmatch(spelled) for pattern in known)


def is_sentence(text: str) -> bool:
    """Tell whether a text is too long for a name."""
    return len(text.split()) >= N_SENTENCE_WORDS or len(text) > N_SENTENCE_CHARACTERS
