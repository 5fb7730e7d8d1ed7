"""Two cells on the same rows: from stored predictions, is one better than the other on such rows, with other seeds?

Where a cell has a single seed, what is said holds for these trained models: one seed says nothing of the others.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from gridsearch.tasks.judging.labelling import TWO_CLASSES, Labelling
from reports.statistics.paired.crossed import Source, crossed, interquartile_difference, parts
from reports.statistics.paired.resampled import Truth, drawn_counts, finite, metric_of_counts
from reports.statistics.results import ALPHA, Array

Seed = TypeVar("Seed", bound=Hashable)


@dataclass(frozen=True)
class McNemar:
    """Rows that only one of two models gets right; ``p`` is exact and two-sided."""

    n_rows: int
    n_only_first: int
    n_only_second: int
    p: float


def mcnemar(labels: Truth, first: Array, second: Array) -> McNemar:
    """Test whether two models are equally often right, from logits of shape (rows, labels): see `mcnemar_of_parts`."""
    return mcnemar_of_parts([(labels, first, second)])


def mcnemar_of_parts(parts: Iterable[tuple[Truth, Array, Array]]) -> McNemar:
    """Test the same of the rows of several parts together, each with its labels and what both models say of them.

    A row of several labels, 0 and 1 of (rows, labels), is right where all of them are.
    Given the rows where just one is right, its number is binomial with chance 1/2. Source: McNemar 1947, Psychometrika
    12, 153-157; exact, as the approximation fails below about 25 such rows.
    """
    n_rows = only_first = only_second = 0
    for labels, first, second in parts:
        right = [_is_right(labels, finite(logits)) for logits in (first, second)]
        n_rows += len(labels)
        only_first += int((right[0] & ~right[1]).sum())
        only_second += int((right[1] & ~right[0]).sum())
    n_split = only_first + only_second
    p = float(binomtest(only_first, n_split).pvalue) if n_split else 1.0
    return McNemar(n_rows, only_first, only_second, p)


def _is_right(labels: Truth, logits: Array) -> npt.NDArray[np.bool_]:
    if labels.ndim > 1:
        return np.asarray(((logits > 0) == labels).all(axis=1))
    return np.asarray(logits.argmax(axis=1) == labels)


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


@dataclass(frozen=True)
class Rows(Generic[Seed]):
    """Rows that two cells are compared on: what they hold, and by seed what each cell's models say, (rows, outputs).

    ``metric`` is one of those of such labels.
    """

    labels: Truth
    first: Mapping[Seed, Array]
    second: Mapping[Seed, Array]
    metric: str = "accuracy"
    labelling: Labelling = TWO_CLASSES


def paired_bootstrap(
    labels: Truth,
    first: Mapping[Seed, Array],
    second: Mapping[Seed, Array],
    metric: str = "accuracy",
    *,
    labelling: Labelling = TWO_CLASSES,
    n_resamples: int = 2000,
    seed: int = 0,
) -> PairedBootstrap | None:
    """Compare two cells on the same rows: :func:`bootstrap_of_mean` of a single part."""
    rows = Rows(labels, first, second, metric, labelling)
    return bootstrap_of_mean([rows], metric, n_resamples=n_resamples, seed=seed)


def bootstrap_of_mean(
    rows: Sequence[Rows[Seed]], name: str, *, n_resamples: int = 2000, seed: int = 0
) -> PairedBootstrap | None:
    """Resample the rows of each part by themselves, all models on the same ones. What is compared is the mean of parts.

    None where the metric of a part is undefined: no rows, or auc of one class. A cell's metric is the mean of its
    models'; those of the same seed are a pair. ``name`` is what the mean is called.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap.
    """
    if not all(len(one.labels) for one in rows):
        return None
    of_parts = np.stack([_resampled(one, n_resamples, seed + place) for place, one in enumerate(rows)])
    defined = np.asarray(np.isfinite(of_parts).all(axis=(0, 1)))
    if not defined[0] or defined.sum() < 2:
        return None
    of_parts, n_first = of_parts[:, :, defined], len(rows[0].first)
    source = _source([part[:n_first].mean(axis=0) - part[n_first:].mean(axis=0) for part in of_parts], rows)
    results = of_parts.mean(axis=0)
    mine, other = results[:n_first], results[n_first:]
    difference, *differences = mine.mean(axis=0) - other.mean(axis=0)
    low, high = np.quantile(differences, [ALPHA / 2, 1 - ALPHA / 2])
    interval, seeds_error = (float(low), float(high)), None
    first, second = list(rows[0].first), list(rows[0].second)
    if min(len(first), len(second)) > 1:
        found = crossed(
            difference,
            parts((first, mine[:, 0]), (second, other[:, 0])),
            parts((first, mine[:, 1:]), (second, other[:, 1:])),
            items=source.of_all,
            variance_of=lambda draws: np.asarray(np.var(draws, axis=-1) * source.larger),
        )
        interval, seeds_error = found.interval, found.seeds_error
    return PairedBootstrap(
        name,
        float(difference),
        interval,
        math.sqrt(source.of_all.variance),
        seeds_error,
        (len(first), len(second)),
        len(differences),
        interquartile_difference(mine[:, 0], other[:, 0]),
    )


def _resampled(rows: Rows[Seed], n_resamples: int, seed: int) -> Array:
    """Return the metric of each model, the first cell's before the second's: as observed, then of each resample."""
    models = [
        metric_of_counts(rows.metric, rows.labels, finite(logits), rows.labelling)
        for logits in (*rows.first.values(), *rows.second.values())
    ]
    drawn = drawn_counts(len(rows.labels), n_resamples, seed)
    return np.concatenate([np.stack([of(counts) for of in models]) for counts in drawn], axis=1)


class _OfRows(NamedTuple):
    """What rows give to a mean over parts; new rows vary ``larger`` times as much as those drawn from the same ones."""

    of_all: Source
    larger: float


def _source(differences: Sequence[Array], rows: Sequence[Rows[Seed]]) -> _OfRows:
    """Put the parts' rows together, from each part's differences: as observed, then of each resample.

    Rows drawn from n vary by a share of 1 / n less than new ones do. Degrees of freedom are those of a mean of samples
    of different sizes (Satterthwaite 1946, Biometrics Bulletin 2, 110-114); of one part they are n - 1.
    """
    sizes = [len(one.labels) for one in rows]
    drawn = [float(np.var(one[1:])) / len(rows) ** 2 for one in differences]
    new = [variance * n / max(n - 1, 1) for variance, n in zip(drawn, sizes, strict=True)]
    spread = math.fsum(variance**2 / max(n - 1, 1) for variance, n in zip(new, sizes, strict=True))
    df = math.fsum(new) ** 2 / spread if spread else max(min(sizes) - 1, 1)
    return _OfRows(Source(math.fsum(new), df), math.fsum(new) / math.fsum(drawn) if any(drawn) else 1.0)
