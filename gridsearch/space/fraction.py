"""Regular two-level fractions: the fewest combinations that still tell effects of low order apart.

A factor is a column: a set of base factors, kept as the bits of a number. Its level in a run is the parity of the base
factors that both hold. Columns whose sum (exclusive or) is 0 are a word, and the shortest word's length is the
resolution: at 4, no main effect is mixed up with a two-factor interaction. (Box & Hunter 1961.)

Written out here rather than taken from a library, because the cells of a study must not depend on a library's version.
"""

import itertools
from collections.abc import Sequence
from functools import cache

MOST_FACTORS = 17
"""Beyond these the search for the smallest fraction may take hours."""


@cache
def fraction_columns(n_factors: int, resolution: int) -> tuple[int, ...]:
    """Return a column for each factor: over the fewest base factors that reach the resolution, the highest one.

    >>> fraction_columns(4, 3), fraction_columns(3, 5)  # d = abc; all eight combinations
    ((1, 2, 4, 7), (1, 2, 4))
    """
    for n_base in range(1, n_factors):
        best: tuple[int, ...] = ()
        while found := _columns(n_factors, n_base, resolution):
            best, resolution = found, resolution + 1
        if best:
            return best
    return tuple(1 << bit for bit in range(n_factors))


def _columns(n_factors: int, n_base: int, resolution: int) -> tuple[int, ...]:
    """Return columns of this resolution at least; empty where there are none."""
    columns = [1 << bit for bit in range(n_base)]
    sums = {0: 0}
    for column in columns:
        sums = _with_sums(sums, column, resolution - 2)
    return tuple(_extended(columns, sums, range(1, 1 << n_base), n_factors, resolution - 2) or ())


def _extended(
    columns: list[int], sums: dict[int, int], candidates: Sequence[int], n_factors: int, most: int
) -> list[int] | None:
    """Add columns, none of them a sum of ``most`` others or fewer, until there are enough; None where none fit."""
    if len(columns) == n_factors:
        return columns
    left = [candidate for candidate in candidates if candidate not in sums]
    for place, candidate in enumerate(left):
        if len(left) - place < n_factors - len(columns):
            return None
        grown = _with_sums(sums, candidate, most)
        if found := _extended([*columns, candidate], grown, left[place + 1 :], n_factors, most):
            return found
    return None


def _with_sums(sums: dict[int, int], column: int, most: int) -> dict[int, int]:
    """Add what the column makes of the sums so far; a sum is kept with the smallest number of columns in it."""
    grown = dict(sums)
    for value, n_columns in sums.items():
        if n_columns < most:
            grown[value ^ column] = min(n_columns + 1, grown.get(value ^ column, most))
    return grown


def fraction_runs(columns: Sequence[int]) -> list[tuple[int, ...]]:
    """Return every run: 0 or 1 for each factor. The first has 0 for all."""
    n_runs = 1 << max(columns).bit_length()
    return [tuple((column & run).bit_count() % 2 for column in columns) for run in range(n_runs)]


def aliased_effects(columns: Sequence[int]) -> list[list[tuple[int, ...]]]:
    """Group main effects (one position) and two-factor interactions (two) that the runs cannot tell apart.

    >>> aliased_effects((1, 2, 3))
    [[(0,), (1, 2)], [(1,), (0, 2)], [(2,), (0, 1)]]
    """
    groups: dict[int, list[tuple[int, ...]]] = {}
    for place, column in enumerate(columns):
        groups[column] = [(place,)]
    for first, second in itertools.combinations(range(len(columns)), 2):
        groups.setdefault(columns[first] ^ columns[second], []).append((first, second))
    return [group for group in groups.values() if len(group) > 1]
