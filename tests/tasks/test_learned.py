"""Whether a run has learned: what guesses reach, and what is said of runs within and above it."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsearch.tasks.learned import Guess, below_the_others, guess_on, same_label, why_not_learned
from gridsearch.tasks.metrics import score
from gridsearch.trial import Metrics

CHANCE = math.log(2)


def scores(labels: np.ndarray, predicted: np.ndarray, n_labels: int = 2) -> dict[str, float]:
    return score(labels, np.eye(n_labels)[predicted] * 3)


def why(labels: np.ndarray, predicted: np.ndarray, losses: list[float], metric: str = "accuracy") -> str:
    counts = np.bincount(labels, minlength=2).tolist()
    dev = scores(labels, predicted)
    alike = same_label(np.bincount(predicted, minlength=2).tolist())
    return why_not_learned(dev, alike, losses, CHANCE, guess_on(metric, counts))


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "f1_micro", "f1_weighted", "f1_binary", "matthews"])
@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.97, 0.03], [0.2, 0.3, 0.5]])
def test_guesses_stay_within_their_bound(metric: str, shares: list[float]) -> None:
    """By its share, evenly, or always the commonest: 39 of 40 guesses, and no bound is far above them."""
    n_labels, stream = len(shares), np.random.default_rng(7)
    if metric == "f1_binary" and n_labels > 2:
        return
    labels = np.repeat(np.arange(n_labels), [round(300 * share) for share in shares])
    guess = guess_on(metric, np.bincount(labels).tolist())
    best = []
    for q in (shares, [1 / n_labels] * n_labels, np.eye(n_labels)[np.argmax(shares)]):
        values = [scores(labels, stream.choice(n_labels, len(labels), p=q), n_labels)[metric] for _ in range(12)]
        assert np.mean([value > guess.bound for value in values]) <= 0.25
        best.append(np.quantile(values, 0.975))
    top = 2 * 0.5 / 1.5 if metric == "f1_binary" else 0.0
    assert guess.bound <= max(*best, top) + 0.13


def test_a_guess_of_ranks_and_of_probabilities() -> None:
    stream = np.random.default_rng(0)
    labels = np.repeat([0, 1], [240, 60])
    auc, loss = guess_on("auc", [240, 60]), guess_on("log_loss", [240, 60])
    found = [score(labels, stream.normal(size=(300, 2)) * 0.01 + np.log([0.8, 0.2])) for _ in range(40)]
    assert np.mean([auc.reaches(one) for one in found]) > 0.95
    assert np.mean([loss.reaches(one) for one in found]) > 0.95
    assert auc.bound < 0.6
    assert loss.bound > 0.43


def test_a_constant_prediction_is_none() -> None:
    labels = np.repeat([0, 1], [50, 50])
    assert why(labels, np.zeros(100, dtype=int), [0.1]) == "every dev row gets the same label"


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "f1_weighted", "matthews"])
def test_rare_labels_that_are_found_are_learned(metric: str) -> None:
    """97 % of one label: nearly all rows get it, rightly; Matthews correlation .56, training loss above ln 2."""
    labels = np.repeat([0, 1], [388, 12])
    predicted = np.repeat([0, 1, 0, 1], [383, 5, 5, 7])
    assert scores(labels, predicted)["matthews"] > 0.5
    assert why(labels, predicted, [0.9, 0.8], metric) == ""


def test_a_nearly_constant_prediction_that_finds_nothing() -> None:
    labels = np.repeat([0, 1], [388, 12])
    predicted = np.where(np.arange(400) < 9, 1, 0)
    assert why(labels, predicted, [0.1]) == "all but 9 of 400 dev rows get the same label"


def test_an_area_is_learned_though_no_row_passes_the_threshold() -> None:
    labels = np.repeat([0, 1], [90, 10])
    logits = np.stack([np.full(100, 5.0), np.linspace(0, 1, 100)], axis=1)
    dev = score(labels, logits)
    assert dev["auc"] == 1.0
    assert why_not_learned(dev, same_label([100, 0]), [0.3], CHANCE, guess_on("auc", [90, 10])) == ""
    assert why_not_learned(dev, same_label([100, 0]), [0.3], CHANCE, guess_on("accuracy", [90, 10])) != ""


@pytest.mark.parametrize(("losses", "flagged"), [([0.8, 0.7], True), ([0.8, 0.69], False), ([0.69, 0.8], False)])
def test_the_training_loss_of_a_run_at_chance(losses: list[float], flagged: bool) -> None:
    labels, predicted = np.arange(100) % 2, np.arange(100) // 2 % 2
    said = "the training loss never fell below that of an even guess, 0.693" if flagged else ""
    assert why(labels, predicted, losses) == said


def results(*values: float) -> dict[str, dict[str, float]]:
    return {f"trial {value}": {"accuracy": value, "matthews": 2 * max(0.0, value - 0.5)} for value in values}


def below(found: Mapping[str, Metrics], guess: Guess) -> dict[str, str]:
    """Of a single task."""
    return below_the_others({trial: {"task": dev} for trial, dev in found.items()}, {"task": guess})


def test_a_run_at_chance_beside_others_above_it() -> None:
    """Seven labels, 700 rows."""
    guess = guess_on("accuracy", [100] * 7)
    found = {"low": {"accuracy": 0.14, "matthews": 0.01}, "high": {"accuracy": 0.64, "matthews": 0.58}}
    assert below(found, guess) == {
        "low": f"accuracy on dev is no better than what a guess reaches, {guess.bound:.3f}, and that of others is"
    }


def test_where_all_are_at_chance_none_is_below_the_others() -> None:
    assert below(results(0.5, 0.52, 0.53, 0.53), guess_on("accuracy", [100, 100])) == {}


def test_a_run_that_learned_one_of_several_parts_has_learned() -> None:
    guesses = {"topic": guess_on("accuracy", [100, 100]), "mood": guess_on("accuracy", [100] * 7)}
    good, bad = {"accuracy": 0.8, "matthews": 0.6}, {"accuracy": 0.14, "matthews": 0.0}
    found = {
        "both": {"topic": good, "mood": {"accuracy": 0.6, "matthews": 0.5}},
        "one": {"topic": good, "mood": bad},
        "none": {"topic": bad, "mood": bad},
    }
    bounds = f"topic accuracy {guesses['topic'].bound:.3f}, mood accuracy {guesses['mood'].bound:.3f}"
    said = f"no part is better on dev than what a guess reaches ({bounds}), and some of others are"
    assert below_the_others(found, guesses) == {"none": said}
    assert below_the_others({"none": found["none"]}, guesses) == {}


def test_a_small_dev_set_does_not_make_good_runs_bad() -> None:
    """Of 50 rows, 33 of one label, a guess reaches .8; a run at .78 that tells the labels apart has learned."""
    guess = guess_on("accuracy", [33, 17])
    assert guess.bound > 0.78
    assert below({"a": {"accuracy": 0.78, "matthews": 0.5}, "b": {"accuracy": 0.9, "matthews": 0.8}}, guess) == {}


def test_lower_is_better() -> None:
    guess = guess_on("log_loss", [100, 100])
    assert 0.6 < guess.bound < math.log(2)
    assert below({"a": {"log_loss": 0.7}, "b": {"log_loss": 0.3}}, guess).keys() == {"a"}


@settings(max_examples=25)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=6).filter(lambda counts: sum(counts) > 1))
def test_every_split_has_a_bound(counts: list[int]) -> None:
    """Absent labels and splits of one label too."""
    names = ["accuracy", "f1_macro", "f1_micro", "f1_weighted", "matthews", "log_loss"]
    for name in [*names, "f1_binary", "auc"] if len(counts) == 2 else names:
        assert math.isfinite(guess_on(name, counts).bound)
