"""Two cells on the same rows: from stored predictions, is one better than the other on such rows, with other seeds?

Where a cell has a single seed, what is said holds for these trained models: one seed says nothing of the others.
"""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.stats import binomtest

from gridsearch.tasks.task import POSITIVE
from reports.statistics.paired.crossed import Source, crossed, interquartile_difference, parts
from reports.statistics.paired.resampled import Labels, drawn_counts, finite, metric_of_counts
from reports.statistics.results import ALPHA, Array

Seed = TypeVar("Seed", bound=Hashable)


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
    right = [finite(logits).argmax(axis=1) == labels for logits in (first, second)]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    n_split = only_first + only_second
    p = float(binomtest(only_first, n_split).pvalue) if n_split else 1.0
    return McNemar(len(labels), only_first, only_second, p)


@dataclass(frozen=True)
class PairedBootstrap:
    """The metric of the first cell less that of the second, with a 95 % interval.

    ``n_seeds`` are those of each cell. With several of both the interval is for other rows and other seeds (see
    statistics/crossed.py), and the standard errors say what each of the two gives; with one of either it is the
    percentile interval over resampled rows, and ``seeds_error`` is None. ``interquartile`` is the difference of the
    interquartile means over seeds, None below five.
    """

    metric: str
    difference: float
    interval: tuple[float, float]
    rows_error: float
    seeds_error: float | None
    n_seeds: tuple[int, int]
    n_resamples: int
    interquartile: float | None = None


def paired_bootstrap(
    labels: Labels,
    first: Mapping[Seed, Array],
    second: Mapping[Seed, Array],
    metric: str = "accuracy",
    *,
    positive: int = POSITIVE,
    n_resamples: int = 2000,
    seed: int = 0,
) -> PairedBootstrap | None:
    """Resample rows, all models on the same ones. None where the metric is undefined: no rows, or auc of one class.

    ``first`` and ``second`` are the models of two cells by seed, each by its logits of shape (rows, labels); a cell's
    metric is the mean of its models'. Models of the same seed are a pair. ``metric`` is one of
    `gridsearch.tasks.metrics`; f1_binary is that of label ``positive``.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap.
    """
    if not len(labels):
        return None
    n_rows = len(labels)
    models = [
        metric_of_counts(metric, labels, finite(logits), positive) for logits in (*first.values(), *second.values())
    ]
    chunks = [np.stack([of(counts) for of in models]) for counts in drawn_counts(n_rows, n_resamples, seed)]
    results = np.concatenate(chunks, axis=1)
    defined = np.asarray(np.isfinite(results).all(axis=0))
    if not defined[0] or defined.sum() < 2:
        return None
    results = results[:, defined]
    mine, other = results[: len(first)], results[len(first) :]
    difference, *differences = mine.mean(axis=0) - other.mean(axis=0)
    rows = Source(float(_variance_over_rows(np.array(differences), n_rows)), max(n_rows - 1, 1))
    low, high = np.quantile(differences, [ALPHA / 2, 1 - ALPHA / 2])
    interval, seeds_error = (float(low), float(high)), None
    if min(len(first), len(second)) > 1:
        found = crossed(
            difference,
            parts((list(first), mine[:, 0]), (list(second), other[:, 0])),
            parts((list(first), mine[:, 1:]), (list(second), other[:, 1:])),
            items=rows,
            variance_of=lambda draws: _variance_over_rows(draws, n_rows),
        )
        interval, seeds_error = found.interval, found.seeds_error
    return PairedBootstrap(
        metric,
        float(difference),
        interval,
        math.sqrt(rows.variance),
        seeds_error,
        (len(first), len(second)),
        len(differences),
        interquartile_difference(mine[:, 0], other[:, 0]),
    )


def _variance_over_rows(draws: Array, n_rows: int) -> Array:
    """Rows drawn from n vary by a share of 1 / n less than new ones do."""
    return np.asarray(np.var(draws, axis=-1) * n_rows / max(n_rows - 1, 1))
