"""A metric under resampled rows: from how often each row was drawn, without making the resamples."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from gridsearch.tasks.judging.labelling import METRICS
from gridsearch.tasks.metrics import of_counts, row_losses
from reports.statistics.results import Array

Labels = npt.NDArray[np.integer]
Metric = Callable[[Array], Array]
"""From how often each row counts, shape (resamples, rows), to the metric of each resample."""

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


def metric_of_counts(name: str, labels: Labels, logits: Array, positive: int) -> Metric:
    """Return what makes the metric of counted rows, from finite logits of shape (rows, labels).

    It is NaN where the metric is undefined: auc of rows of one label. f1_binary is that of label ``positive``.
    """
    if name not in METRICS:
        raise ValueError(f"a metric must be one of {', '.join(METRICS)}, but got {name!r}")
    predicted, n_labels = logits.argmax(axis=1), logits.shape[1]
    if name == "log_loss":
        losses = row_losses(logits.copy(), labels)
        return lambda counts: np.asarray(counts @ losses / counts.sum(axis=1))
    if name == "auc":
        return _area(labels, logits[:, 1] - logits[:, 0])
    true, chosen = _by_label(labels, n_labels), _by_label(predicted, n_labels)
    right = _by_label(labels, n_labels, predicted == labels)
    return lambda counts: of_counts(counts @ true, counts @ chosen, counts @ right, positive)[name]


def _by_label(labels: Labels, n_labels: int, weights: npt.NDArray[np.bool_] | None = None) -> csr_array:
    """Return the matrix that sums rows by their label: a single entry a row, however many labels there are."""
    entries = np.ones(len(labels)) if weights is None else weights.astype(float)
    return csr_array((entries, (np.arange(len(labels)), labels)), shape=(len(labels), n_labels))


def _area(labels: Labels, scores: Array) -> Metric:
    """The chance that a positive row outscores a negative one, ties counting half; NaN where one kind is missing."""
    positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels != 1)
    negative = negative[np.argsort(scores[negative], kind="stable")]
    positive = positive[np.argsort(scores[positive], kind="stable")]
    first, last = (np.searchsorted(scores[negative], scores[positive], side) for side in ("left", "right"))

    def of(counts: Array) -> Array:
        below = np.zeros((len(counts), len(negative) + 1))
        np.cumsum(counts[:, negative], axis=1, out=below[:, 1:])
        of_positive = counts[:, positive]
        won = (of_positive * (below[:, first] + below[:, last])).sum(axis=1)
        pairs = 2 * of_positive.sum(axis=1) * below[:, -1]
        return np.asarray(np.divide(won, pairs, out=np.full(len(counts), np.nan), where=pairs > 0))

    return of
