"""Two cells on the same rows: from stored predictions, is one better than the other on such rows?

Rows are resampled, runs are not: what is said holds for these trained models, and does not see seed noise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.stats import binomtest

from gridsearch.tasks.metrics import LOWER_IS_BETTER, of_counts, row_losses
from gridsearch.tasks.task import METRICS, POSITIVE
from reports.statistics.results import ALPHA, Array

Labels = npt.NDArray[np.integer]
Metric = Callable[[Array], Array]
"""From how often each row was drawn, shape (resamples, rows), to the metric of each resample."""

CHUNK = 200


@dataclass(frozen=True)
class McNemar:
    """Rows that only one of two models gets right; ``p`` is exact and two-sided."""

    n_rows: int
    n_only_first: int
    n_only_second: int
    p: float


def mcnemar(labels: Labels, first: Array, second: Array) -> McNemar:
    """Test whether two models are equally often right, from logits of shape (rows, labels).

    Given the rows where just one is right, its number is binomial with chance 1/2. Source: McNemar 1947, Psychometrika
    12, 153-157; exact, as the approximation fails below about 25 such rows.
    """
    right = [_finite(logits).argmax(axis=1) == labels for logits in (first, second)]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    n_split = only_first + only_second
    p = float(binomtest(only_first, n_split).pvalue) if n_split else 1.0
    return McNemar(len(labels), only_first, only_second, p)


@dataclass(frozen=True)
class PairedBootstrap:
    """The metric of the first cell less that of the second, with a 95 % percentile interval over resampled rows.

    ``better`` is the share of resamples in which the first is better, ties counting half; ``p`` is two-sided.
    """

    metric: str
    difference: float
    interval: tuple[float, float]
    better: float
    p: float
    n_resamples: int


def paired_bootstrap(
    labels: Labels,
    first: Sequence[Array],
    second: Sequence[Array],
    metric: str = "accuracy",
    *,
    positive: int = POSITIVE,
    n_resamples: int = 2000,
    seed: int = 0,
) -> PairedBootstrap | None:
    """Resample rows, all models on the same ones. None where the metric is undefined: no rows, or auc of one class.

    ``first`` and ``second`` are the models of two cells, one a seed, each by its logits of shape (rows, labels); a
    cell's metric is the mean of its models'. ``metric`` is one of `gridsearch.tasks.metrics`; f1_binary is that of
    label ``positive``.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap.
    """
    if not len(labels):
        return None
    metrics = [[_metric(metric, labels, _finite(logits), positive) for logits in models] for models in (first, second)]
    observed = _difference(metrics, np.ones((1, len(labels))))
    generator = np.random.default_rng(seed)
    drawn = [
        _difference(metrics, _resamples(generator, len(labels), min(CHUNK, n_resamples - start)))
        for start in range(0, n_resamples, CHUNK)
    ]
    differences = np.concatenate(drawn)
    differences = differences[np.isfinite(differences)]
    if not np.isfinite(observed[0]) or not len(differences):
        return None
    sign = -1 if metric in LOWER_IS_BETTER else 1
    low, high = np.quantile(differences, [ALPHA / 2, 1 - ALPHA / 2])
    n_worse, n_better = int((differences <= 0).sum()), int((differences >= 0).sum())
    return PairedBootstrap(
        metric,
        float(observed[0]),
        (float(low), float(high)),
        float(np.mean((sign * differences > 0) + 0.5 * (differences == 0))),
        min(1.0, 2 * (min(n_worse, n_better) + 1) / (len(differences) + 1)),
        len(differences),
    )


def _difference(metrics: Sequence[Sequence[Metric]], counts: Array) -> Array:
    first, second = (np.mean([metric(counts) for metric in models], axis=0) for models in metrics)
    return np.asarray(first - second)


def _resamples(generator: np.random.Generator, n_rows: int, n_resamples: int) -> Array:
    drawn = generator.integers(n_rows, size=(n_resamples, n_rows))
    return np.stack([np.bincount(rows, minlength=n_rows) for rows in drawn]).astype(float)


def _finite(logits: Array) -> Array:
    """Count logits that are no numbers as equal evidence: ledgers of older versions may hold some."""
    return np.nan_to_num(logits.astype(np.float64), nan=0.0, posinf=1e6, neginf=-1e6)


def _metric(name: str, labels: Labels, logits: Array, positive: int) -> Metric:
    if name not in METRICS:
        raise ValueError(f"a metric must be one of {', '.join(METRICS)}, but got {name!r}")
    predicted, n_labels = logits.argmax(axis=1), logits.shape[1]
    if name == "log_loss":
        losses = row_losses(logits, labels)
        return lambda counts: np.asarray(counts @ losses / counts.sum(axis=1))
    if name == "auc":
        return lambda counts: _area(labels, logits[:, 1] - logits[:, 0], counts)
    true, chosen = _by_label(labels, n_labels), _by_label(predicted, n_labels)
    right = _by_label(labels, n_labels, predicted == labels)
    return lambda counts: of_counts(counts @ true, counts @ chosen, counts @ right, positive)[name]


def _by_label(labels: Labels, n_labels: int, weights: npt.NDArray[np.bool_] | None = None) -> csr_array:
    """Return the matrix that sums rows by their label: a single entry a row, however many labels there are."""
    entries = np.ones(len(labels)) if weights is None else weights.astype(float)
    return csr_array((entries, (np.arange(len(labels)), labels)), shape=(len(labels), n_labels))


def _area(labels: Labels, scores: Array, counts: Array) -> Array:
    """The chance that a positive row outscores a negative one, ties counting half; NaN where one kind is missing."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    positive = labels[order] == 1
    n_positive = np.add.reduceat(counts[:, order] * positive, starts, axis=1)
    n_negative = np.add.reduceat(counts[:, order] * ~positive, starts, axis=1)
    below = np.cumsum(n_negative, axis=1) - n_negative / 2
    pairs = n_positive.sum(axis=1) * n_negative.sum(axis=1)
    won = (n_positive * below).sum(axis=1)
    return np.asarray(np.divide(won, pairs, out=np.full(len(counts), np.nan), where=pairs > 0))
