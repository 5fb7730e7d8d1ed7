"""What folds do to single cells, whatever the seed: runs of one fold are judged by the same rows, in every seed."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
from scipy.stats import f

from gridsearch.repetition import Repetition
from reports.statistics.design_table import Table, make_table
from reports.statistics.results import Array, Factor, Run

POOLED_FROM = 0.25
"""From this p value on, what folds do to single cells is taken to be nothing but noise.

Sources: Bancroft 1944, Annals of Mathematical Statistics 15, 190-204; Bancroft & Han 1983, Journal of the American
Statistical Association 78, 981-983, whose table has .24 to .48.
"""


def one_run_a_fold(factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str] = ()) -> list[Run]:
    """Take the mean over seeds in each fold where some cells do better in some folds than in others; else all runs.

    As runs of their own, those of several seeds would say many times what one fold's rows say (docs/decisions/0029).
    All runs have a finite value.
    """
    repetitions = [run.block for run in runs if isinstance(run.block, Repetition)]
    counts = len({one.seed for one in repetitions}), len({one.fold for one in repetitions})
    if len(repetitions) < len(runs) or min(counts) < 2:
        return list(runs)
    table = make_table(factors, [run.levels for run in runs], [run.block for run in runs], inert)
    values = np.array([run.value for run in runs], dtype=float)
    if _chance(table, np.array([one.fold for one in repetitions]), values) >= POOLED_FROM:
        return list(runs)
    groups: dict[tuple[int, Hashable], list[Run]] = {}
    for run, one in zip(runs, repetitions, strict=True):
        groups.setdefault((one.fold, tuple(sorted(run.levels.items()))), []).append(run)
    return [
        replace(several[0], block=Repetition(0, fold), value=fmean(run.value or 0.0 for run in several))
        for (fold, _), several in groups.items()
    ]


def _chance(table: Table, folds: Array, values: Array) -> float:
    """Return how often chance alone would part folds within cells as clearly; 1 where nothing tells."""
    cells = np.unique(np.column_stack([table.cells, folds]), axis=0, return_inverse=True)[1]
    single = replace(table, cells=np.asarray(cells).reshape(-1))
    df = table.pure_df - single.pure_df, single.pure_df
    rest = single.pure_squares(values)
    if min(df) < 1 or rest <= 0:
        return 1.0
    return float(f.sf((table.pure_squares(values) - rest) / df[0] / (rest / df[1]), *df))
