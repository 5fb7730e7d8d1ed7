"""Aliases, which a fraction confounds, found from its rows.

The sign of a product of two-level factors is the parity of their levels. A product that is constant over the rows is a
word; a term and its product with a word are the same contrast. Words are a null space over the field of two elements.
Source: Box & Hunter 1961, Technometrics 3, 311-351.
"""

from functools import reduce
from operator import xor

import numpy as np

from reports.statistics.design_table import Table
from reports.statistics.models import Term
from reports.statistics.results import Alias

MOST_GENERATORS = 12
"""2 ^ 12 words are listed at most; designs with more are too thin for words to help."""


def words(table: Table) -> tuple[tuple[Term, int], ...]:
    """List the constant products of two-level factors with their signs, short ones first."""
    two_level = [position for position, factor in enumerate(table.factors) if len(factor.labels) == 2]
    if not two_level or not table.n_runs:
        return ()
    # The reference is the last level: 0 stands for it, as in +1 and -1 it is the negative one.
    bits = 1 - table.levels[:, two_level]
    generators = _null_space(np.unique(bits ^ bits[0], axis=0), len(two_level))
    if len(generators) > MOST_GENERATORS:
        return ()
    found = []
    for chosen in range(1, 2 ** len(generators)):
        mask = reduce(xor, (word for number, word in enumerate(generators) if chosen >> number & 1))
        members = [number for number in range(len(two_level)) if mask >> number & 1]
        n_references = int((bits[0, members] == 0).sum())
        found.append((tuple(two_level[number] for number in members), -1 if n_references % 2 else 1))
    return tuple(sorted(found, key=lambda word: (len(word[0]), word[0])))


def _null_space(rows: np.ndarray, width: int) -> list[int]:
    """Return a basis, as bit masks, of the products whose parity is even in every row."""
    pivots: dict[int, int] = {}
    for row in rows:
        mask = sum(1 << position for position in range(width) if row[position])
        for position, pivot in pivots.items():
            if mask >> position & 1:
                mask ^= pivot
        if mask:
            lead = mask.bit_length() - 1
            pivots = {position: pivot ^ mask if pivot >> lead & 1 else pivot for position, pivot in pivots.items()}
            pivots[lead] = mask
    free = [position for position in range(width) if position not in pivots]
    return [
        1 << column | sum(1 << position for position, pivot in pivots.items() if pivot >> column & 1) for column in free
    ]


def aliases_of(term: Term, table: Table, known: tuple[tuple[Term, int], ...]) -> tuple[Alias, ...]:
    """Name what shares a term's contrast: all main effects and two-factor interactions, else the shortest terms."""
    found = []
    for word, sign in known:
        other = tuple(sorted(set(term) ^ set(word)))
        if other:
            found.append(Alias(tuple(table.factors[position].name for position in other), sign))
    shortest = min((len(alias.factors) for alias in found), default=0)
    return tuple(alias for alias in found if len(alias.factors) <= max(2, shortest))
