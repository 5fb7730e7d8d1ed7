"""A combination of three levels that ruins results: cells that fall far from what all others say of them.

Such a block is no three-factor interaction among others: it is deep, its cells differ by far more than others do, and
pooled with them it hides everything else. The cells outside of it are fitted with their main effects and two-factor
interactions; what that predicts is held against the cells inside (Chow 1960, Econometrica 28, 591-605). How deep it is
proves nothing, as noise that cells share may move a whole block; that its cells differ from each other as no others do
is what is tested. A block without that is an interaction, and is told as one where it is found.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
from scipy.stats import f as f_distribution

from reports.statistics.design_table import Table, make_table
from reports.statistics.fitting import Fit
from reports.statistics.models import Model, Term, level_codes, linear_model
from reports.statistics.results import Array, Effect, Factor, Indexes, RuinedBlock, Run

RARE = 0.005
"""The chance to name a block where there is none: the effects have the other 5 %."""
FARTHEST_NOISE = 5.0
"""So many standard deviations of the runs outside lie between a ruined block and its prediction, and more."""
"""And it is no small matter beside all that varies: as much as the standard deviation of all results."""
UNLIKE = 8.0
"""So many times as much as others do cells of a ruined block differ from each other. Noise that cells share makes the
cells of a block differ too, but by less."""
SAME_SIDE = 0.75
FEWEST_CELLS = 4
FEWEST_DF = 10
MOST_BLOCKS = 2
MOST_CELLS = 1024
SINGULAR = 1e-9


@dataclass(frozen=True)
class _Suspect:
    p: float
    rows: Indexes
    positions: tuple[int, ...]
    levels: tuple[int, ...]
    shift: float


def without_ruined(
    factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str]
) -> tuple[list[Run], tuple[RuinedBlock, ...]]:
    """Take the ruined blocks out, the surest first; return the other runs and what was found."""
    kept = list(runs)
    found: list[RuinedBlock] = []
    while len(found) < MOST_BLOCKS:
        table = make_table(factors, [run.levels for run in kept], [run.block for run in kept], inert)
        values = np.array([run.value for run in kept], dtype=float)
        suspect = _surest(_cells(table), table.adjusted_means(values)) if kept else None
        if suspect is None:
            break
        inside = np.isin(table.cells, suspect.rows)
        found.append(_told(table, values[inside], suspect))
        kept = [run for run, is_inside in zip(kept, inside.tolist(), strict=True) if not is_inside]
    return kept, tuple(found)


def ruined_interactions(fitted: Fit, effects: Sequence[Effect]) -> tuple[RuinedBlock, ...]:
    """Name the combination behind each three-factor interaction found that is as deep; its runs stay where they are."""
    table, found = _cells(fitted.table), []
    values = fitted.table.adjusted_means(fitted.values)
    triples = [
        (term, effect.adjusted_p)
        for term, effect in zip(fitted.model.terms, effects, strict=True)
        if effect.found and len(term) == 3
    ]
    if not triples:
        return ()
    by_term: dict[Term, float] = dict(triples)
    pairs = _Pairs.of(table, values)
    for positions, levels, rows in _blocks(table, values):
        shifts = pairs.shifts(rows) if positions in by_term else None
        if shifts is None:
            continue
        shift = float(shifts.mean())
        if abs(shift) >= max(FARTHEST_NOISE * fitted.noise.sd, float(values.std())):
            inside = fitted.values[np.isin(fitted.table.cells, rows)]
            suspect = _Suspect(by_term[positions], rows, positions, levels, shift)
            found.append(_told(table, inside, suspect, is_left_out=False))
    return tuple(found)


@dataclass(frozen=True)
class _Pairs:
    """Main effects and two-factor interactions, fitted: an orthonormal ``root`` of their columns, what they leave."""

    model: Model
    root: Array
    residuals: Array

    @classmethod
    def of(cls, table: Table, values: Array) -> "_Pairs":
        model = linear_model(table, 2)
        root = np.linalg.qr(model.matrix)[0]
        return cls(model, root, values - root @ (root.T @ values))

    def left(self, rows: Indexes) -> Array:
        """Return what these rows leave of themselves to chance, shape (rows, rows)."""
        return np.asarray(np.eye(len(rows)) - self.root[rows] @ self.root[rows].T)

    def shifts(self, rows: Indexes) -> Array | None:
        """Return how far rows are from what all others predict for them; None where these predict nothing."""
        left = self.left(rows)
        if np.linalg.eigvalsh(left)[0] < SINGULAR:
            return None
        return np.asarray(np.linalg.solve(left, self.residuals[rows]))


def _cells(table: Table) -> Table:
    """A row for each cell: seeds do not matter to what a combination does."""
    return replace(
        table,
        levels=table.levels[table.first_rows],
        cells=np.arange(table.n_cells),
        blocks=np.zeros(table.n_cells, dtype=np.intp),
    )


def _surest(table: Table, values: Array) -> _Suspect | None:
    if len(table.factors) < 3 or not FEWEST_DF < table.n_cells <= MOST_CELLS or not np.ptp(values):
        return None
    pairs = _Pairs.of(table, values)
    model, root, residuals = pairs.model, pairs.root, pairs.residuals
    if any(len(term) < 2 for term in model.lost) or model.residual_df < FEWEST_DF:
        return None
    total, spread = float(residuals @ residuals), float(values.std())
    blocks = list(_blocks(table, values))
    n_possible = sum(math.prod(len(table.factors[one].labels) for one in positions) for positions, _, _ in blocks)
    best = None
    for positions, levels, rows in blocks:
        n_inside = len(rows)
        shifts = pairs.shifts(rows) if model.residual_df - n_inside >= FEWEST_DF else None
        if shifts is None:
            continue
        inside, df = float(residuals[rows] @ shifts), model.residual_df - n_inside
        outside = max(total - inside, 0.0)
        if outside <= SINGULAR * total:
            continue
        shift, sd = float(shifts.mean()), float(np.sqrt(outside / df))
        if abs(shift) < max(FARTHEST_NOISE * sd, spread) or not _is_one_way(shifts):
            continue
        others = np.delete(np.arange(table.n_cells), rows)
        elsewhere = residuals[others] + root[others] @ (root[rows].T @ shifts)
        # Cells that are copies of each other count once on both sides.
        copies = _copies(table, others, elsewhere, positions)
        df_within = n_inside / copies - 1
        if df_within < 1:
            continue
        left = pairs.left(rows)
        moved = left.sum(axis=0) @ shifts
        within = inside - float(moved**2 / left.sum())
        ratio = (within / (n_inside - 1)) / (outside / df)
        p = float(f_distribution.sf(ratio, df_within, df / copies)) * n_possible
        if ratio >= UNLIKE**2 and p <= (RARE if best is None else best.p):
            best = _Suspect(p, rows, positions, levels, shift)
    return best


def _is_one_way(shifts: Array) -> bool:
    return bool(np.mean(np.sign(shifts) == np.sign(shifts.mean())) >= SAME_SIDE)


def _blocks(table: Table, values: Array) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], Indexes]]:
    """Yield the combinations of three levels that stand out, with their rows.

    Without any one of its combinations, three factors fit their two-factor interactions equally well. The one that
    stands out is that without which no interactions are needed: any two of its levels alone do nothing of the kind.
    """
    for positions in combinations(range(len(table.factors)), 3):
        sizes = [len(table.factors[one].labels) for one in positions]
        places = np.ravel_multi_index(tuple(table.levels[:, one] for one in positions), sizes)
        counts = np.bincount(places, minlength=int(np.prod(sizes)))
        if counts.min() < FEWEST_CELLS:
            continue
        means = np.bincount(places, values, minlength=len(counts)) / counts
        levels = list(product(*map(range, sizes)))
        codes = {number: level_codes(size)[[one[number] for one in levels]] for number, size in enumerate(sizes)}
        design = np.column_stack([np.ones(len(levels)), *codes.values()])
        place = min(range(len(levels)), key=lambda one: _misfit(np.delete(design, one, 0), np.delete(means, one)))
        yield positions, levels[place], np.flatnonzero(places == place)


def _misfit(design: Array, means: Array) -> float:
    left = means - design @ np.linalg.lstsq(design, means, rcond=None)[0]
    return float(left @ left)


def _copies(table: Table, rows: Indexes, residuals: Array, positions: tuple[int, ...]) -> float:
    """Return how many cells there are for each that is not alike to another: by pairs that differ in one factor."""
    copies, spread = 1.0, float(residuals.var())
    for position, factor in enumerate(table.factors):
        if position in positions or spread == 0:
            continue
        others = np.delete(table.levels[rows], position, axis=1)
        groups = np.unique(others, axis=0, return_inverse=True)[1].reshape(-1)
        counts = np.bincount(groups)
        means = np.bincount(groups, residuals) / counts
        if df := int((counts - 1).sum()):
            within = float(((residuals - means[groups]) ** 2).sum()) / df
            copies *= 1 + (len(factor.labels) - 1) * max(0.0, 1 - within / spread)
    return copies


def _told(table: Table, inside: Array, suspect: _Suspect, *, is_left_out: bool = True) -> RuinedBlock:
    levels: Mapping[str, str] = {
        table.factors[position].name: table.factors[position].labels[level]
        for position, level in zip(suspect.positions, suspect.levels, strict=True)
    }
    mean = float(inside.mean())
    return RuinedBlock(levels, len(inside), mean, mean - suspect.shift, suspect.p, is_left_out)
