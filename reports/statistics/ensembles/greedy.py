"""Greedy selection with replacement: from the best member on, always add the one that makes the mean best.

Source: Caruana, Niculescu-Mizil, Crew & Ksikes 2004, Ensemble Selection from Libraries of Models, ICML.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER, Labelling
from gridsearch.tasks.metrics import MOST_LOSS, of_counts
from reports.statistics.paired.resampled import Truth, finite, metric_of_counts
from reports.statistics.results import Array
from reports.statistics.ties import behind

RANKING = ("auc", "average_precision")
"""Metrics of which the order of the rows is all that counts. In a study of folds their mean over folds is told: what
different runs say of different folds is on no common scale, and an average may be chosen that only mends that.
"""
N_PICKS = 50
"""So many members are added, the first included; of all the sums on the way the best is kept."""


def greedy(
    chances: Array,
    labels: Truth,
    metric: str,
    labelling: Labelling,
    *,
    start: int,
    blocks: npt.NDArray[np.integer] | None = None,
    n_picks: int = N_PICKS,
) -> npt.NDArray[np.intp]:
    """Return how often each member is picked, from probabilities, or numbers, of shape (members, rows, outputs).

    What only orders rows is the mean over ``blocks`` of rows (their numbers, by row), each of which has a scale of its
    own. ``start`` is the best member. Of members that are equally good but for rounding the first is added, of such
    sums the one with the fewest picks is kept.
    """
    blocks = np.zeros(len(labels), dtype=np.intp) if blocks is None else blocks
    parts = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    total = np.zeros_like(chances[0])
    picks, best, n_best = [start], float(_goodness(chances[[start]], labels, metric, labelling, parts)[0]), 1
    for n in range(2, n_picks + 1):
        total = total + chances[picks[-1]]
        found = _goodness((chances + total) / n, labels, metric, labelling, parts).tolist()
        picks.append(behind(found).index(0))
        reached = found[picks[-1]]
        if behind([best, reached])[0] > 0:
            best, n_best = reached, n
    return np.bincount(picks[:n_best], minlength=len(chances))


def _goodness(
    means: Array, labels: Truth, metric: str, labelling: Labelling, parts: Sequence[npt.NDArray[np.intp]]
) -> Array:
    """Return the metric of several means of probabilities or numbers, (means, rows, outputs): more is better."""
    if labelling.kind == "class":
        found = _of_classes(means, labels, metric, labelling, parts)
    else:
        found = _one_by_one(means, labels, metric, labelling, parts)
    return -found if metric in LOWER_IS_BETTER else found


def _one_by_one(
    means: Array, labels: Truth, metric: str, labelling: Labelling, parts: Sequence[npt.NDArray[np.intp]]
) -> Array:
    parts = parts if metric in RANKING else [np.arange(len(labels))]
    metrics = np.array(
        [
            [metric_of_counts(metric, labels[rows], one[rows], labelling)(np.ones((1, len(rows))))[0] for rows in parts]
            for one in _as_outputs(means, labelling)
        ]
    )
    return np.asarray(np.average(metrics, axis=1, weights=[len(rows) for rows in parts]))


def _as_outputs(means: Array, labelling: Labelling) -> Array:
    """Return what says such means: numbers as they are, of probabilities the logits."""
    if labelling.kind == "score":
        return means
    with np.errstate(divide="ignore"):
        return finite(np.log(means) - (np.log1p(-means) if labelling.kind == "multilabel" else 0.0))


def _of_classes(
    means: Array, labels: Truth, metric: str, labelling: Labelling, parts: Sequence[npt.NDArray[np.intp]]
) -> Array:
    if metric == "auc":
        # The ratio has the order of the mean, and no rounding to 1: a sum of probabilities has.
        with np.errstate(divide="ignore", over="ignore"):
            ratios = means[:, :, 1] / means[:, :, 0]
        areas = np.array([[_area(one[rows], labels[rows] == 1) for rows in parts] for one in ratios])
        return np.asarray(np.average(areas, axis=1, weights=[len(rows) for rows in parts]))
    if metric == "log_loss":
        own = means[:, np.arange(len(labels)), labels] / means.sum(axis=2)
        with np.errstate(divide="ignore"):
            return np.asarray(np.minimum(-np.log(own), MOST_LOSS).mean(axis=1))
    if metric in ("average_precision", "quadratic_kappa"):
        return _one_by_one(means, labels, metric, labelling, parts)
    n_labels = means.shape[2]
    predicted = means.argmax(axis=2)
    true = np.bincount(labels, minlength=n_labels)
    chosen = np.stack([np.bincount(one, minlength=n_labels) for one in predicted])
    right = np.stack([np.bincount(labels[one == labels], minlength=n_labels) for one in predicted])
    return np.asarray(of_counts(np.broadcast_to(true, chosen.shape), chosen, right, labelling.positive)[metric])


def _area(scores: Array, is_positive: npt.NDArray[np.bool_]) -> float:
    """The chance that a positive row outscores another one, ties counting half."""
    ones, zeros = np.sort(scores[is_positive]), np.sort(scores[~is_positive])
    won = zeros.searchsorted(ones, "left").sum() + zeros.searchsorted(ones, "right").sum()
    return float(won) / (2 * len(ones) * len(zeros))
