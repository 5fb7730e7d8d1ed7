"""Metrics against scikit-learn's and scipy's, on 500 random cases and on resamples that are made."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn

from gridsearch.tasks.judging import multilabel, scores
from gridsearch.tasks.judging.judge import mean_of, measured, probabilities
from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER, METRICS_OF, Labelling
from gridsearch.tasks.judging.weighted import Metric
from gridsearch.tasks.metrics import score

N_CASES = 500
QUICK_OR_ALL = [60, pytest.param(N_CASES, marks=pytest.mark.slow)]
Values = Mapping[str, float]


def several(stream: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels and logits, some of them equal, none 0."""
    shape = (int(stream.integers(3, 60)), int(stream.integers(2, 6)))
    logits = np.round(stream.normal(size=shape), 1)
    return (stream.random(shape) < stream.random()).astype(np.int8), np.where(logits == 0, 0.1, logits)


def numbers(stream: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    n_rows = int(stream.integers(3, 60))
    return np.round(stream.normal(size=n_rows), 1), np.round(stream.normal(size=(n_rows, 1)), 1)


def theirs_of_several(labels: np.ndarray, logits: np.ndarray) -> Iterator[tuple[str, float]]:
    told = (logits > 0).astype(int)
    for average in ("macro", "micro", "weighted"):
        yield f"f1_{average}", sklearn.f1_score(labels, told, average=average, zero_division=0)
    yield "subset_accuracy", sklearn.accuracy_score(labels, told)
    chances = 1 / (1 + np.exp(-logits))
    yield (
        "log_loss",
        float(np.mean([sklearn.log_loss(own, p, labels=[0, 1]) for own, p in zip(labels.T, chances.T, strict=True)])),
    )
    for name, metric, needs in (
        ("auc", sklearn.roc_auc_score, 2),
        ("average_precision", sklearn.average_precision_score, 1),
    ):
        known = [
            metric(own, logit)
            for own, logit in zip(labels.T, logits.T, strict=True)
            if own.any() and (needs == 1 or not own.all())
        ]
        if known:
            yield name, float(np.mean(known))


def theirs_of_numbers(truth: np.ndarray, said: np.ndarray) -> Iterator[tuple[str, float]]:
    said = said[:, 0]
    yield "rmse", sklearn.root_mean_squared_error(truth, said)
    yield "mae", sklearn.mean_absolute_error(truth, said)
    if np.ptp(truth):
        yield "pearson", float(stats.pearsonr(truth, said)[0]) if np.ptp(said) else 0.0
        yield "spearman", float(stats.spearmanr(truth, said)[0]) if np.ptp(said) else 0.0


@pytest.fixture(autouse=True)
def _without_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


CASES = [
    (several, multilabel.score, theirs_of_several, multilabel.metric_of_counts),
    (numbers, scores.score, theirs_of_numbers, scores.metric_of_counts),
]


@pytest.mark.slow  # many rows, drawn at random
@pytest.mark.parametrize("n_cases", QUICK_OR_ALL)
@pytest.mark.parametrize(("drawn", "ours", "theirs", "of_counts"), CASES)
def test_metrics_are_theirs(drawn: Any, ours: Any, theirs: Any, of_counts: Any, n_cases: int) -> None:
    stream = np.random.default_rng(0)
    for _ in range(n_cases):
        truth, said = drawn(stream)
        assert ours(truth, said) == pytest.approx(dict(theirs(truth, said)), abs=1e-9)


@pytest.mark.parametrize(("drawn", "ours", "theirs", "of_counts"), CASES)
def test_counted_rows_are_rows_that_often(
    drawn: Any, ours: Any, theirs: Any, of_counts: Callable[[str, np.ndarray, np.ndarray], Metric]
) -> None:
    stream = np.random.default_rng(1)
    for _ in range(N_CASES // 5):
        truth, said = drawn(stream)
        rows = stream.integers(0, len(truth), (3, len(truth)))
        counts = np.stack([np.bincount(own, minlength=len(truth)) for own in rows]).astype(float)
        names = METRICS_OF["multilabel" if truth.ndim == 2 else "score"]
        for place, own in enumerate(rows):
            expected = ours(truth[own], said[own])
            found = {name: float(of_counts(name, truth, said)(counts)[place]) for name in names}
            assert {name: value for name, value in found.items() if not np.isnan(value)} == pytest.approx(expected)


@pytest.mark.parametrize("n_cases", QUICK_OR_ALL)
def test_metrics_of_classes_that_are_new(n_cases: int) -> None:
    stream = np.random.default_rng(2)
    for _ in range(n_cases):
        n_rows, n_labels = int(stream.integers(3, 60)), int(stream.integers(2, 5))
        labels, logits = stream.integers(0, n_labels, n_rows), np.round(stream.normal(size=(n_rows, n_labels)), 1)
        told = logits.argmax(axis=1)
        positive = int(stream.integers(0, 2)) if n_labels == 2 else 1
        found = score(labels, logits, positive, ordered=True)
        recalls = sklearn.recall_score(labels, told, labels=np.unique(labels), average=None, zero_division=0)
        assert found["balanced_accuracy"] == pytest.approx(recalls.mean())
        kappa = sklearn.cohen_kappa_score(labels, told, weights="quadratic", labels=range(n_labels))
        assert found["quadratic_kappa"] == pytest.approx(0.0 if np.isnan(kappa) else kappa)
        if n_labels == 2 and np.ptp(labels):
            margins = (logits[:, 1] - logits[:, 0]) * (1 if positive else -1)
            expected = sklearn.average_precision_score(labels == positive, margins)
            assert found["average_precision"] == pytest.approx(expected)


def test_ordered_classes_alone_have_a_kappa_of_distances() -> None:
    labels, logits = np.array([0, 1, 2]), np.eye(3)
    assert "quadratic_kappa" not in measured(labels, logits, Labelling("class", 3))
    assert measured(labels, logits, Labelling("class", 3, ordered=True))["quadratic_kappa"] == 1.0


def test_each_label_by_itself() -> None:
    truth, said = several(np.random.default_rng(3))
    each = multilabel.of_each_label(truth, said)
    whole = multilabel.score(truth, said)
    assert np.mean([one["f1"] for one in each]) == pytest.approx(whole["f1_macro"])
    assert np.mean([one["auc"] for one in each if "auc" in one]) == pytest.approx(whole["auc"])


@pytest.mark.slow  # 1.8 s
@pytest.mark.parametrize("n_cases", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_thresholds_are_the_best(n_cases: int) -> None:
    """No other threshold has a better F1, of each label."""
    stream = np.random.default_rng(4)
    for _ in range(n_cases):
        truth, said = several(stream)
        moved = said - multilabel.best_thresholds(truth, said)
        for label in range(truth.shape[1]):
            own, logit = truth[:, label], said[:, label]
            tried = [
                sklearn.f1_score(own, logit > place, zero_division=0) for place in (*np.unique(logit) - 0.01, np.inf)
            ]
            assert sklearn.f1_score(own, moved[:, label] > 0, zero_division=0) == pytest.approx(max(tried))


@pytest.mark.parametrize("kind", ["class", "multilabel", "score"])
def test_means_say_the_mean(kind: Any) -> None:
    several_outputs = [np.random.default_rng(seed).normal(size=(20, 3)).astype(np.float32) * 5 for seed in range(3)]
    expected = np.mean([probabilities(one, kind) for one in several_outputs], axis=0)
    assert probabilities(mean_of(several_outputs, kind), kind) == pytest.approx(expected, abs=1e-6)
    assert mean_of(several_outputs[:1], kind) is several_outputs[0] or (
        mean_of(several_outputs[:1], kind).tobytes() == several_outputs[0].tobytes()
    )


def test_what_is_not_finite_is_not_scored() -> None:
    for kind, truth in (("multilabel", np.eye(2, dtype=np.int8)), ("score", np.arange(2.0))):
        with pytest.raises(ValueError, match="must be finite to be scored"):
            measured(truth, np.full((2, 2 if kind == "multilabel" else 1), np.nan), Labelling(kind, 2))  # type: ignore[arg-type]


def test_lower_is_better_of_errors_alone() -> None:
    assert {"log_loss", "rmse", "mae"} == LOWER_IS_BETTER
