"""How the predictions of several members become one. What equal members say comes out as it went in, bit for bit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_expit, log_softmax
from scipy.stats import rankdata

from gridsearch.recipe.trial_facts import LabelKind
from reports.statistics.ensembles.results import Method
from reports.statistics.results import Array


def weighted_probabilities(logits: Array, weights: Array) -> Array:
    """Return logits (rows, labels) whose softmax is the weighted mean of the members' softmax.

    ``logits`` has shape (members, rows, labels); weights are not negative, and one at least is positive. The first
    member's own logits are moved by the logarithm of how far the mean is from it: by nothing where all are equal. It is
    the weighted form of gridsearch.tasks.metrics.mean_of_probabilities, and in float64.
    """
    logits, weights = logits[weights > 0], weights[weights > 0]
    return np.asarray(logits[0] + _above_the_first(log_softmax(logits, axis=2), weights))


def weighted_sigmoids(logits: Array, weights: Array) -> Array:
    """Return logits (rows, labels) whose sigmoid is the weighted mean of the members' sigmoid.

    It is the same of each label by itself, which is there or not.
    """
    logits, weights = logits[weights > 0], weights[weights > 0]
    there, not_there = (_above_the_first(log_expit(sign * logits), weights) for sign in (1, -1))
    return np.asarray(logits[0] + (there - not_there))


def _above_the_first(logs: Array, weights: Array) -> Array:
    """Return the logarithm of how far the mean is from the first, given logarithms of (members, rows, labels)."""
    apart = logs - logs[0]
    most = apart.max(axis=0)
    share = np.tensordot(weights, np.expm1(apart - most), axes=1) / weights.sum()
    return np.asarray(most + np.log1p(share))


def weighted_logits(logits: Array, weights: Array) -> Array:
    """Return the weighted mean of logits (members, rows, labels), of which a softmax may follow, or of numbers."""
    logits, weights = logits[weights > 0], weights[weights > 0]
    return np.asarray(logits[0] + np.tensordot(weights, logits - logits[0], axes=1) / weights.sum())


def mean_of_ranks(ranks: Array, weights: Array) -> Array:
    """Return the weighted mean of ranks of shape (members, rows, labels). With weights of 1, equal sums stay ties."""
    return np.asarray(np.tensordot(weights, ranks, axes=1) / weights.sum())


def as_ranks(logits: Array, blocks: npt.NDArray[np.integer]) -> Array:
    """Replace what is said of two labels by a row's rank, in the form of logits: 0, and the rank, from 1.

    Rows are ranked among those of their block, of shape (rows,): rows that one trained model predicts. Equals share the
    mean of their ranks. The order is that of differences of logits: of probabilities, sure ones are rounded to ties.
    """
    margins = logits[:, :, 1] - logits[:, :, 0]
    ranks = np.zeros_like(logits)
    for block in np.unique(blocks):
        rows = np.flatnonzero(blocks == block)
        ranks[:, rows, 1] = rankdata(margins[:, rows], axis=1)
    return ranks


@dataclass(frozen=True)
class Mixture:
    """Members, made ready for a method once. ``scale`` has shape (rows,): what a row's mean is divided by."""

    stack: Array
    mean: Callable[[Array, Array], Array]
    scale: Array

    @classmethod
    def by(
        cls,
        method: Method,
        logits: Array,
        blocks: npt.NDArray[np.integer] | None = None,
        kind: LabelKind = "class",
    ) -> "Mixture":
        """Take in logits (members, rows, labels). Without ``blocks``, each member is one model.

        Of ranks, what comes out as logits is 0 and the mean rank's share of the rows of the block.
        """
        blocks = np.zeros(logits.shape[1], dtype=np.intp) if blocks is None else blocks
        if method is Method.RANKS:
            _, places, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
            return cls(as_ranks(logits, blocks), mean_of_ranks, sizes[places].astype(float))
        of_kind = {"class": weighted_probabilities, "multilabel": weighted_sigmoids, "score": weighted_logits}
        mean = weighted_logits if method is Method.LOGITS else of_kind[kind]
        return cls(logits, mean, np.ones(logits.shape[1]))

    def of(self, weights: Sequence[float], rows: npt.NDArray[np.bool_] | slice = slice(None)) -> Array:
        """Return what the members say together of some rows, as logits (rows, labels)."""
        return self.mean(self.stack[:, rows], np.array(weights)) / self.scale[rows, None]
