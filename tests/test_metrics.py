import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from gridsearch.metrics import is_better, probabilities, score
from gridsearch.tasks.task import METRICS


def some_logits(n_rows: int, n_labels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=2.0, size=(n_rows, n_labels)).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("n_labels", [2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_against_sklearn(n_labels: int, seed: int) -> None:
    logits = some_logits(60, n_labels, seed)
    labels = np.random.default_rng(seed).integers(n_labels, size=60)
    predicted, found = logits.argmax(axis=1), score(labels, logits)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "f1_macro": metrics.f1_score(labels, predicted, average="macro", labels=range(n_labels), zero_division=0),
        "f1_micro": metrics.f1_score(labels, predicted, average="micro"),
        "f1_weighted": metrics.f1_score(labels, predicted, average="weighted", zero_division=0),
        "matthews": metrics.matthews_corrcoef(labels, predicted),
        "log_loss": -np.log(softmax(logits)[np.arange(60), labels]).mean(),
    }
    if n_labels == 2:
        expected["f1_binary"] = metrics.f1_score(labels, predicted)
        expected["auc"] = metrics.roc_auc_score(labels, logits[:, 1] - logits[:, 0])
    assert found == pytest.approx(expected, rel=1e-6)


def test_every_metric_that_a_task_may_name_is_computed() -> None:
    assert set(score(np.array([0, 1, 1]), some_logits(3, 2))) == set(METRICS)


def test_a_label_that_dev_lacks_counts_in_the_macro_average() -> None:
    """sklearn alone would average over the labels that it happens to see."""
    labels, logits = np.array([0, 1]), np.array([[9.0, 0, 0], [0, 9.0, 0]], dtype=np.float32)
    assert score(labels, logits)["f1_macro"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("right", [True, False])
def test_a_dev_of_one_class_and_a_constant_prediction(n_labels: int, right: bool) -> None:
    logits = np.zeros((4, n_labels), dtype=np.float32)
    logits[:, 0 if right else 1] = 5.0
    found = score(np.zeros(4, dtype=np.int64), logits)
    assert found["accuracy"] == float(right)
    assert found["matthews"] == 0.0
    assert "auc" not in found
    assert all(math.isfinite(value) for value in found.values())


def test_one_row() -> None:
    assert score(np.array([1]), some_logits(1, 3))["accuracy"] in (0.0, 1.0)


def test_logits_that_are_no_numbers_are_as_good_as_a_guess() -> None:
    found = score(np.array([0, 1, 0, 1]), np.full((4, 2), np.nan, dtype=np.float32))
    assert found["auc"] == 0.5
    assert found["accuracy"] == 0.5
    assert found["log_loss"] == pytest.approx(math.log(2))


@given(
    arrays(np.float32, (6, 3), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
    arrays(np.int64, 4, elements=st.integers(0, 2)),
)
def test_any_logits_have_finite_metrics(logits: np.ndarray, labels: np.ndarray) -> None:
    two_classes = np.concatenate([[0, 1], labels])
    assert all(math.isfinite(value) for value in score(two_classes, logits).values())


def test_probabilities_of_large_logits_do_not_overflow() -> None:
    np.testing.assert_allclose(
        probabilities(np.array([[1e4, 0.0], [0.0, 0.0]], dtype=np.float32)), [[1, 0], [0.5, 0.5]]
    )


def test_the_auc_of_confident_models_is_a_ranking() -> None:
    """Beyond a difference of 37 the probability of label 1 is 1.0 in float64, whatever the logits."""
    labels = np.array([0, 1, 0, 1])
    logits = np.array([[0, 50], [0, 60], [0, 40], [0, 45]], dtype=np.float32)
    assert score(labels, logits)["auc"] == metrics.roc_auc_score(labels, logits[:, 1] - logits[:, 0])


@pytest.mark.parametrize(
    ("metric", "value", "than", "better"),
    [
        ("accuracy", 0.6, 0.5, True),
        ("accuracy", 0.5, 0.6, False),
        ("accuracy", 0.5, 0.5, False),
        ("accuracy", 0.0, None, True),
        ("log_loss", 0.5, 0.6, True),
        ("log_loss", 0.6, 0.5, False),
        ("log_loss", 0.5, 0.5, False),
        ("log_loss", math.inf, None, True),
        ("accuracy", math.nan, 0.5, False),
        ("accuracy", math.nan, None, False),
        ("log_loss", math.nan, 0.5, False),
    ],
)
def test_which_is_better(metric: str, value: float, than: float | None, better: bool) -> None:
    assert is_better(metric, value, than) is better


def test_a_number_is_better_than_none() -> None:
    assert is_better("accuracy", 0.1, math.nan)
