"""Metrics of several labels a row, each of them there or not; a logit above 0 says that it is there.

Labels are arrays of 0 and 1, (rows, labels), and logits are of the same shape.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from gridsearch.tasks.judging.labelling import OF_SEVERAL_LABELS
from gridsearch.tasks.judging.weighted import Metric, area, average_precision, mean, of_all_rows, ratio
from gridsearch.tasks.metrics import MOST_LOSS


def score(labels: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """Compute every metric: scikit-learn's, with 0 for what is nothing over nothing.

    Area and average precision are means over the labels that have both kinds of rows, and are left out where none has.
    log_loss is the mean over rows and labels. Raises ValueError where a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite to be scored, but a row of them is not")
    return of_all_rows({name: metric_of_counts(name, labels, logits) for name in OF_SEVERAL_LABELS}, len(labels))


def of_each_label(labels: np.ndarray, logits: np.ndarray) -> list[dict[str, float]]:
    """Return f1, auc and average_precision of each label by itself, without those that are undefined.

    >>> of_each_label(np.array([[1], [0], [0]]), np.array([[0.5], [1.5], [-1.0]]))
    [{'f1': 0.6666666666666666, 'auc': 0.5, 'average_precision': 0.5}]
    """
    is_there = labels.astype(bool)
    found = []
    for own, logit in zip(is_there.T, logits.T, strict=True):
        metrics = {"f1": _f1(own[:, None], logit[:, None], "f1_macro"), "auc": area(own, logit)}
        found.append(of_all_rows({**metrics, "average_precision": average_precision(own, logit)}, len(own)))
    return found


def best_thresholds(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return the logit of each label above which telling it has the best F1, float32; 0 where no row has the label.

    Half-way between two rows' logits, the highest such place of equally good ones; one below the lowest logit where all
    rows are told.

    >>> best_thresholds(np.array([[1], [1], [0]]), np.array([[2.0], [1.0], [-3.0]]))
    array([-1.], dtype=float32)
    """
    found = np.zeros(labels.shape[1], dtype=np.float32)
    for label, (is_there, logit) in enumerate(zip(labels.T.astype(bool), logits.T.astype(np.float64), strict=True)):
        if not is_there.any():
            continue
        order = np.argsort(-logit, kind="stable")
        n_told, n_right = np.arange(1, len(order) + 1), np.cumsum(is_there[order])
        below = np.append(logit[order][1:], logit[order][-1] - 2)
        is_place = logit[order] > below
        best = int(np.argmax(np.where(is_place, 2 * n_right / (n_told + is_there.sum()), -1.0)))
        found[label] = (logit[order][best] + below[best]) / 2
    return found


def metric_of_counts(name: str, labels: np.ndarray, logits: np.ndarray) -> Metric:
    """Return what makes a metric of counted rows. Raises ValueError for one that is none of such labels."""
    is_there, logits = labels.astype(bool), logits.astype(np.float64)
    if name in _F1:
        return _f1(is_there, logits, name)
    if name == "subset_accuracy":
        return mean(((logits > 0) == is_there).all(axis=1).astype(float))
    if name == "log_loss":
        return mean(np.minimum(np.logaddexp(0, np.where(is_there, -logits, logits)), MOST_LOSS).mean(axis=1))
    if name in ("auc", "average_precision"):
        of_label = area if name == "auc" else average_precision
        return partial(_mean_of_defined, [of_label(*one) for one in zip(is_there.T, logits.T, strict=True)])
    raise ValueError(f"a metric of several labels must be one of {', '.join(OF_SEVERAL_LABELS)}, but got {name!r}")


def _mean_of_defined(of_labels: list[Metric], counts: np.ndarray) -> np.ndarray:
    """Return the mean over the labels that have both kinds of rows; NaN where none has."""
    total, n_defined = np.zeros(len(counts)), np.zeros(len(counts))
    for of_label in of_labels:
        values = of_label(counts)
        defined = ~np.isnan(values)
        total[defined] += values[defined]
        n_defined += defined
    return ratio(total, n_defined, otherwise=np.nan)


_F1: Mapping[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "f1_macro": lambda true, said, right: ratio(2 * right, true + said).mean(axis=1),
    "f1_micro": lambda true, said, right: ratio(2 * right.sum(axis=1), (true + said).sum(axis=1)),
    "f1_weighted": lambda true, said, right: ratio((ratio(2 * right, true + said) * true).sum(1), true.sum(1)),
}
"""From how often each label is there, is said to be, and rightly so, of shape (resamples, labels)."""


def _f1(is_there: np.ndarray, logits: np.ndarray, name: str) -> Metric:
    said = logits > 0
    tables = [one.astype(np.float64) for one in (is_there, said, is_there & said)]
    return lambda counts: np.asarray(_F1[name](*(counts @ table for table in tables)))
