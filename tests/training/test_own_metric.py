"""Trials that are judged by a function of the user's own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.judging.judge import probabilities
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.judging.with_metric import with_metric
from gridsearch.tasks.task import Task
from gridsearch.training.materials import Materials, OnDemand
from gridsearch.training.worker import Job, Worker
from gridsearch.trial import Epoch, Failure, retry_after
from tests.fixtures_core import MAX_LENGTH, ON_CPU, numbers_of_part, run_trial, trial_of


def judged(task: Task, tokenizer: Any, function: Callable[..., Any]) -> EncodedTask:
    return encode_task(with_metric(task, OwnMetric(function, "own", "1")), tokenizer, MAX_LENGTH)


def test_the_epoch_is_the_one_that_is_best_by_it(
    encoder: EncoderWeights, task: Task, tokenizer: Any, data: EncodedTask
) -> None:
    """As by hand from what each epoch said; the F1 would choose another."""
    heard: list[np.ndarray] = []

    def surest(truth: np.ndarray, said: np.ndarray) -> float:
        heard.append(said)
        return float(said.max(axis=1).mean())

    asked = judged(task, tokenizer, surest)
    heard.clear()
    outcome = run_trial(encoder, asked)
    by_hand = [said.max(axis=1).mean() for said in heard[:3]]
    assert [epoch.dev["task"]["own"] for epoch in outcome.epochs] == by_hand
    plain = run_trial(encoder, data)
    assert outcome.chosen_epoch == 1 + int(np.argmax(by_hand)) != plain.chosen_epoch
    part = outcome.parts["task"]
    np.testing.assert_array_equal(probabilities(part.dev_logits, "class"), heard[outcome.chosen_epoch - 1])
    assert part.dev["own"] == max(by_hand)
    assert part.test is not None
    assert part.test_logits is not None
    assert part.test["own"] == probabilities(part.test_logits, "class").max(axis=1).mean()


def test_by_the_same_metric_everything_is_as_it_was(
    encoder: EncoderWeights, task: Task, tokenizer: Any, data: EncodedTask
) -> None:
    def log_loss(truth: np.ndarray, said: np.ndarray) -> float:
        return float(np.log(said[np.arange(len(truth)), truth]).mean())

    part = encode_task(replace(task, metric="log_loss"), tokenizer, MAX_LENGTH)
    plain, own = run_trial(encoder, part), run_trial(encoder, judged(task, tokenizer, log_loss))
    assert own.chosen_epoch == plain.chosen_epoch
    assert own.not_learned == plain.not_learned == ""
    assert numbers_of_part(own.parts["task"])[2:] == numbers_of_part(plain.parts["task"])[2:]
    assert own.dev["task"]["own"] == pytest.approx(-plain.dev["task"]["log_loss"], rel=1e-5)


def test_where_it_fails_the_trial_has_failed(encoder: EncoderWeights, task: Task, tokenizer: Any) -> None:
    calls = []

    def later(truth: np.ndarray, said: np.ndarray) -> float:
        calls.append(1)
        if len(calls) > 3:  # two tries with random outputs, and an epoch
            raise KeyError("no such cost")
        return 0.0

    data = judged(task, tokenizer, later)
    worker = Worker(Materials(OnDemand(lambda identity: encoder), OnDemand(lambda view: data)))
    worker.begin(Job(trial_of(), ON_CPU))
    assert isinstance(worker.advance(), Epoch)
    failure = worker.advance()
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == (
        "code_error",
        "the metric own (version 1) raised KeyError: 'no such cost'",
    )
    assert 'raise KeyError("no such cost")' in failure.traceback
    assert retry_after([failure.kind]) is None


def test_no_trial_fails_for_training_rows_that_it_cannot_judge(
    encoder: EncoderWeights, task: Task, tokenizer: Any
) -> None:
    def of_few(truth: np.ndarray, said: np.ndarray) -> float:
        return 0.0 if len(truth) == 30 else float("nan")

    data = judged(task, tokenizer, of_few)
    outcome = run_trial(encoder, data, execution=replace(ON_CPU, train_metric=True), epochs=1)
    assert (outcome.dev["task"]["own"], outcome.parts["task"].train) == (0.0, None)
