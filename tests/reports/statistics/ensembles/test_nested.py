"""Gains: chosen and scored on different rows, so that what is luck is none; the interval holds what it should."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from gridsearch.tasks.learned import guess_on
from gridsearch.tasks.metrics import score
from reports.statistics.ensembles.choosing import Choice
from reports.statistics.ensembles.mixing import Mixture
from reports.statistics.ensembles.nested import choosers, ensembles, outer_folds
from reports.statistics.ensembles.results import Ensembled, JudgedRows, Member, Method, Verdict, WhyNot
from tests.reports.statistics.ensembles.simulated import as_logits, half_solved, members_of, pure_noise, unequal

QUICK = Choice(5, n_picks=12)


def scored(rows: JudgedRows, logits: np.ndarray) -> float:
    """The metric; an auc of a study of folds is the mean over these."""
    if rows.metric != "auc" or rows.folds is None:
        return score(rows.labels, logits)[rows.metric]
    own = [rows.folds == fold for fold in np.unique(rows.folds)]
    return float(np.average([score(rows.labels[one], logits[one])["auc"] for one in own], weights=[*map(sum, own)]))


def by_method(members: list[Member], rows: JudgedRows, **said: object) -> dict[Method, Ensembled]:
    return {one.method: one for one in ensembles(members, rows, **{"n_draws": 50, **said}).found}  # type: ignore[arg-type]


def some(metric: str = "auc", n_rows: int = 200, n_members: int = 7) -> tuple[list[Member], JudgedRows]:
    members, rows = unequal(np.random.default_rng(5), n_members, n_rows)
    folds = np.random.default_rng(6).integers(3, size=n_rows)
    return members, replace(rows, metric=metric, folds=folds)


class TestWhatIsChosen:
    @pytest.mark.slow  # many ensembles, drawn at random
    @pytest.mark.parametrize("metric", ["accuracy", "auc", "log_loss"])
    @given(fold=st.integers(0, 2), seed=st.integers(0, 1000))
    @settings(max_examples=8)
    def test_never_hangs_on_the_labels_of_the_rows_that_are_scored(self, metric: str, fold: int, seed: int) -> None:
        members, rows = some(metric, n_rows=90)
        own = np.flatnonzero(rows.folds == fold)
        labels = rows.labels.copy()
        labels[own] = np.random.default_rng(seed).permutation(labels[own])
        before = by_method(members, rows, choice=QUICK)
        after = by_method(members, replace(rows, labels=labels), choice=QUICK)
        for method, found in before.items():
            assert after[method].by_fold[fold] == found.by_fold[fold]
            assert after[method].by_fold[(fold + 2) % 3] == found.by_fold[(fold + 2) % 3]

    def test_the_best_on_the_rows_that_choose(self) -> None:
        members, rows = some()
        found = by_method(members, rows, choice=Choice(3))
        for fold in range(3):
            others = rows.folds == (fold - 1) % 3
            scores = [score(rows.labels[others], one.judged[others])["auc"] for one in members]
            ranked = sorted(range(len(members)), key=lambda place: -scores[place])
            for method in (Method.PROBABILITIES, Method.LOGITS, Method.RANKS):
                chosen = found[method].by_fold[fold]
                assert chosen.single == ranked[0]
                assert np.flatnonzero(chosen.weights).tolist() == sorted(ranked[:3])
            bound = guess_on("auc", np.bincount(rows.labels[others]).tolist()).bound
            assert found[Method.WEIGHTED].by_fold[fold].weights == pytest.approx(
                [max(0.0, one - bound) for one in scores]
            )

    def test_members_that_are_named_are_all_there(self) -> None:
        members, rows = some()
        found = by_method(members, rows, choice=Choice(None))
        assert found[Method.PROBABILITIES].final.weights == (1.0,) * 7
        assert all(one.weights == (1.0,) * 7 for one in found[Method.LOGITS].by_fold)

    def test_members_that_are_no_better_than_a_guess_count_alike(self) -> None:
        members, rows = pure_noise(np.random.default_rng(0), 3, 100)
        worst = [Member(one.name, -np.abs(one.judged) * np.eye(2)[rows.labels]) for one in members]  # type: ignore[arg-type]
        assert by_method(worst, rows)[Method.WEIGHTED].final.weights == (1.0, 1.0, 1.0)

    def test_only_the_best_are_picked_from(self) -> None:
        draw = np.random.default_rng(2)
        labels = draw.integers(2, size=80)
        good = np.stack([2.0 * np.eye(2)[labels] + draw.normal(size=(80, 2)) for _ in range(20)])
        bad = -5.0 * np.eye(2)[labels] + draw.normal(size=(4, 80, 2))
        found = by_method(members_of(np.concatenate([bad, good])), JudgedRows(labels, "log_loss"))
        assert not any(found[Method.GREEDY].final.weights[:4])


class TestScores:
    @pytest.mark.parametrize("metric", ["accuracy", "auc", "log_loss", "f1_macro"])
    def test_nested_predictions_are_put_together_and_scored_once(self, metric: str) -> None:
        members, rows = some(metric)
        chances = softmax(np.stack([one.judged for one in members]), axis=2)  # type: ignore[misc]
        for method, found in by_method(members, rows).items():
            if method is Method.RANKS:
                continue
            logits, single = np.zeros((200, 2)), np.zeros((200, 2))
            for fold, chosen in enumerate(found.by_fold):
                own = rows.folds == fold
                weights = np.array(chosen.weights)
                if method is Method.LOGITS:
                    logits[own] = np.average(np.log(chances[:, own]), axis=0, weights=weights)
                else:
                    logits[own] = np.log(np.average(chances[:, own], axis=0, weights=weights))
                single[own] = members[chosen.single].judged[own]  # type: ignore[index]
            values = [scored(rows, one) for one in (logits, single)]
            assert (found.nested.score, found.nested.single) == pytest.approx(values), method
            sign = -1 if metric == "log_loss" else 1
            assert found.nested.gain == pytest.approx(sign * (values[0] - values[1]))

    def test_a_scale_of_its_own_in_each_fold_is_no_gain_to_mend(self) -> None:
        """What moves all of a fold's rows by the same is no better order of them."""
        members, rows = some()
        shifts = np.random.default_rng(3).normal(scale=4.0, size=(len(members), 3))
        moved = [
            replace(one, judged=one.judged + np.stack([-by[rows.folds], by[rows.folds]], axis=1))  # type: ignore[operator]
            for one, by in zip(members, shifts, strict=True)
        ]
        before, after = by_method(members, rows)[Method.LOGITS], by_method(moved, rows)[Method.LOGITS]
        assert after.nested.score == pytest.approx(before.nested.score)
        assert after.nested.gain == pytest.approx(before.nested.gain)
        assert after.nested.interval == pytest.approx(before.nested.interval)

    def test_ranks_are_within_what_one_model_predicts(self) -> None:
        members, rows = some()
        found = by_method(members, rows)[Method.RANKS]
        ensemble = np.zeros(200)
        for fold, chosen in enumerate(found.by_fold):
            own = np.flatnonzero(rows.folds == fold)
            for place in np.flatnonzero(chosen.weights):
                margins = np.diff(members[place].judged[own], axis=1)[:, 0]  # type: ignore[index]
                ensemble[own] += 1 + np.argsort(np.argsort(margins))
            ensemble[own] /= len(own)
        logits = np.stack([np.zeros(200), ensemble], axis=1)
        assert found.nested.score == pytest.approx(scored(rows, logits))

    def test_naive_ones_are_those_of_the_final_ensemble(self) -> None:
        members, rows = some()
        for method, found in by_method(members, rows).items():
            if method is not Method.RANKS:
                logits = np.stack([one.judged for one in members])  # type: ignore[misc]
                own = scored(rows, Mixture.by(method, logits).of(found.final.weights))
                assert found.naive.score == pytest.approx(own)
                assert found.naive.single == pytest.approx(scored(rows, logits[found.final.single]))

    @pytest.mark.parametrize("metric", ["accuracy", "auc", "log_loss"])
    def test_equal_members_gain_nothing_at_all(self, metric: str) -> None:
        members, rows = some(metric)
        equal = [replace(members[0], name=str(number)) for number in range(6)]
        for found in by_method(equal, rows).values():
            assert found.nested.gain == found.naive.gain == 0
            assert found.nested.interval == (0, 0)
            assert found.nested.verdict is Verdict.NONE

    def test_a_gain_and_a_loss_are_told(self) -> None:
        draw = np.random.default_rng(0)
        labels = draw.integers(2, size=2000)
        sides = np.where(labels == 1, 1.0, -1.0)
        good = sides + 1.5 * draw.normal(size=(5, 2000))
        found = by_method(members_of(np.stack([-good, good], axis=2)), JudgedRows(labels, "accuracy"))
        assert found[Method.PROBABILITIES].nested.verdict is Verdict.GAIN
        bad = np.concatenate([good[:1], -3 * good[1:3]])
        named = by_method(
            members_of(np.stack([-bad, bad], axis=2)), JudgedRows(labels, "accuracy"), choice=Choice(None)
        )
        assert named[Method.PROBABILITIES].nested.verdict is Verdict.LOSS
        assert named[Method.PROBABILITIES].nested.gain < 0
        losses = by_method(members_of(np.stack([-good, good], axis=2)), JudgedRows(labels, "log_loss"))
        assert losses[Method.PROBABILITIES].nested.gain > 0
        assert losses[Method.PROBABILITIES].nested.score < losses[Method.PROBABILITIES].nested.single

    def test_the_interval_is_that_of_rows_drawn_within_folds(self) -> None:
        members, rows = some("accuracy")
        found = by_method(members, rows, n_draws=2000)[Method.GREEDY]
        right = np.zeros((2, 200))
        chances = softmax(np.stack([one.judged for one in members]), axis=2)  # type: ignore[misc]
        for fold, chosen in enumerate(found.by_fold):
            own = rows.folds == fold
            mixed = np.average(chances[:, own], axis=0, weights=np.array(chosen.weights))
            for place, one in enumerate((mixed, chances[chosen.single][own])):
                right[place, own] = one.argmax(axis=1) == rows.labels[own]
        draw, gains = np.random.default_rng(9), right[0] - right[1]
        strata = [gains[rows.folds == fold] for fold in range(3)]
        drawn = [sum(draw.choice(one, len(one)).sum() for one in strata) / 200 for _ in range(4000)]
        assert found.nested.interval == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.008)


