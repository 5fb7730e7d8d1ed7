"""Greedy selection against trying every pick in plain words."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER, OF_CLASSES, TWO_CLASSES, Labelling
from gridsearch.tasks.metrics import score
from reports.statistics.ensembles.greedy import greedy


def by_trying(chances: np.ndarray, labels: np.ndarray, metric: str, start: int, n_picks: int) -> list[int]:
    """Add what makes the mean best, and keep the shortest of the best beginnings."""

    def goodness(picks: list[int]) -> float:
        value = score(labels, np.log(chances[picks].mean(axis=0)), ordered=True)[metric]
        return round(-value if metric in LOWER_IS_BETTER else value, 12)

    picks = [start]
    for _ in range(n_picks - 1):
        picks.append(max(range(len(chances)), key=lambda one: goodness([*picks, one])))
    beginnings = [picks[:n] for n in range(1, n_picks + 1)]
    return max(beginnings, key=goodness)


@pytest.mark.slow  # many ensembles, drawn at random
@pytest.mark.parametrize("metric", OF_CLASSES)
@given(seed=st.integers(0, 10**6), n_members=st.integers(2, 4), n_rows=st.integers(4, 12), n_picks=st.integers(1, 6))
# Two orders of the rows have the same average precision, but for the last digit of what the computer adds up.
@example(seed=2142, n_members=3, n_rows=11, n_picks=5)
@settings(max_examples=25)
def test_as_by_trying(metric: str, seed: int, n_members: int, n_rows: int, n_picks: int) -> None:
    draw = np.random.default_rng(seed)
    labels = np.arange(n_rows) % 2
    # Sixteenths: their sums are exact, and ties are ties.
    ones = draw.integers(1, 16, size=(n_members, n_rows)) / 16
    chances = np.stack([1 - ones, ones], axis=2)
    start = int(draw.integers(n_members))
    found = greedy(chances, labels, metric, TWO_CLASSES, start=start, n_picks=n_picks)
    expected = np.bincount(by_trying(chances, labels, metric, start, n_picks), minlength=n_members)
    assert found.tolist() == expected.tolist()


def test_several_labels() -> None:
    draw = np.random.default_rng(1)
    labels = np.arange(30) % 3
    chances = softmax(np.eye(3)[labels] + draw.normal(size=(4, 30, 3)), axis=2)
    for metric in ("accuracy", "f1_macro", "matthews", "log_loss"):
        expected = np.bincount(by_trying(chances, labels, metric, 2, 8), minlength=4)
        assert greedy(chances, labels, metric, TWO_CLASSES, start=2, n_picks=8).tolist() == expected.tolist()


def test_a_perfect_member_stays_alone() -> None:
    labels = np.arange(20) % 2
    sure = np.eye(2)[labels] * 0.9 + 0.05
    chances = np.stack([np.full((20, 2), 0.5), sure])
    assert greedy(chances, labels, "accuracy", TWO_CLASSES, start=1).tolist() == [0, 1]
    assert greedy(chances, labels, "auc", TWO_CLASSES, start=1).tolist() == [0, 1]


def test_sure_predictions_are_no_ties() -> None:
    """Probabilities of these are all 1; the ratio to their complement still has an order."""
    labels = np.array([0, 1, 0, 1])
    logits = np.array([[0.0, 50.0], [0.0, 60.0], [0.0, 55.0], [0.0, 70.0]])
    shuffled = logits[[1, 0, 3, 2]]
    chances = softmax(np.stack([shuffled, logits]), axis=2)
    assert (chances[:, :, 1] == 1).all()
    assert greedy(chances, labels, "auc", TWO_CLASSES, start=1).tolist() == [0, 1]


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_the_unit_of_numbers_changes_no_pick(metric: str) -> None:
    """Members that are equally far off are equal in tens of thousands as in tenths: their sums round otherwise."""
    draw = np.random.default_rng(0)
    for _ in range(40):
        off = draw.integers(1, 9, size=12)
        members = np.stack([draw.permutation(off) * draw.choice([-1, 1]) for _ in range(4)])[:, :, None]
        truth = draw.integers(0, 9, size=12)
        picks = [
            greedy(
                (truth[:, None] + members) * unit, truth * unit, metric, Labelling("score", 1), start=0, n_picks=6
            ).tolist()
            for unit in (1.0, 0.1, 12_345.6)
        ]
        assert picks[0] == picks[1] == picks[2]
