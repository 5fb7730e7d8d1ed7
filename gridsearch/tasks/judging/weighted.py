"""Metrics of rows that count so many times each: resamples of the rows, or once each as they stand."""

from collections.abc import Callable, Mapping

import numpy as np

Metric = Callable[[np.ndarray], np.ndarray]
"""From how often each row counts, float64 of (resamples, rows), to the metric of each resample; NaN: undefined."""


def area(is_positive: np.ndarray, scores: np.ndarray) -> Metric:
    """The chance that a positive row outscores a negative one, ties counting half; NaN where one kind is missing."""
    positive, negative = np.flatnonzero(is_positive), np.flatnonzero(~is_positive)
    negative = negative[np.argsort(scores[negative], kind="stable")]
    positive = positive[np.argsort(scores[positive], kind="stable")]
    first, last = (np.searchsorted(scores[negative], scores[positive], side) for side in ("left", "right"))

    def of(counts: np.ndarray) -> np.ndarray:
        below = np.zeros((len(counts), len(negative) + 1))
        np.cumsum(counts[:, negative], axis=1, out=below[:, 1:])
        of_positive = counts[:, positive]
        won = (of_positive * (below[:, first] + below[:, last])).sum(axis=1)
        pairs = 2 * of_positive.sum(axis=1) * below[:, -1]
        return ratio(won, pairs, otherwise=np.nan)

    return of


def average_precision(is_positive: np.ndarray, scores: np.ndarray) -> Metric:
    """The mean over positive rows of the precision among the rows that score as much or more; NaN without any.

    As scikit-learn's: what rises in recall from one score to the next lower one, times the precision there, added.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(scores[order][1:] != scores[order][:-1], True))
    positive = is_positive[order]

    def of(counts: np.ndarray) -> np.ndarray:
        sorted_counts = counts[:, order]
        n_above = np.cumsum(sorted_counts, axis=1)[:, ends]
        n_right = np.cumsum(sorted_counts * positive, axis=1)[:, ends]
        precision = ratio(n_right, n_above)
        found = (np.diff(n_right, axis=1, prepend=0.0) * precision).sum(axis=1)
        return ratio(found, n_right[:, -1], otherwise=np.nan)

    return of


def mean(values: np.ndarray) -> Metric:
    """The mean over rows of what each adds."""
    return lambda counts: np.asarray(counts @ values / counts.sum(axis=1))


def ratio(above: np.ndarray, below: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    """Divide; what is divided by nothing becomes ``otherwise``."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), otherwise), where=below != 0))


def of_all_rows(metrics: Mapping[str, Metric], n_rows: int) -> dict[str, float]:
    """Return the metrics of rows that count once each, without those that are undefined."""
    once = np.ones((1, n_rows))
    found = {name: float(metric(once)[0]) for name, metric in metrics.items()}
    return {name: value for name, value in found.items() if not np.isnan(value)}
