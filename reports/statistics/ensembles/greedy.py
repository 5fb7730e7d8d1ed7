"""Greedy selection with replacement: from the best member on, always add the one that makes the mean best.

Source: Caruana, Niculescu-Mizil, Crew & Ksikes 2004, Ensemble Selection from Libraries of Models, ICML.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER
from gridsearch.tasks.metrics import MOST_LOSS, of_counts
from reports.statistics.paired.resampled import Labels
from reports.statistics.results import Array

N_PICKS = 50
"""So many members are added, the first included; of all the sums on the way the best is kept."""


def greedy(
    chances: Array,
    labels: Labels,
    metric: str,
    positive: int,
    *,
    start: int,
    blocks: npt.NDArray[np.integer] | None = None,
    n_picks: int = N_PICKS,
) -> npt.NDArray[np.intp]:
    """Return how often each member is picked, from probabilities of shape (members, rows, labels).

    An auc is the mean over ``blocks`` of rows (their numbers, by row), each of which has a scale of its own. ``start``
    is the best member. Of equally good members the first is added, of equally good sums the one with the fewest picks
    is kept.
    """
    blocks = np.zeros(len(labels), dtype=np.intp) if blocks is None else blocks
    parts = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    total = np.zeros_like(chances[0])
    picks, best, n_best, pick = [], -np.inf, 0, start
    for n in range(1, n_picks + 1):
        if n > 1:
            found = _goodness(chances + total, labels, metric, positive, parts)
            pick = int(found.argmax())
            reached = float(found[pick])
        else:
            reached = float(_goodness(chances[[start]], labels, metric, positive, parts)[0])
        picks.append(pick)
        total = total + chances[pick]
        if reached > best:
            best, n_best = reached, n
    return np.bincount(picks[:n_best], minlength=len(chances))


def _goodness(sums: Array, labels: Labels, metric: str, positive: int, parts: Sequence[npt.NDArray[np.intp]]) -> Array:
    """Return the metric of each of several sums of probabilities, (sums, rows, labels): more is better."""
    if metric == "auc":
        # The ratio has the order of the mean, and no rounding to 1: a sum of probabilities has.
        with np.errstate(divide="ignore", over="ignore"):
            ratios = sums[:, :, 1] / sums[:, :, 0]
        areas = np.array([[_area(one[rows], labels[rows] == 1) for rows in parts] for one in ratios])
        return np.asarray(np.average(areas, axis=1, weights=[len(rows) for rows in parts]))
    if metric == "log_loss":
        own = sums[:, np.arange(len(labels)), labels] / sums.sum(axis=2)
        with np.errstate(divide="ignore"):
            return -np.asarray(np.minimum(-np.log(own), MOST_LOSS).mean(axis=1))
    n_labels = sums.shape[2]
    predicted = sums.argmax(axis=2)
    true = np.bincount(labels, minlength=n_labels)
    chosen = np.stack([np.bincount(one, minlength=n_labels) for one in predicted])
    right = np.stack([np.bincount(labels[one == labels], minlength=n_labels) for one in predicted])
    found = np.asarray(of_counts(np.broadcast_to(true, chosen.shape), chosen, right, positive)[metric])
    return -found if metric in LOWER_IS_BETTER else found


def _area(scores: Array, is_positive: npt.NDArray[np.bool_]) -> float:
    """The chance that a positive row outscores another one, ties counting half."""
    ones, zeros = np.sort(scores[is_positive]), np.sort(scores[~is_positive])
    won = zeros.searchsorted(ones, "left").sum() + zeros.searchsorted(ones, "right").sum()
    return float(won) / (2 * len(ones) * len(zeros))
