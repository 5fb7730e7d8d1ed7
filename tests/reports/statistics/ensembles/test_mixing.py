"""Averages: what one member says, or equal ones say, comes out as it went in; each mean against some plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy
from scipy.special import log_softmax, softmax
from sklearn.metrics import roc_auc_score

from gridsearch.tasks.metrics import probabilities, score
from reports.statistics.ensembles.mixing import Mixture, as_ranks, weighted_logits, weighted_probabilities
from reports.statistics.ensembles.results import Method

MEANS = (weighted_probabilities, weighted_logits)
LOGITS = of_numpy.arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(2, 4)),
    elements=st.floats(-1e4, 1e4, width=32),
)
WEIGHTS = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12)


@pytest.mark.parametrize("mean", MEANS)
@given(logits=LOGITS, weights=WEIGHTS)
def test_equal_members_come_out_bit_for_bit(mean, logits: np.ndarray, weights: list[float]) -> None:
    own = logits.astype(np.float64)
    mixed = mean(np.stack([own] * len(weights)), np.array(weights))
    assert np.array_equal(mixed, own)
    assert probabilities(mixed).tobytes() == probabilities(logits).tobytes()


@pytest.mark.slow  # many logits, drawn at random
@pytest.mark.parametrize("mean", MEANS)
@given(logits=LOGITS, others=st.integers(0, 3), weight=st.floats(1e-3, 1e3))
def test_a_single_member_comes_out_bit_for_bit(mean, logits: np.ndarray, others: int, weight: float) -> None:
    """Whatever those of no weight say."""
    own = logits.astype(np.float64)
    stack = np.stack([*[own[::-1] * 3 - 1] * others, own])
    assert np.array_equal(mean(stack, np.array([0.0] * others + [weight])), own)


@pytest.mark.slow  # many logits, drawn at random
@given(logits=LOGITS.filter(lambda one: one.shape[1] == 2), data=st.data())
def test_the_metrics_of_a_mean_of_one_are_its_own(logits: np.ndarray, data: st.DataObject) -> None:
    labels = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(logits), max_size=len(logits))))
    own = score(labels, logits)
    for method in (Method.PROBABILITIES, Method.LOGITS, Method.WEIGHTED, Method.GREEDY):
        assert score(labels, Mixture.by(method, logits[None].astype(np.float64)).of([1.0])) == own
    assert score(labels, Mixture.by(Method.RANKS, logits[None].astype(np.float64)).of([2.0])).get("auc") == own.get(
        "auc"
    )


@given(data=st.data())
def test_each_mean_is_what_its_name_says(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(2, 4)))
    logits = data.draw(of_numpy.arrays(np.float64, shape, elements=st.floats(-30, 30)))
    weights = np.array(data.draw(st.lists(st.floats(0.1, 9), min_size=shape[0], max_size=shape[0])))
    expected = np.average(softmax(logits, axis=2), axis=0, weights=weights)
    np.testing.assert_allclose(softmax(weighted_probabilities(logits, weights), axis=1), expected, rtol=1e-9)
    geometric = softmax(np.average(log_softmax(logits, axis=2), axis=0, weights=weights), axis=1)
    np.testing.assert_allclose(softmax(weighted_logits(logits, weights), axis=1), geometric, rtol=1e-9)


def test_members_that_are_sure_of_opposite_things() -> None:
    """Nothing overflows, and no small probability is rounded away."""
    logits = np.array([[[0.0, 1e6], [0.0, -800.0]], [[1e6, 0.0], [0.0, -800.0]]])
    mixed = weighted_probabilities(logits, np.ones(2))
    assert softmax(mixed, axis=1)[0] == pytest.approx([0.5, 0.5])
    assert mixed[1].tolist() == [0.0, -800.0]


class TestRanks:
    def test_are_those_of_their_block_and_ties_share(self) -> None:
        margins = np.array([[1.0, 3.0, 3.0, 9.0, -1.0, -2.0]])
        logits = np.stack([np.zeros_like(margins), margins], axis=2)
        ranks = as_ranks(logits, np.array([0, 0, 0, 0, 1, 1]))
        assert ranks[0, :, 1].tolist() == [1.0, 2.5, 2.5, 4.0, 2.0, 1.0]
        assert not ranks[:, :, 0].any()

    def test_a_mean_of_ranks(self) -> None:
        draw = np.random.default_rng(0)
        labels, logits = draw.integers(2, size=60), draw.normal(size=(3, 60, 2))
        margins = logits[:, :, 1] - logits[:, :, 0]
        expected = np.mean([[1 + (one < value).sum() for value in one] for one in margins], axis=0) / 60
        mixed = Mixture.by(Method.RANKS, logits).of([1.0, 1.0, 1.0])
        np.testing.assert_allclose(mixed[:, 1], expected)
        assert score(labels, mixed)["auc"] == pytest.approx(roc_auc_score(labels, expected))

    @pytest.mark.slow  # many logits, drawn at random
    @given(logits=LOGITS.filter(lambda one: one.shape[1] == 2), n=st.integers(1, 12))
    def test_equal_members_are_equal(self, logits: np.ndarray, n: int) -> None:
        ranks = as_ranks(logits[None].astype(np.float64), np.zeros(len(logits), dtype=int))
        mixed = Mixture.by(Method.RANKS, np.stack([logits.astype(np.float64)] * n)).of([1.0] * n)
        assert mixed.tobytes() == (ranks[0] / len(logits)).tobytes()
