"""Two studies over the cells that both have: by how much do results differ, for other cells and for other seeds?

Cells of one study share their seeds, so what a seed does to all of them alike does not average out over cells.
"""

import math
import statistics
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reports.statistics.paired.crossed import FEWEST_FOR_QUARTILES, Source, crossed, interquartile_difference, parts
from reports.statistics.results import Array

Results = Mapping[Hashable, float]
"""The results of a cell by seed; the key is None where that is not known."""


class Seeds(StrEnum):
    """What is known of the seeds of a study's cells."""

    SHARED = "several seeds, which cells share"
    OWN = "every cell has seeds of its own"
    SINGLE = "fewer than two seeds that cells share"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class PairedDifference:
    """Second less first over ``n`` matched cells: mean, standard deviation (n - 1), 95 % interval of the mean.

    ``seeds`` are those of each study. The interval is for other cells, and for other seeds too where ``seeds_error``
    (its standard error from them) is known. ``interquartile`` is the difference of the interquartile means over all
    runs, None below five seeds. ``agreement`` is Spearman's rank correlation of the two columns; None where one is
    constant or n < 3.
    """

    n: int
    mean: float
    sd: float
    interval: tuple[float, float]
    seeds: tuple[Seeds, Seeds]
    cells_error: float
    seeds_error: float | None
    interquartile: float | None
    n_better: int
    n_worse: int
    agreement: float | None


def paired_cells(
    first: Sequence[Results], second: Sequence[Results], *, lower_is_better: bool
) -> PairedDifference | None:
    """Compare the means of cells, each at the same place in both, and with a finite result there; None below two."""
    from scipy import stats

    n = len(first)
    if n < 2:
        return None
    columns = [np.array([statistics.fmean(cell.values()) for cell in side]) for side in (first, second)]
    differences = columns[1] - columns[0]
    mean, sd = float(differences.mean()), float(np.std(differences, ddof=1))
    cells = Source(sd**2 / n, n - 1)
    interval, seeds_error = (mean - cells.half_width, mean + cells.half_width), None
    shared = [_shared(side) for side in (first, second)]
    whole = [
        place
        for place in range(n)
        if all(of <= side[place].keys() for of, side in zip(shared, (first, second), strict=True))
    ]
    seeds = (_kind(first, shared[0], whole), _kind(second, shared[1], whole))
    if Seeds.SHARED in seeds and not {Seeds.SINGLE, Seeds.UNKNOWN} & set(seeds):
        by_seed = parts(_by_seed(second, shared[1], whole), _by_seed(first, shared[0], whole))
        found = crossed(
            mean,
            [part.mean(axis=1) for part in by_seed],
            by_seed,
            items=cells,
            variance_of=lambda single: np.asarray(np.var(single, axis=-1, ddof=1) / len(whole)),
        )
        interval, seeds_error = found.interval, found.seeds_error
    enough = all(len(side) >= FEWEST_FOR_QUARTILES for side in shared)
    runs = [np.array([value for cell in side for value in cell.values()]) for side in (first, second)]
    better = differences < 0 if lower_is_better else differences > 0
    ranked = n > 2 and all(np.ptp(column) > 0 for column in columns)
    return PairedDifference(
        n,
        mean,
        sd,
        interval,
        seeds,
        math.sqrt(cells.variance),
        seeds_error,
        interquartile_difference(runs[1], runs[0]) if enough else None,
        int(better.sum()),
        int((~better & (differences != 0)).sum()),
        float(stats.spearmanr(*columns).statistic) if ranked else None,
    )


def _shared(cells: Sequence[Results]) -> set[Hashable]:
    """Find the seeds that at least half of the cells ran with, and more than one."""
    counts = Counter(seed for cell in cells for seed in cell)
    return {seed for seed, count in counts.items() if seed is not None and count > 1 and 2 * count >= len(cells)}


def _kind(cells: Sequence[Results], shared: set[Hashable], whole: Sequence[int]) -> Seeds:
    """``whole`` are the cells that have all shared seeds of both studies."""
    if any(None in cell for cell in cells):
        return Seeds.UNKNOWN
    if not shared:
        return Seeds.OWN
    return Seeds.SHARED if len(shared) > 1 and len(whole) > 1 else Seeds.SINGLE


def _by_seed(cells: Sequence[Results], shared: set[Hashable], whole: Sequence[int]) -> tuple[list[Hashable], Array]:
    """The results of whole cells: shape (seeds, cells)."""
    seeds = sorted(shared, key=repr)
    return seeds, np.array([[cells[place][seed] for place in whole] for seed in seeds]).reshape(len(seeds), len(whole))