class TestWhatCannotBe:
    def test_too_few_members(self) -> None:
        members, rows = some()
        assert ensembles(members[:1], rows).why_not is WhyNot.TOO_FEW
        for_test = Member("zzdu", None, np.zeros((3, 2)))
        assert ensembles([members[0], for_test], rows).why_not is WhyNot.TOO_FEW

    def test_an_undefined_metric(self) -> None:
        members, rows = some()
        assert ensembles(members, replace(rows, labels=np.zeros(200, dtype=int))).why_not is WhyNot.ONE_LABEL

    def test_ranks_of_what_is_no_ranking(self) -> None:
        found = ensembles(*some("accuracy"), n_draws=10)
        assert found.left_out == ((Method.RANKS, WhyNot.NO_RANKING),)
        assert Method.RANKS not in [one.method for one in found.found]

    def test_logits_that_are_no_numbers_count_as_equal_evidence(self) -> None:
        """Ledgers of older versions may hold some."""
        members, rows = some()
        members[0] = replace(members[0], judged=np.full((200, 2), np.nan))
        assert all(np.isfinite(one.nested.score) for one in by_method(members, rows).values())


@given(st.integers(3, 12))
def test_no_two_folds_choose_for_each_other(n_folds: int) -> None:
    """And of any two, one does: as many rows as can be are chosen on."""
    before = choosers(n_folds)
    for fold in range(n_folds):
        assert fold not in before[fold]
        assert all((other in before[fold]) + (fold in before[other]) == 1 for other in range(n_folds) if other != fold)


