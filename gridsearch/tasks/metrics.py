"""Metrics of rows that have one class each, from logits."""

import math
from collections.abc import Sequence

import numpy as np

from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER, POSITIVE
from gridsearch.tasks.judging.weighted import average_precision, ratio

MOST_LOSS = -math.log(np.finfo(np.float64).eps)
"""What a row adds to log_loss at most, 36.04: scikit-learn takes no probability to be less than float64's epsilon."""
_CELLS = 2**17
"""Logits that are worked on at a time: 1 MiB in float64, which stays in a core's cache."""


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over labels of logits of shape (rows, labels), in float64."""
    from scipy.special import softmax

    return np.asarray(softmax(logits.astype(np.float64), axis=1))


def mean_of_probabilities(logits: Sequence[np.ndarray]) -> np.ndarray:
    """Return logits whose softmax is the mean of the probabilities that several logits of (rows, labels) say.

    They are the first ones and what the mean adds to them, which is nothing where all are equal: the mean of one is
    that one, bit for bit. Adding a number to all logits of a row leaves its probabilities as they are, so these are the
    logarithms of the mean probabilities, and the first ones' own constant of each row. Finite where all logits are.
    """
    from scipy.special import log_softmax

    with np.errstate(invalid="ignore"):  # what is not finite is for the caller to look at
        first, *_ = logs = [log_softmax(one.astype(np.float64), axis=1) for one in logits]
        ratios = np.stack(logs) - first
        largest = ratios.max(axis=0)
        added = largest + np.log(np.exp(ratios - largest).mean(axis=0))
    limit = np.finfo(logits[0].dtype).max  # beyond it a probability is 0 in any case
    return np.asarray(np.clip(logits[0] + added, -limit, limit).astype(logits[0].dtype))


def score(
    labels: np.ndarray, logits: np.ndarray, positive: int = POSITIVE, *, ordered: bool = False
) -> dict[str, float]:
    """Compute every metric that fits the number of labels, from logits of any float type and shape (rows, labels).

    All values are those of scikit-learn's defaults: f1_macro averages over the labels that occur, in ``labels`` or
    among those predicted, and balanced_accuracy over those in ``labels``. A row's prediction is its largest logit, the
    first of equals. ``positive`` is the label that f1_binary and average_precision are of. These and auc are left out
    where ``labels`` holds one label only. Where labels are ``ordered`` there is quadratic_kappa, by their positions.

    One pass. Beyond the logits it holds a few counts a label, and of two labels one float64 a row.

    Raises:
        ValueError: a logit is not finite. Such a model has no score; who trains looks before.
    """
    n_rows, n_labels = logits.shape
    true, predicted, right = (np.zeros(n_labels, dtype=np.int64) for _ in range(3))
    losses, n_off, margins = [], 0, _Margins(labels) if n_labels == 2 else None
    n_at_once = max(1, _CELLS // n_labels)
    for start in range(0, n_rows, n_at_once):
        own, part = labels[start : start + n_at_once], logits[start : start + n_at_once].astype(np.float64)
        if not np.isfinite(part).all():
            raise ValueError("logits must be finite to be scored, but a row of them is not")
        chosen = part.argmax(axis=1)
        for counts, found in ((true, own), (predicted, chosen), (right, own[own == chosen])):
            counts += np.bincount(found, minlength=n_labels)
        n_off += int(((own - chosen) ** 2).sum())
        if margins is not None:
            margins.add(own, part)
        losses.append(float(row_losses(part, own).sum()))
    values = of_counts(true, predicted, right, positive)
    scores = {name: float(value) for name, value in values.items()} | {"log_loss": math.fsum(losses) / n_rows}
    if ordered:
        scores["quadratic_kappa"] = float(quadratic_kappa(true, predicted, np.asarray(n_off)))
    return scores | (margins.metrics(positive) if margins is not None and true.all() else {})


def row_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what each row adds to log_loss; the float64 logits are overwritten.

    From differences of logits, so that no sure prediction is rounded before its logarithm is taken; then clipped, as
    scikit-learn clips probabilities.
    """
    with np.errstate(over="ignore"):  # a difference beyond float64 is as good as infinite
        logits -= logits.max(axis=1, keepdims=True)
    own = logits[np.arange(len(labels)), labels]
    losses = np.log(np.exp(logits, out=logits).sum(axis=1)) - own
    return np.asarray(np.minimum(losses, MOST_LOSS))


