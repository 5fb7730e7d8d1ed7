"""A metric under resampled rows: from how often each row was drawn, without making the resamples."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from gridsearch.tasks.judging import multilabel, scores
from gridsearch.tasks.judging.labelling import OF_CLASSES, TWO_CLASSES, Labelling
from gridsearch.tasks.judging.weighted import Metric, area, average_precision, mean
from gridsearch.tasks.metrics import of_counts, quadratic_kappa, row_losses
from reports.statistics.results import Array

Truth = npt.NDArray[Any]
"""What rows hold: positions of classes, (rows,); 0 and 1, (rows, labels); or numbers, (rows,)."""

_CELLS = 2**18
"""Counts that are worked on at a time: 2 MiB, which stay in a core's cache."""


def drawn_counts(
    n_rows: int, n_resamples: int, seed: int, strata: Sequence[npt.NDArray[np.intp]] | None = None
) -> Iterator[Array]:
    """Yield how often each row counts: at first once, as observed, and then as often as it is drawn.

    From each of ``strata``, the numbers of its rows, as many are drawn as it has; without them, from all rows.
    """
    generator = np.random.default_rng(seed)
    yield np.ones((1, n_rows))
    n_at_once = max(1, _CELLS // n_rows)
    for start in range(0, n_resamples, n_at_once):
        counts = np.zeros((min(n_at_once, n_resamples - start), n_rows))
        for rows in strata or [np.arange(n_rows)]:
            drawn = generator.integers(len(rows), size=(len(counts), len(rows)))
            counts[:, rows] = [np.bincount(one, minlength=len(rows)) for one in drawn]
        yield counts


def finite(logits: npt.NDArray[np.floating]) -> Array:
    """Count logits that are no numbers as equal evidence: ledgers of older versions may hold some."""
    return np.nan_to_num(logits.astype(np.float64), nan=0.0, posinf=1e6, neginf=-1e6)


def metric_of_counts(name: str, truth: Truth, outputs: Array, labelling: Labelling = TWO_CLASSES) -> Metric:
    """Return what makes the metric of counted rows, from finite outputs as ``judge.measured`` takes them.

    It is NaN where the metric is undefined, such as auc of rows of one class. f1_binary and average_precision are those
    of the positive class. Raises ValueError for a metric that is none of such labels.
    """
    if labelling.kind == "multilabel":
        return multilabel.metric_of_counts(name, truth, outputs)
    if labelling.kind == "score":
        return scores.metric_of_counts(name, truth, outputs)
    if name not in OF_CLASSES:
        raise ValueError(f"a metric of classes must be one of {', '.join(OF_CLASSES)}, but got {name!r}")
    return _of_classes(name, truth, outputs, labelling.positive)


def _of_classes(name: str, labels: Truth, logits: Array, positive: int) -> Metric:
    if name == "log_loss":
        return mean(row_losses(logits.copy(), labels))
    if name in ("auc", "average_precision"):
        of_scores = area if name == "auc" else average_precision
        return of_scores(labels == positive, logits[:, positive] - logits[:, 1 - positive])
    predicted, n_labels = logits.argmax(axis=1), logits.shape[1]
    true, chosen = _by_label(labels, n_labels), _by_label(predicted, n_labels)
    if name == "quadratic_kappa":
        n_off = (labels.astype(np.float64) - predicted) ** 2
        return lambda counts: quadratic_kappa(counts @ true, counts @ chosen, counts @ n_off)
    right = _by_label(labels, n_labels, predicted == labels)
    return lambda counts: of_counts(counts @ true, counts @ chosen, counts @ right, positive)[name]


def _by_label(labels: Truth, n_labels: int, weights: npt.NDArray[np.bool_] | None = None) -> csr_array:
    """Return the matrix that sums rows by their label: a single entry a row, however many labels there are."""
    entries = np.ones(len(labels)) if weights is None else weights.astype(float)
    return csr_array((entries, (np.arange(len(labels)), labels)), shape=(len(labels), n_labels))