def test_two_folds_are_cut_in_two() -> None:
    members, rows = some()
    folds = rows.folds % 2  # type: ignore[operator]
    found = ensembles(members, replace(rows, folds=folds), n_draws=10)
    assert (found.n_folds, found.has_folds) == (4, True)
    assert all(len(one.by_fold) == 4 for one in found.found)


@given(st.lists(st.integers(0, 3), min_size=5, max_size=60), st.integers(0, 5))
def test_rows_without_folds_are_divided_evenly(labels: list[int], seed: int) -> None:
    folds = outer_folds(np.array(labels), seed)
    sizes = np.bincount(folds, minlength=5)
    assert sizes.max() - sizes.min() <= 1
    for label in set(labels):
        held = np.bincount(folds[np.array(labels) == label], minlength=5)
        assert held.max() - held.min() <= 1


def gains_of(make, n: int, n_members: int, n_rows: int, choice: Choice) -> tuple[np.ndarray, np.ndarray]:
    """Greedy selection's nested and naive gains over many simulations."""
    found = []
    for seed in range(n):
        members, rows = make(np.random.default_rng(seed), n_members, n_rows)
        (one,) = ensembles(members, rows, [Method.GREEDY], choice=choice, n_draws=1, seed=seed).found
        found.append((one.nested.gain, one.naive.gain))
    nested, naive = np.array(found).T
    return nested, naive


