"""Runs as arrays: levels by number, cells, and the seeds that all cells share."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from reports.statistics.results import Array, Factor, Indexes


@dataclass(frozen=True)
class Table:
    """Rows of runs. ``factors`` are those that can act and vary, with the labels that occur, the reference last.

    ``levels`` has shape (runs, factors); ``blocks`` is 0 for runs whose seed only few cells share. ``n_full_cells``
    counts the combinations of all factors, ``cells`` numbers those of the factors that can act.
    """

    factors: tuple[Factor, ...]
    levels: Indexes
    cells: Indexes
    blocks: Indexes
    n_full_cells: int
    inert: tuple[str, ...]
    constant: tuple[str, ...]

    @cached_property
    def n_runs(self) -> int:
        """Rows."""
        return len(self.cells)

    @cached_property
    def n_cells(self) -> int:
        """Cells that differ in factors that can act."""
        return int(self.cells.max()) + 1 if self.n_runs else 0

    @cached_property
    def n_blocks(self) -> int:
        """Different seeds (or groups of seeds) with an effect of their own."""
        return len(np.unique(self.blocks))

    @cached_property
    def runs_per_cell(self) -> Indexes:
        """The number of runs in each cell."""
        return np.bincount(self.cells, minlength=self.n_cells)

    @cached_property
    def balanced(self) -> bool:
        """Whether all cells have the same number of runs, in the same blocks."""
        n_blocks = int(self.blocks.max()) + 1
        counts = np.bincount(self.cells * n_blocks + self.blocks, minlength=self.n_cells * n_blocks)
        return not np.ptp(counts.reshape(self.n_cells, n_blocks), axis=0).any()

    @cached_property
    def two_level(self) -> bool:
        """Whether every factor has two levels."""
        return all(len(factor.labels) == 2 for factor in self.factors)

    @cached_property
    def first_rows(self) -> Indexes:
        """One row of each cell."""
        return np.unique(self.cells, return_index=True)[1]

    def within_cells(self, matrix: Array) -> Array:
        """Subtract the mean of its cell from every row; shape (runs, columns)."""
        sums = np.zeros((self.n_cells, matrix.shape[1]))
        np.add.at(sums, self.cells, matrix)
        return np.asarray(matrix - (sums / self.runs_per_cell[:, None])[self.cells])

    @cached_property
    def block_columns(self) -> Array:
        """Indicators of all blocks but one, centred; shape (runs, blocks - 1)."""
        columns = np.equal.outer(self.blocks, np.unique(self.blocks)[1:]).astype(float)
        return np.asarray(columns - columns.mean(axis=0)) if columns.size else columns

    @cached_property
    def pure_df(self) -> int:
        """Degrees of freedom of replicates within cells, after block effects."""
        if self.n_runs == self.n_cells:
            return 0
        lost = np.linalg.matrix_rank(self.within_cells(self.block_columns)) if self.n_blocks > 1 else 0
        return int(self.n_runs - self.n_cells - lost)

    def pure_squares(self, values: Array) -> float:
        """Sum the squares within cells that block effects leave."""
        residuals = self.pure_residuals(values)
        return float(residuals @ residuals)

    def pure_residuals(self, values: Array) -> Array:
        """Return what runs of a cell differ by, block effects taken off; shape (runs,)."""
        return self.within_cells(self.without_blocks(values)[:, None])[:, 0]

    def without_blocks(self, values: Array) -> Array:
        """Take off what blocks do to all cells alike, as far as runs of one cell tell; shape (runs,)."""
        if self.n_blocks < 2:
            return values
        inside = self.within_cells(values[:, None])[:, 0]
        effects = np.linalg.lstsq(self.within_cells(self.block_columns), inside, rcond=None)[0]
        return np.asarray(values - self.block_columns @ effects)

    def adjusted_means(self, values: Array) -> Array:
        """Return the mean of every cell, adjusted for the blocks that it ran in; shape (cells,)."""
        sums = np.bincount(self.cells, self.without_blocks(values), minlength=self.n_cells)
        return np.asarray(sums / self.runs_per_cell)

    def repeated(self, n_seeds: int) -> "Table":
        """Run every row with each of so many seeds."""
        return replace(
            self,
            levels=np.tile(self.levels, (n_seeds, 1)),
            cells=np.tile(self.cells, n_seeds),
            blocks=np.repeat(np.arange(n_seeds), self.n_runs),
        )


def make_table(
    factors: Sequence[Factor],
    levels: Sequence[Mapping[str, str]],
    blocks: Sequence[Hashable | None],
    inert: Sequence[str] = (),
) -> Table:
    """Number levels, cells and blocks.

    Raises ValueError for a level that its factor does not declare.
    """
    observed = [_observed(factor, levels) for factor in factors]
    codes = np.empty((len(levels), len(factors)), dtype=np.intp)
    for column, factor in enumerate(observed):
        numbers = {label: number for number, label in enumerate(factor.labels)}
        codes[:, column] = [numbers[row[factor.name]] for row in levels]
    acting = [column for column, factor in enumerate(observed) if factor.name not in inert and len(factor.labels) > 1]
    cells = _numbered(codes[:, acting])
    return Table(
        tuple(observed[column] for column in acting),
        codes[:, acting],
        cells,
        _shared_blocks(cells, blocks),
        len(np.unique(_numbered(codes))),
        tuple(factor.name for factor in observed if factor.name in inert),
        tuple(factor.name for factor in observed if factor.name not in inert and len(factor.labels) < 2),
    )


def _observed(factor: Factor, levels: Sequence[Mapping[str, str]]) -> Factor:
    """Reduce a factor to the labels that occur, the baseline (or else the first of them) last.

    Last, because sum coding then gives the other one of two levels +1, and effects are level less reference.
    """
    seen = {row[factor.name] for row in levels}
    unknown = seen - set(factor.labels)
    if unknown:
        raise ValueError(f"levels of {factor.name} are {factor.labels}, but a run has {sorted(unknown)}")
    labels = [label for label in factor.labels if label in seen]
    reference = factor.baseline if factor.baseline in seen else next(iter(labels), factor.baseline)
    ordered = sorted(labels, key=lambda label: label == reference)
    return Factor(factor.name, tuple(ordered), reference)


def _numbered(codes: Indexes) -> Indexes:
    if not codes.shape[1]:
        return np.zeros(len(codes), dtype=np.intp)
    return np.asarray(np.unique(codes, axis=0, return_inverse=True)[1]).reshape(-1)


def _shared_blocks(cells: Indexes, blocks: Sequence[Hashable | None]) -> Indexes:
    """Number the seeds that at least half of the cells ran with, from 1; all others are 0.

    A seed of one cell's own says nothing about other cells: as a block it would only eat the error.
    """
    rows_of: dict[Hashable, list[int]] = {}
    for row, block in enumerate(blocks):
        if block is not None:
            rows_of.setdefault(block, []).append(row)
    numbered = np.zeros(len(cells), dtype=np.intp)
    n_cells = len(np.unique(cells))
    number = 0
    for rows in rows_of.values():
        n_sharing = len(np.unique(cells[rows]))
        if n_sharing > 1 and 2 * n_sharing >= n_cells:
            number += 1
            numbered[rows] = number
    return numbered
