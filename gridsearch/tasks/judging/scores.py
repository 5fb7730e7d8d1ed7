"""Metrics of numbers: how close predicted ones are to the true ones, and how well they go with them.

Both are arrays of shape (rows,); a model's are (rows, 1).
"""

import numpy as np

from gridsearch.tasks.judging.labelling import OF_NUMBERS
from gridsearch.tasks.judging.weighted import Metric, mean, of_all_rows, ratio


def score(truth: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """Compute every metric, those of scipy and scikit-learn.

    Correlations are left out where the true numbers do not vary, and are 0 where the predicted ones do not.

    Raises ValueError where a prediction is not finite.
    """
    if not np.isfinite(outputs).all():
        raise ValueError("predictions must be finite to be scored, but one of them is not")
    return of_all_rows({name: metric_of_counts(name, truth, outputs) for name in OF_NUMBERS}, len(truth))


def metric_of_counts(name: str, truth: np.ndarray, outputs: np.ndarray) -> Metric:
    """Return what makes a metric of counted rows. Raises ValueError for one that is none of numbers."""
    truth, said = truth.astype(np.float64), outputs.astype(np.float64).reshape(len(truth))
    if name == "pearson":
        return lambda counts: _correlation(counts, truth, said)
    if name == "spearman":
        rank_truth, rank_said = _ranks(truth), _ranks(said)
        return lambda counts: _correlation(counts, rank_truth(counts), rank_said(counts))
    if name == "rmse":
        squared = mean((said - truth) ** 2)
        return lambda counts: np.sqrt(squared(counts))
    if name == "mae":
        return mean(np.abs(said - truth))
    raise ValueError(f"a metric of numbers must be one of {', '.join(OF_NUMBERS)}, but got {name!r}")


def _correlation(counts: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of counted rows; values are (rows,), or (resamples, rows).

    NaN where the ``one`` does not vary, 0 where the ``other`` does not.
    """
    n_rows = counts.sum(axis=1, keepdims=True)
    says_nothing, is_undefined = _is_constant(counts, other), _is_constant(counts, one)
    one, other = (each - (counts * each).sum(axis=1, keepdims=True) / n_rows for each in (one, other))
    together = (counts * one * other).sum(axis=1)
    spread = np.sqrt((counts * one**2).sum(axis=1) * (counts * other**2).sum(axis=1))
    return np.where(is_undefined, np.nan, ratio(together, np.where(says_nothing, 0.0, spread)))


def _is_constant(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Tell of which resamples all rows have one value: their deviations from the mean may be roundings."""
    lowest, highest = (np.where(counts > 0, values, limit) for limit in (np.inf, -np.inf))
    return np.asarray(lowest.min(axis=1) == highest.max(axis=1))


def _ranks(values: np.ndarray) -> Metric:
    """Return what ranks counted rows: equal ones have their mean rank, each row as often as it counts."""
    _, number = np.unique(values, return_inverse=True)
    n_distinct = int(number.max(initial=-1)) + 1

    def of(counts: np.ndarray) -> np.ndarray:
        of_value = np.stack([np.bincount(number, one, n_distinct) for one in counts])
        below = np.cumsum(of_value, axis=1) - of_value
        return np.asarray((below + (of_value + 1) / 2)[:, number])

    return of
