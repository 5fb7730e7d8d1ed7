import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from gridsearch.tasks.judging.labelling import OF_CLASSES
from gridsearch.tasks.metrics import MOST_LOSS, is_better, probabilities, score

Case = tuple[np.ndarray, np.ndarray, int]


def some_logits(n_rows: int, n_labels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=2.0, size=(n_rows, n_labels)).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def of_sklearn(labels: np.ndarray, logits: np.ndarray, positive: int) -> dict[str, float]:
    """What scikit-learn makes of predictions and probabilities, with its defaults wherever a task does not say more."""
    predicted, n_labels = logits.argmax(axis=1), logits.shape[1]
    recalls = metrics.recall_score(labels, predicted, labels=np.unique(labels), average=None, zero_division=0)
    expected = {
        "balanced_accuracy": recalls.mean(),
        "accuracy": metrics.accuracy_score(labels, predicted),
        "f1_macro": metrics.f1_score(labels, predicted, average="macro", zero_division=0),
        "f1_micro": metrics.f1_score(labels, predicted, average="micro", zero_division=0),
        "f1_weighted": metrics.f1_score(labels, predicted, average="weighted", zero_division=0),
        "matthews": 0.0,
        "log_loss": metrics.log_loss(labels, y_proba=softmax(logits), labels=np.arange(n_labels)),
    }
    if len(set(labels) | set(predicted)) > 1:  # a confusion matrix of one cell: scikit-learn warns of it
        expected["matthews"] = metrics.matthews_corrcoef(labels, predicted)
    if n_labels == 2:
        expected["f1_binary"] = metrics.f1_score(labels, predicted, pos_label=positive, zero_division=0)
        if len(set(labels)) == 2:
            margins = logits.astype(np.float64)
            above = margins[:, positive] - margins[:, 1 - positive]
            expected["auc"] = metrics.roc_auc_score(labels == positive, above)
            expected["average_precision"] = metrics.average_precision_score(labels == positive, above)
    return expected


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Labels and logits: some labels have no row, some are never predicted, ties and sure mistakes occur."""
    n_labels, n_rows = draw(st.integers(2, 6)), draw(st.integers(1, 30))
    held = draw(st.lists(st.integers(0, n_labels - 1), min_size=1, unique=True))
    labels = draw(arrays(np.int64, n_rows, elements=st.sampled_from(held)))
    values = draw(
        st.sampled_from([st.floats(-1e4, 1e4, width=32), st.floats(-5, 5, width=32), st.integers(-2, 2).map(float)])
    )
    logits = draw(arrays(np.float32, (n_rows, n_labels), elements=values))
    if draw(st.booleans()):
        logits[:, draw(st.integers(0, n_labels - 1))] = 2e4  # one label for every row
    return labels, logits, draw(st.integers(0, 1))


@pytest.mark.slow  # many rows, drawn at random; their examples stand beside it
@settings(max_examples=200, deadline=None)
@given(cases())
def test_values_are_those_of_sklearn(case: Case) -> None:
    """Both to the last digits: absent labels, a single one, constant predictions, ties, sure mistakes."""
    labels, logits, positive = case
    assert score(labels, logits, positive) == pytest.approx(of_sklearn(*case), rel=1e-12, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(cases(), st.integers(1, 40))
def test_the_size_of_the_pieces_changes_nothing(case: Case, n_cells: int) -> None:
    labels, logits, positive = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gridsearch.tasks.metrics._CELLS", n_cells)
        assert score(labels, logits, positive) == pytest.approx(of_sklearn(*case), rel=1e-12, abs=1e-12)


def test_every_metric_that_a_task_may_name_is_computed() -> None:
    assert set(score(np.array([0, 1, 1]), some_logits(3, 2), ordered=True)) == set(OF_CLASSES)


def test_a_label_that_neither_occurs_nor_is_predicted_does_not_count_in_the_macro_average() -> None:
    labels, logits = np.array([0, 1]), np.array([[9.0, 0, 0], [0, 9.0, 0]], dtype=np.float32)
    assert score(labels, logits)["f1_macro"] == 1.0
    logits[0, 2] = 10.0
    assert score(labels, logits)["f1_macro"] == pytest.approx(1 / 3)  # predicted once, and wrongly: it counts


def test_f1_binary_is_that_of_the_positive_label() -> None:
    """A classifier that finds none of the 6 rows of label 0 among 60."""
    labels = np.repeat([0, 1], [6, 54])
    logits = np.tile(np.array([[0.0, 1.0]], dtype=np.float32), (60, 1))
    assert score(labels, logits, positive=0)["f1_binary"] == 0.0
    assert score(labels, logits, positive=1)["f1_binary"] == pytest.approx(2 * 54 / 114)


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


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("n_labels", [2, 3])
def test_logits_that_are_no_numbers_have_no_score(n_labels: int, value: float) -> None:
    """One is enough; counted as a guess it would be a label 0 that nobody predicted."""
    logits = some_logits(5, n_labels)
    logits[3, 1] = value
    with pytest.raises(ValueError, match="logits must be finite"):
        score(np.array([0, 1, 0, 1, 1]), logits)


@given(
    arrays(np.float32, (6, 3), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)),
    arrays(np.int64, 4, elements=st.integers(0, 2)),
)
def test_any_finite_logits_have_finite_metrics(logits: np.ndarray, labels: np.ndarray) -> None:
    two_classes = np.concatenate([[0, 1], labels])
    for some in (logits, logits[:, :2]):
        found = score(np.minimum(two_classes, some.shape[1] - 1), some)
        assert all(math.isfinite(value) for value in found.values())


def test_the_largest_float64_logits_have_finite_metrics() -> None:
    """Their difference is beyond float64."""
    logits = np.array([[1e308, -1e308], [-1e308, 1e308], [1e308, -1e308]])
    found = score(np.array([0, 1, 1]), logits)
    assert found["auc"] == 0.75
    assert found["log_loss"] == pytest.approx(MOST_LOSS / 3)


def test_half_precision_logits_are_scored_as_what_they_are() -> None:
    logits = some_logits(300, 2).astype(np.float16)
    labels = np.random.default_rng(1).integers(2, size=300)
    assert score(labels, logits) == score(labels, logits.astype(np.float64))


def test_scores_take_little_memory_beyond_the_logits() -> None:
    labels, logits = np.random.default_rng(0).integers(200, size=10_000), some_logits(10_000, 200)
    tracemalloc.start()
    try:
        score(labels, logits)
        assert tracemalloc.get_traced_memory()[1] < logits.nbytes
    finally:
        tracemalloc.stop()


def test_many_labels_need_no_table_of_all_their_pairs() -> None:
    """50,000 labels have 2.5 billion pairs."""
    labels, logits = np.array([49_999, 3, 3]), np.zeros((3, 50_000), dtype=np.float32)
    logits[[0, 1, 2], [49_999, 3, 4]] = 20.0
    found = score(labels, logits)
    assert found["f1_macro"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert found["accuracy"] == pytest.approx(2 / 3)


def test_probabilities_of_large_logits_do_not_overflow() -> None:
    np.testing.assert_allclose(
        probabilities(np.array([[1e4, 0.0], [0.0, 0.0]], dtype=np.float32)), [[1, 0], [0.5, 0.5]]
    )


def test_the_auc_of_confident_models_is_a_ranking() -> None:
    """Beyond a difference of 37 the probability of label 1 is 1.0 in float64, whatever the logits."""
    labels = np.array([0, 1, 0, 1])
    logits = np.array([[0, 50], [0, 60], [0, 40], [0, 45]], dtype=np.float32)
    assert score(labels, logits)["auc"] == 0.75


def test_the_order_of_rows_changes_no_metric() -> None:
    labels, logits = np.random.default_rng(2).integers(2, size=500), np.round(some_logits(500, 2), 1)
    order = np.random.default_rng(3).permutation(500)
    assert score(labels[order], logits[order]) == pytest.approx(score(labels, logits), rel=1e-13)


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
