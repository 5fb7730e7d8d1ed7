"""What guesses reach, of several labels and of numbers: luck alone is above it about once in 40 times."""

import numpy as np
import pytest

from gridsearch.tasks.judging.guesses import guess_of, said_alike
from gridsearch.tasks.judging.judge import measured
from gridsearch.tasks.judging.labelling import OF_NUMBERS, OF_SEVERAL_LABELS, Labelling
from tests.fixtures_core import slow

QUICKLY = ("f1_macro", "log_loss", "auc")
SEVERAL, NUMBERS = Labelling("multilabel", 4), Labelling("score", 1)


def several(stream: np.random.Generator, n_rows: int = 300) -> np.ndarray:
    return (stream.random((n_rows, 4)) < [0.5, 0.2, 0.1, 0.05]).astype(np.int8)


@pytest.mark.parametrize("metric", [name if name in QUICKLY else slow(name) for name in OF_SEVERAL_LABELS])
def test_guesses_of_several_labels(metric: str) -> None:
    stream, n_above = np.random.default_rng(0), 0
    for _ in range(60):
        truth = several(stream)
        guess = guess_of(metric, truth, SEVERAL)
        logits = np.log(truth.mean(axis=0) / (1 - truth.mean(axis=0))) + 0.01 * stream.normal(size=truth.shape)
        n_above += not guess.reaches(measured(truth, logits, SEVERAL))
    assert n_above <= 6


@pytest.mark.parametrize("metric", OF_NUMBERS)
def test_guesses_of_numbers(metric: str) -> None:
    stream, n_above = np.random.default_rng(1), 0
    for _ in range(200):
        truth = stream.normal(size=200)
        guess = guess_of(metric, truth, NUMBERS)
        n_above += not guess.reaches(measured(truth, 0.05 * stream.normal(size=(200, 1)), NUMBERS))
    assert n_above <= 14


@pytest.mark.parametrize("metric", OF_SEVERAL_LABELS)
def test_who_knows_is_above_a_guess_of_several_labels(metric: str) -> None:
    stream = np.random.default_rng(2)
    truth = several(stream)
    logits = 4.0 * truth - 2 + stream.normal(size=truth.shape)
    guess = guess_of(metric, truth, SEVERAL)
    assert not guess.explains(measured(truth, logits, SEVERAL))
    assert not guess.reaches(measured(truth, logits, SEVERAL))


@pytest.mark.parametrize("metric", OF_NUMBERS)
def test_who_knows_is_above_a_guess_of_numbers(metric: str) -> None:
    stream = np.random.default_rng(3)
    truth = stream.normal(size=200)
    found = measured(truth, truth[:, None] + 0.5 * stream.normal(size=(200, 1)), NUMBERS)
    assert not guess_of(metric, truth, NUMBERS).reaches(found)


def test_rows_that_are_told_alike() -> None:
    truth = several(np.random.default_rng(4), 100)
    nothing = np.full(truth.shape, -1.0)
    assert said_alike(truth, nothing, "multilabel") == "every dev row gets the same labels"
    nothing[0] = 1.0
    assert said_alike(truth, nothing, "multilabel") == "all but 1 of 100 dev rows get the same labels"
    assert said_alike(truth, 2.0 * truth - 1, "multilabel") == ""
    numbers = np.arange(100.0)
    assert said_alike(numbers, np.full((100, 1), 50.0), "score") == "every dev row gets nearly the same number"
    assert said_alike(numbers, numbers[:, None] / 2, "score") == ""
