"""Averages of several labels a row, and of numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn import metrics

from gridsearch.tasks.judging.labelling import Labelling
from reports.statistics.ensembles.choosing import Choice
from reports.statistics.ensembles.mixing import Mixture, weighted_sigmoids
from reports.statistics.ensembles.nested import ensembles, why_not
from reports.statistics.ensembles.results import JudgedRows, Member, Method, WhyNot

N_ROWS = 200


def several(draw: np.random.Generator, metric: str = "f1_micro") -> tuple[np.ndarray, JudgedRows]:
    """Five members that are wrong about other rows, each of four labels."""
    truth = (draw.random((N_ROWS, 4)) < (0.5, 0.3, 0.2, 0.1)).astype(np.int8)
    logits = 1.2 * (2.0 * truth - 1) + 1.5 * draw.standard_normal((5, N_ROWS, 4))
    return logits, JudgedRows(truth, metric, labelling=Labelling("multilabel", 4))


def numbers(draw: np.random.Generator, metric: str = "rmse") -> tuple[np.ndarray, JudgedRows]:
    truth = 50 + 10 * draw.standard_normal(N_ROWS)
    said = truth + 8 * draw.standard_normal((5, N_ROWS))
    return said[:, :, None], JudgedRows(truth, metric, labelling=Labelling("score", 1))


def members_of(outputs: np.ndarray) -> list[Member]:
    return [Member(str(place), one) for place, one in enumerate(outputs)]


def test_the_mean_of_sigmoids() -> None:
    draw = np.random.default_rng(0)
    logits, weights = 30 * draw.standard_normal((3, 50, 4)), np.array([1.0, 0.0, 3.0])
    found = expit(weighted_sigmoids(logits, weights))
    np.testing.assert_allclose(found, np.average(expit(logits), axis=0, weights=weights), rtol=1e-12, atol=1e-300)
    same = np.stack([logits[0]] * 3)
    assert (weighted_sigmoids(same, np.ones(3)) == logits[0]).all()


@pytest.mark.parametrize("metric", ["f1_micro", "f1_macro", "subset_accuracy", "auc", "average_precision", "log_loss"])
def test_members_that_are_wrong_elsewhere_gain_together(metric: str) -> None:
    logits, rows = several(np.random.default_rng(1), metric)
    found = ensembles(members_of(logits), rows, choice=Choice(5, n_picks=8), n_draws=200)
    assert [method for method, _ in found.left_out] == [Method.RANKS]
    assert {one.method for one in found.found} == set(Method) - {Method.RANKS}
    for one in found.found:
        assert one.nested.gain > 0
        assert one.nested.interval is not None
        assert one.nested.interval[0] < one.nested.gain < one.nested.interval[1]


def test_the_naive_score_is_that_of_the_mean() -> None:
    logits, rows = several(np.random.default_rng(2))
    found = ensembles(members_of(logits), rows, [Method.PROBABILITIES], choice=Choice(None), n_draws=50).found[0]
    mean = expit(logits).mean(axis=0) > 0.5
    assert found.naive.score == pytest.approx(metrics.f1_score(rows.labels, mean, average="micro"))


@pytest.mark.parametrize("metric", ["rmse", "mae", "pearson", "spearman"])
def test_numbers_that_are_off_elsewhere_gain_together(metric: str) -> None:
    said, rows = numbers(np.random.default_rng(3), metric)
    found = ensembles(members_of(said), rows, choice=Choice(None, n_picks=8), n_draws=200)
    assert dict(found.left_out) == {Method.LOGITS: WhyNot.NO_LOGITS, Method.RANKS: WhyNot.NO_RANKING}
    assert all(one.nested.gain > 0 for one in found.found)
    plain = found.found[0]
    if metric == "rmse":
        mean = said.mean(axis=0)[:, 0]
        assert plain.naive.score == pytest.approx(metrics.root_mean_squared_error(rows.labels, mean))


@pytest.mark.parametrize("make", [several, numbers])
def test_folds_of_a_study(make) -> None:
    outputs, rows = make(np.random.default_rng(4))
    found = ensembles(members_of(outputs), replace(rows, folds=np.arange(N_ROWS) % 4), n_draws=50)
    assert (found.n_folds, found.has_folds) == (4, True)


def test_equal_members_come_out_as_they_went_in() -> None:
    said, _ = numbers(np.random.default_rng(5))
    same = np.stack([said[0]] * 3)
    assert (Mixture.by(Method.PROBABILITIES, same, kind="score").of([1, 1, 1]) == said[0]).all()


def test_ranks_are_of_two_classes() -> None:
    rows = JudgedRows(np.zeros((3, 2)), "auc", labelling=Labelling("multilabel", 2))
    assert why_not(Method.RANKS, rows) is WhyNot.NO_RANKING
    assert why_not(Method.RANKS, JudgedRows(np.zeros(3), "average_precision")) is None
