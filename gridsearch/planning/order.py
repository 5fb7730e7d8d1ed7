"""The order in which trials run: random, seeded and balanced, so that an interrupted sweep is a fair sample."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from gridsearch.randomness import numpy_stream

if TYPE_CHECKING:
    import numpy

Item = TypeVar("Item")
Array: TypeAlias = "numpy.ndarray"

MOST_VALUES: Final = 256
"""So many combinations of some factors' levels share a table; a factor that has more levels has no table."""
PICKED: Final = 1 << 30
"""The crowding of an item that is picked: more than any other's."""


def balanced_order(items: Sequence[Item], levels: Sequence[Sequence[str]], seed: int) -> list[Item]:
    """Shuffle, then pick greedily so that after every step each level has been seen as equally often as can be.

    ``levels`` gives the labels of each item, one per factor (seeds may be one of them). Among the items whose levels
    have been seen least often (the sum over factors), the first of a seeded shuffle is taken.
    """
    import numpy as np

    if not items:
        return []
    codes = np.column_stack([np.unique(column, return_inverse=True)[1] for column in zip(*levels, strict=True)])
    shuffled = numpy_stream(seed, "order of trials").permutation(len(items))
    return [items[shuffled[place]] for place in _picked(codes[shuffled])]


def _picked(codes: Array) -> Iterator[int]:
    """Yield the places of rows in the order in which they are picked. ``codes`` has shape (rows, factors).

    Picking a row adds, to the crowding of every other, the number of levels that the two have in common. Whenever half
    of the rows are picked, the others move together.
    """
    import numpy as np

    places, crowding = np.arange(len(codes)), np.zeros(len(codes), dtype=np.int32)
    while len(places):
        tables, lists = _in_common(codes[places])
        for _ in range(-(-len(places) // 2)):
            row = int(crowding.argmin())
            yield int(places[row])
            for table, of_row in tables:
                crowding += table[of_row[row]]
            for rows_of_level, of_row in lists:
                crowding[rows_of_level[of_row[row]]] += 1
            crowding[row] = PICKED
        still = crowding < PICKED
        places, crowding = places[still], crowding[still]


def _in_common(codes: Array) -> tuple[list[tuple[Array, Array]], list[tuple[list[Array], Array]]]:
    """Prepare to tell quickly what rows have in common with a picked one.

    Factors of few levels go together: a table has, for each combination of their levels that occurs, how many of them
    each row shares. A factor of many levels lists the rows of each. Both come with the combination, or level, of rows.
    """
    import numpy as np

    tables, lists = [], []
    counts = codes.max(axis=0) + 1
    for group in _groups(counts.tolist()):
        levels = codes[:, group]
        if counts[group].prod() > MOST_VALUES:
            in_order = np.argsort(levels[:, 0], kind="stable")
            ends = np.cumsum(np.bincount(levels[:, 0]))[:-1]
            lists.append((np.split(in_order, ends), levels[:, 0]))
            continue
        number = np.ravel_multi_index(tuple(levels.T), tuple(counts[group]))
        _, first, of_row = np.unique(number, return_index=True, return_inverse=True)
        table = np.zeros((len(first), len(codes)), dtype=np.uint8)
        for column in levels.T:
            table += column[first][:, None] == column
        tables.append((table, of_row))
    return tables, lists


def _groups(counts: Sequence[int]) -> Iterator[list[int]]:
    """Put factors together, by their numbers of levels, as long as their combinations are few."""
    group: list[int] = []
    for place in sorted(range(len(counts)), key=lambda place: counts[place]):
        if group and math.prod(counts[one] for one in [*group, place]) > MOST_VALUES:
            yield group
            group = []
        group.append(place)
    yield group