def assert_honest(nested: np.ndarray, naive: np.ndarray) -> None:
    error = nested.std(ddof=1) / np.sqrt(len(nested))
    assert abs(nested.mean()) < 2.5 * error
    assert naive.mean() > 5 * naive.std(ddof=1) / np.sqrt(len(naive))


@pytest.mark.slow  # 5 s
@pytest.mark.parametrize("make", [half_solved, pure_noise])
def test_of_equal_members_nothing_is_gained(make) -> None:
    assert_honest(*gains_of(make, 60, 8, 150, QUICK))


@pytest.mark.long  # 400 simulations of the usual size; the slow test has 60 small ones
@pytest.mark.parametrize("make", [half_solved, pure_noise])
def test_of_equal_members_nothing_is_gained_in_400(make) -> None:
    assert_honest(*gains_of(make, 400, 20, 500, Choice(5)))


@cache
def fresh(n_members: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows as `unequal` makes them, so many that they tell the truth: probabilities of label 1, and labels."""
    members, rows = unequal(np.random.default_rng(10**6), n_members, 150_000)
    return np.stack([softmax(one.judged, axis=1)[:, 1] for one in members]), rows.labels


def true_gain(found: Ensembled, sizes: np.ndarray) -> float:
    """The gain of what was chosen for each fold, on new rows."""
    chances, labels = fresh(len(found.final.weights))

    def right(weights: Sequence[float]) -> float:
        return float(((np.average(chances, axis=0, weights=np.array(weights)) > 0.5) == labels).mean())

    return float(np.average([right(one.weights) - right(one.alone) for one in found.by_fold], weights=sizes))


def covered(n: int, n_rows: int) -> float:
    held = []
    for seed in range(n):
        members, rows = unequal(np.random.default_rng(seed), 6, n_rows)
        (found,) = ensembles(members, rows, [Method.GREEDY], choice=QUICK, n_draws=500, seed=seed).found
        sizes = np.bincount(outer_folds(rows.labels, seed))
        assert found.nested.interval is not None
        low, high = found.nested.interval
        held.append(low <= true_gain(found, sizes) <= high)
    return float(np.mean(held))


@pytest.mark.slow  # 5 s
def test_the_interval_holds_the_true_gain() -> None:
    """95 % of 60 are 57."""
    assert covered(60, 300) >= 0.87


@pytest.mark.long  # with more simulations
def test_the_interval_holds_the_true_gain_in_400() -> None:
    assert 0.91 <= covered(400, 400) <= 0.98


def test_a_probability_of_a_file_comes_back() -> None:
    chances = np.array([0.25, 0.5, 0.99])
    np.testing.assert_allclose(softmax(as_logits(chances), axis=1)[:, 1], chances)
