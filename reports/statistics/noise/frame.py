"""The frame of a table: cells in which contrasts of different factors are orthogonal, each run at its place.

It is the full grid of levels, or of two-level factors the regular fraction that the rows lie in. Places without a run
are open: lost runs, cells left out by rules.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product
from math import prod

import numpy as np
from scipy.linalg import helmert

from reports.statistics import aliases
from reports.statistics.design_table import Table
from reports.statistics.results import Array, Indexes

MOST_CELLS = 1024
"""Of a larger frame the matrix of contrasts alone would take 130 MB and more."""
LEAST_KNOWN = 0.5
"""So many cells of a frame have a run: of a few picked cells, most of what tells the noise would be made up."""
LEAST_FILLED = 0.25
"""The same of a layer."""
SAME = 1e-9


@dataclass(frozen=True)
class Frame:
    """``cells`` has the levels of every cell, shape (cells, factors). Run i is in cell ``places[i]``, ``layers[i]``.

    A layer is a seed; runs of one seed and cell, and those of seeds that few cells share, are put in layers of their
    own, so that no place has two runs. The first ``n_layers`` are filled well enough to tell noise; the fullest is
    the first. Without ``has_seeds`` no runs are known to share one, so that layers are no more than numbers.
    """

    n_levels: tuple[int, ...]
    cells: Indexes
    places: Indexes
    layers: Indexes
    n_layers: int
    has_seeds: bool = True

    @cached_property
    def tells(self) -> np.ndarray:
        """Which runs are in a layer that tells noise."""
        return self.layers < self.n_layers

    @cached_property
    def is_open(self) -> np.ndarray:
        """Which places have no run, shape (layers, cells)."""
        empty = np.ones((self.n_layers, len(self.cells)), dtype=bool)
        empty[self.layers[self.tells], self.places[self.tells]] = False
        return empty

    @cached_property
    def contrasts(self) -> "Contrasts":
        """The contrasts of this frame, those of few factors first."""
        per_factor = [np.vstack([np.full(k, k**-0.5), helmert(k)]) for k in self.n_levels]
        rows, sets = [], []
        for chosen in product(*(range(k) for k in self.n_levels)):
            parts = (
                matrix[row, self.cells[:, f]] for f, (matrix, row) in enumerate(zip(per_factor, chosen, strict=True))
            )
            rows.append(reduce(np.multiply, parts))
            sets.append(tuple(row > 0 for row in chosen))
        order = sorted(range(len(rows)), key=lambda row: (sum(sets[row]), sets[row]))
        matrix = np.array(rows)[order]
        if len(matrix) == len(self.cells):
            names = list(dict.fromkeys(sets[row] for row in order))
            return Contrasts(matrix, np.array([names.index(sets[row]) for row in order]), [[name] for name in names])
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        first = (np.abs(matrix @ matrix.T) > 1 - SAME).argmax(axis=1)
        kept = np.unique(first)
        members = [[sets[order[row]] for row in np.flatnonzero(first == one)] for one in kept]
        return Contrasts(matrix[kept], np.arange(len(kept)), members)


@dataclass(frozen=True)
class Contrasts:
    """Orthonormal contrasts, shape (contrasts, cells), the mean first; and which ``groups`` they are of.

    A group is the contrasts of one set of factors; in a fraction, of sets that it cannot tell apart. ``members`` has
    the sets of each group as flags of the factors.
    """

    matrix: Array
    groups: Indexes
    members: list[list[tuple[bool, ...]]]

    @cached_property
    def sizes(self) -> Indexes:
        """The number of contrasts in each group."""
        return np.bincount(self.groups)

    @cached_property
    def orders(self) -> Indexes:
        """The number of factors in the smallest set of each group."""
        return np.array([min(map(sum, sets)) for sets in self.members])

    @cached_property
    def sets(self) -> np.ndarray:
        """All sets, group by group, as flags; shape (sets, factors)."""
        return np.array([one for sets in self.members for one in sets], dtype=bool)

    @cached_property
    def group_of_set(self) -> Indexes:
        """The group that each of ``sets`` is in."""
        return np.repeat(np.arange(len(self.members)), [len(sets) for sets in self.members])

    def eigenvalues(self, shrinkage: Array) -> Array:
        """Return the variance of the contrasts of each group; ``shrinkage`` has shape (..., factors).

        That is the mean over its sets of exp(sum of shrinkage over their factors): shape (..., groups).
        """
        values = np.exp(shrinkage @ self.sets.T)
        if len(self.sets) == len(self.members):
            return np.asarray(values)
        starts = np.searchsorted(self.group_of_set, np.arange(len(self.members)))
        return np.asarray(np.add.reduceat(values, starts, axis=-1) / (len(self.sets) / len(self.members)))

    def summed(self, squares: Array) -> Array:
        """Sum over the contrasts of each group; shape (..., contrasts) to (..., groups)."""
        if len(self.members) == squares.shape[-1]:
            return squares
        starts = np.searchsorted(self.groups, np.arange(len(self.members)))
        return np.asarray(np.add.reduceat(squares, starts, axis=-1))


def frame_of(table: Table) -> Frame | None:
    """Put the runs of a table into their frame; None where it is too large, or too thinly filled to tell noise.

    With one factor there is nothing to tell: all runs of a seed differ in it alone, and what they share is the seed's.
    """
    n_levels = tuple(len(factor.labels) for factor in table.factors)
    if len(n_levels) < 2 or prod(n_levels) > MOST_CELLS:
        return None
    cells = np.array(list(product(*map(range, n_levels))))
    for members, sign in aliases.words(table):
        codes = np.prod(np.where(cells[:, list(members)] == 0, 1, -1), axis=1)
        cells = cells[codes == sign]
    layers = layers_of(table)
    n_layers = int((np.bincount(layers) >= LEAST_FILLED * len(cells)).sum())
    if not n_layers or table.n_cells < LEAST_KNOWN * len(cells):
        return None
    numbers = {tuple(cell): number for number, cell in enumerate(cells.tolist())}
    places = np.array([numbers[tuple(row)] for row in table.levels.tolist()])
    return Frame(n_levels, cells, places, layers, n_layers, table.n_blocks > 1)


def layers_of(table: Table) -> Indexes:
    """Number the layers, the fullest first: of a seed, the first run of each cell, then the second, and so on."""
    seen: Counter[tuple[int, int]] = Counter()
    keys: list[tuple[int, int]] = []
    for cell, block in zip(table.cells.tolist(), table.blocks.tolist(), strict=True):
        keys.append((block, seen[cell, block]))
        seen[cell, block] += 1
    counts = Counter(keys)
    numbers = {key: number for number, key in enumerate(sorted(counts, key=lambda key: (-counts[key], key)))}
    return np.array([numbers[key] for key in keys])
