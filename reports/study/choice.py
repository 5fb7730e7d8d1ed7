"""The one cell to use: the cheapest of those that cannot be told from the best."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from statistics import fmean, median

from reports.statistics.best_cell import Winner
from reports.statistics.paired.ratios import p_of_ratios
from reports.statistics.results import ALPHA
from reports.study.view import CellRow, StudyRows

CHEAPER = 0.9
"""A level that takes more than this share of the baseline's time is not called cheaper, nor one dearer: nobody waits
for the difference."""


@dataclass(frozen=True)
class Choice:
    """The cell to use, beside the one that came out best; ``time_ratio`` is what it takes of the best one's time.

    Cells are named by their positions in the table. ``baseline_is_close``: the baseline is one of those that may as
    well be taken for the best.
    """

    use: int
    best: int
    baseline: int | None
    baseline_is_close: bool
    time_ratio: float | None

    @property
    def is_baseline(self) -> bool:
        """Whether there is nothing to change."""
        return self.use == self.baseline


def choice_of(study: StudyRows, best: Winner, baseline: int | None) -> Choice:
    """Choose among the cells within one standard error of the best (Breiman et al. 1984, section 3.4.3).

    The baseline too, if it cannot be told from the best: nothing speaks for a change. The one that trains fastest; of
    those that are about as fast, the baseline, else the better one.
    """
    times = relative_times(study)
    close = list(best.close)
    close += [baseline] if baseline in best.candidates and baseline not in close else []
    least = min((times[cell] for cell in close if cell in times), default=0.0)
    fastest = [cell for cell in close if cell in times and times[cell] * CHEAPER <= least] or close
    use = baseline if baseline in fastest else fastest[0]
    ratio = times[use] / times[best.leader] if use in times and best.leader in times else None
    return Choice(use, best.leader, baseline, baseline in close, ratio)


def relative_times(study: StudyRows) -> dict[int, float]:
    """Return what each cell's training takes of the baseline's time, as far as pairs of cells tell levels apart."""
    seconds = training_seconds(study)
    ratios: dict[tuple[str, str], list[float]] = {}
    for factor in study.factors:
        for cell, base in study.pairs_with_baseline(factor):
            if cell.index in seconds and base.index in seconds:
                ratio = seconds[cell.index] / seconds[base.index]
                ratios.setdefault((factor.name, cell.levels[factor.name]), []).append(ratio)
    chances = p_of_ratios(list(ratios.values()))
    told = {level: _told(median(several), p) for (level, several), p in zip(ratios.items(), chances, strict=True)}
    return {cell.index: _product(cell.levels, told) for cell in study.cells if cell.index in seconds}


def _product(levels: Mapping[str, str], told: Mapping[tuple[str, str], float]) -> float:
    return prod(told.get(level, 1.0) for level in levels.items())


def _told(ratio: float, p: float | None) -> float:
    """Return the ratio; 1 where chance, or nobody who waits, could tell it from 1."""
    is_large = ratio <= CHEAPER or ratio * CHEAPER >= 1
    return ratio if p is not None and p <= ALPHA and is_large else 1.0


def training_seconds(study: StudyRows) -> dict[int, float]:
    """Measure the cells' training time, by index. Only trials that ran on the same terms as most can be compared."""
    terms = Counter(replicate.terms for cell in study.cells for replicate in cell.finished)
    usual = terms.most_common(1)[0][0] if terms else ""
    found = {cell.index: _seconds(cell, usual) for cell in study.cells}
    return {index: fmean(times) for index, times in found.items() if times}


def _seconds(cell: CellRow, terms: str) -> list[float]:
    return [
        one.train_seconds_per_epoch * one.n_epochs
        for one in cell.finished
        if one.terms == terms and one.train_seconds_per_epoch is not None and one.n_epochs
    ]
