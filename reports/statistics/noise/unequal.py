"""Unequal noise: levels of a factor at which runs differ more from each other than at others.

Found by Brown and Forsythe's test (1974, JASA 69, 364-367) on what runs differ by within cells; where no run is
repeated, on what is left of them without the contrasts that are taken to be real.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import f_oneway

from reports.statistics.design_table import Table
from reports.statistics.noise.noise import Noise, SeparableNoise
from reports.statistics.results import Array, Indexes, UnequalNoise

RARE = 0.01
"""For all factors together: equal noise is left alone."""
MOST_FACTORS = 3
FEWEST_DF = 4.0
"""A standard deviation from fewer is not one to hold anything against."""


@dataclass(frozen=True)
class Scales:
    """What multiplies the noise of each run.

    ``least_df`` are the degrees of freedom of the least well known multiplier, ``df`` those of the mean variance of all
    runs (Satterthwaite 1946, Biometrics Bulletin 2, 110-114): the noisiest decide alone.
    """

    of_runs: Array
    least_df: float
    df: float
    told: UnequalNoise


def unequal_noise(table: Table, values: Array, noise: Noise) -> Scales | None:
    """Find the factors at whose levels noise differs; None where nothing speaks for any."""
    residuals, df_per_run = _residuals(table, values, noise)
    if residuals is None:
        return None
    told = _told_apart(table, residuals, noise)
    for count in range(MOST_FACTORS, 0, -1):
        positions = told[:count]
        if len(positions) == count and (scales := _scales(table, residuals, df_per_run, positions)) is not None:
            return scales
    return None


def _residuals(table: Table, values: Array, noise: Noise) -> tuple[Array | None, float]:
    """Return what chance alone makes of each run, and how many degrees of freedom one has."""
    if table.pure_df >= len(table.factors) * FEWEST_DF:
        return table.pure_residuals(values), table.pure_df / table.n_runs
    if not isinstance(noise, SeparableNoise) or noise.frame.is_open.any() or noise.frame.n_layers > 1:
        return None, 0.0
    contrasts = noise.frame.contrasts
    order = np.argsort(noise.frame.places)
    kept = 1.0 - noise.draws.activity[contrasts.groups]
    kept[0] = 0.0
    left = np.empty(len(values))
    left[order] = (kept * (contrasts.matrix @ values[order])) @ contrasts.matrix
    return left, float(kept.mean())


def _told_apart(table: Table, residuals: Array, noise: Noise) -> list[int]:
    """Return the factors at whose levels the sizes differ, the surest first.

    Cells that are alike, as they differ in a factor that changes little, do not count in full.
    """
    sizes, cells = _size_per_cell(table, residuals)
    levels = table.levels[table.first_rows][cells]
    alike = noise.likeness
    tested = []
    for position, factor in enumerate(table.factors):
        groups = [sizes[levels[:, position] == level] for level in range(len(factor.labels))]
        if min(map(len, groups)) < FEWEST_DF:
            continue
        copies = 1.0
        for other, one in enumerate(table.factors):
            if alike is not None and other != position:
                copies *= 1 + (len(one.labels) - 1) * float(alike[other]) ** 2
        df = len(sizes) / copies - len(groups)
        if df >= 1 and all(np.ptp(group) > 0 for group in groups):
            ratio = float(f_oneway(*groups).statistic)
            tested.append((float(f_distribution.sf(ratio / copies, len(groups) - 1, df)), position))
    return [position for p, position in sorted(tested) if p * len(tested) <= RARE]


def _size_per_cell(table: Table, residuals: Array) -> tuple[Array, Indexes]:
    """Return the size of what a cell's runs differ by, and which cells have one: centred runs are not independent."""
    if not table.pure_df:
        return np.abs(residuals[table.first_rows]), np.arange(table.n_cells)
    squares = np.bincount(table.cells, residuals**2, minlength=table.n_cells)
    cells = np.flatnonzero(table.runs_per_cell > 1)
    return np.sqrt(squares[cells] / (table.runs_per_cell[cells] - 1)), cells


def _scales(table: Table, residuals: Array, df_per_run: float, positions: list[int]) -> Scales | None:
    """Measure each combination of the factors' levels; None where one has too few runs for that."""
    chosen = table.levels[:, positions]
    total = float((residuals**2).mean())
    of_runs, groups, dfs, shares = np.ones(table.n_runs), [], list[float](), list[float]()
    for combination in product(*(range(len(table.factors[position].labels)) for position in positions)):
        rows = (chosen == combination).all(axis=1)
        if not rows.any():
            continue
        df = rows.sum() * df_per_run
        if df < FEWEST_DF:
            return None
        square = float((residuals[rows] ** 2).mean())
        of_runs[rows] = np.sqrt(square / total)
        dfs.append(float(df))
        shares.append(square * float(rows.sum()))
        named = {
            table.factors[position].name: table.factors[position].labels[level]
            for position, level in zip(positions, combination, strict=True)
        }
        groups.append((named, float(np.sqrt(square / df_per_run))))
    groups.sort(key=lambda group: -group[1])
    names = tuple(table.factors[position].name for position in positions)
    together = sum(shares) ** 2 / sum(share**2 / df for share, df in zip(shares, dfs, strict=True))
    return Scales(of_runs, min(dfs), together, UnequalNoise(names, tuple(groups)))
