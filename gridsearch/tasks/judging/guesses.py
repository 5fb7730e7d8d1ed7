"""What a guess reaches, and whether rows are told alike, as fits what the labels are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.judging.labelling import METRICS, Labelling
from gridsearch.tasks.judging.multilabel import metric_of_counts
from gridsearch.tasks.learned import (
    LEVEL,
    MARGIN_OF_LOG_LIKELIHOOD,
    Guess,
    Z,
    guess_on,
    n_told_otherwise,
    precision_bound,
    same_label,
)

_ANY: Mapping[LabelKind, str] = {"class": "accuracy", "multilabel": "auc", "score": "pearson"}
N_DRAWN = 200
NEARLY_THE_SAME = 0.05
"""Numbers that vary by this share of what the true ones do are nearly one."""


def guess_of(metric: str, truth: np.ndarray, labelling: Labelling) -> Guess:
    """Measure what a guess, which heeds no text, reaches on rows; ``truth`` as metrics are computed from it.

    In a metric of the user's own that is unknown; how well a guess goes with what is so is known all the same.
    """
    if metric not in METRICS:
        return replace(guess_of(_ANY[labelling.kind], truth, labelling), metric=metric, bound=None)
    if labelling.kind == "multilabel":
        return _of_several(metric, truth)
    if labelling.kind == "score":
        return _of_numbers(metric, truth)
    counts = np.bincount(truth, minlength=labelling.n_outputs)
    return guess_on(metric, counts.tolist(), labelling.positive)


def said_alike(truth: np.ndarray, outputs: np.ndarray, kind: LabelKind) -> str:
    """Say that nearly all dev rows are told alike; an empty text where they are not."""
    if kind == "class":
        return same_label(np.bincount(outputs.argmax(axis=1), minlength=outputs.shape[1]).tolist())
    if kind == "multilabel":
        return same_labels(np.unique(outputs > 0, axis=0, return_counts=True)[1].tolist())
    return same_number(float(np.std(truth)), float(np.std(outputs)))


def same_labels(predicted_counts: Sequence[int]) -> str:
    """Say that nearly all dev rows get the same labels, from how many get each combination."""
    n_others = n_told_otherwise(predicted_counts)
    if n_others is None:
        return ""
    if n_others == 0:
        return "every dev row gets the same labels"
    return f"all but {n_others} of {sum(predicted_counts)} dev rows get the same labels"


def same_number(true: float, said: float) -> str:
    """Say that all dev rows get nearly the same number, from two standard deviations."""
    return "every dev row gets nearly the same number" if said <= NEARLY_THE_SAME * true else ""


def _of_numbers(metric: str, truth: np.ndarray) -> Guess:
    """Numbers by chance, whose correlation scatters by 1 / sqrt(n - 1), or always the mean or the median."""
    n_rows = len(truth)
    correlation = Z / math.sqrt(max(1, n_rows - 1))
    if metric == "rmse":
        # Fitted to these rows the mean gains so much in likelihood by luck (see MARGIN_OF_LOG_LIKELIHOOD).
        bound = float(np.std(truth)) * math.exp(-MARGIN_OF_LOG_LIKELIHOOD / n_rows)
    elif metric == "mae":
        apart = np.abs(truth - np.median(truth))
        bound = float(apart.mean() - Z * apart.std() / math.sqrt(n_rows))
    else:
        bound = correlation
    return Guess(metric, bound, correlation)


def _of_several(metric: str, truth: np.ndarray) -> Guess:
    """Each label as often as it is there, evenly, always or never; or rows in an order by chance."""
    there, n_rows = truth.sum(axis=0), len(truth)
    told = [int(n) for n in there if 0 < n < n_rows]
    # Labels may go together: their mean is taken to scatter as much as each of them.
    area = float(np.mean([0.5 + Z * math.sqrt((n_rows + 1) / (12 * n * (n_rows - n))) for n in told] or [1.0]))
    if metric == "auc":
        bound = area
    elif metric == "average_precision":
        bound = float(np.mean([precision_bound(n, n_rows) for n in told] or [1.0]))
    elif metric == "log_loss":
        shares = np.clip(there / n_rows, 1 / n_rows, 1 - 1 / n_rows)
        losses = np.where(truth, -np.log(shares), -np.log(1 - shares)).mean(axis=1)
        bound = float(losses.mean() - max(Z * losses.std() / math.sqrt(n_rows), MARGIN_OF_LOG_LIKELIHOOD / n_rows))
    else:
        bound = _drawn_bound(metric, truth)
    return Guess(metric, bound, 2 * area - 1)


def _drawn_bound(metric: str, truth: np.ndarray) -> float:
    """Return the most that any of some guesses reaches on rows drawn again and again from these."""
    stream, (n_rows, n_labels) = np.random.default_rng(0), truth.shape
    combinations, counts = np.unique(truth, axis=0, return_counts=True)
    shares = truth.mean(axis=0)
    always = [np.ones(n_labels), combinations[counts.argmax()]]
    n_draws = max(20, min(N_DRAWN, 2_000_000 // max(1, truth.size)))
    bounds = []
    for chance in (shares, np.full(n_labels, 0.5), *always):
        logits = np.where(stream.random(truth.shape) < chance, 1.0, -1.0)
        counted = stream.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=n_draws).astype(np.float64)
        values = metric_of_counts(metric, truth, logits)(counted)
        bounds.append(float(np.quantile(values, LEVEL, method="lower")))
    return max(bounds)