def of_counts(true: np.ndarray, predicted: np.ndarray, right: np.ndarray, positive: int = 1) -> dict[str, np.ndarray]:
    """Compute the metrics that need no more than counts of shape (..., labels).

    They are: rows of each label, rows predicted as it, and rows of it that are predicted as it. What is nothing over
    nothing is 0, as in scikit-learn. Sources: van Rijsbergen 1979 (F); Gorodkin 2004, Computational Biology and
    Chemistry 28, 367-374 (Matthews correlation of several labels).
    """
    true, predicted, right = (counts.astype(np.float64) for counts in (true, predicted, right))
    total, n_right = true.sum(axis=-1), right.sum(axis=-1)
    f1 = ratio(2 * right, true + predicted)
    covariance = n_right * total - (true * predicted).sum(axis=-1)
    spread = (total**2 - (true**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    found = {
        "accuracy": n_right / total,
        "balanced_accuracy": ratio(right, true).sum(axis=-1) / (true > 0).sum(axis=-1),
        "f1_macro": f1.sum(axis=-1) / (true + predicted > 0).sum(axis=-1),
        "f1_micro": n_right / total,  # every row has one label and one prediction
        "f1_weighted": (f1 * true).sum(axis=-1) / total,
        "matthews": ratio(covariance, np.sqrt(spread)),
    }
    return found | ({"f1_binary": f1[..., positive]} if true.shape[-1] == 2 else {})


def quadratic_kappa(true: np.ndarray, predicted: np.ndarray, n_off: np.ndarray) -> np.ndarray:
    """Compute Cohen's kappa with the squares of the labels' distances as weights, from counts of shape (..., labels).

    ``n_off`` is the sum over rows of the squared distance between label and prediction. 0 where every row has one label
    and one prediction. Source: Cohen 1968, Psychological Bulletin 70, 213-220.
    """
    true, predicted = true.astype(np.float64), predicted.astype(np.float64)
    places, total = np.arange(true.shape[-1]), true.sum(axis=-1)
    by_chance = (true @ places**2 + predicted @ places**2) - 2 * (true @ places) * (predicted @ places) / total
    return np.where(by_chance == 0, 0.0, 1 - ratio(np.asarray(n_off, dtype=np.float64), by_chance))


class _Margins:
    """Logit of label 1 less that of label 0, the rows of each label apart: what auc is computed from.

    Not probabilities: those of sure predictions are rounded to ties.
    """

    def __init__(self, labels: np.ndarray) -> None:
        self._of = (np.empty(int((labels == 0).sum())), np.empty(int((labels == 1).sum())))
        self._n = [0, 0]

    def add(self, labels: np.ndarray, logits: np.ndarray) -> None:
        """Take rows in."""
        with np.errstate(over="ignore"):
            margins = logits[:, 1] - logits[:, 0]
        for label in (0, 1):
            found = margins[labels == label]
            self._of[label][self._n[label] : self._n[label] + len(found)] = found
            self._n[label] += len(found)

    def metrics(self, positive: int) -> dict[str, float]:
        """The area under the curve, for which it is all the same which label is positive, and average precision."""
        scores = np.concatenate(self._of) * (1 if positive == 1 else -1)
        is_one = np.repeat([False, True], self._n)
        precision = average_precision(is_one == bool(positive), scores)(np.ones((1, len(scores))))
        return {"auc": self.area(), "average_precision": float(precision[0])}

    def area(self) -> float:
        """The chance that a row of label 1 has a larger margin than one of label 0; ties count half."""
        zeros, ones = self._of
        zeros.sort()
        n_won_twice = 0
        for start in range(0, len(ones), _CELLS):
            part = ones[start : start + _CELLS]
            n_won_twice += sum(int(np.searchsorted(zeros, part, side).sum()) for side in ("left", "right"))
        return n_won_twice / (2 * len(zeros) * len(ones))


def is_better(metric: str, value: float, than: float | None) -> bool:
    """Tell whether a value beats another one; a tie does not, and neither does what is no number."""
    if np.isnan(value):
        return False
    if than is None or np.isnan(than):
        return True
    return value < than if metric in LOWER_IS_BETTER else value > than
