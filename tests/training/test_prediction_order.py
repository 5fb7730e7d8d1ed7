"""Pairs predicted in both orders: the mean of two trials that read one each, and the same whichever text is first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridsearch.encoders.load import EncoderWeights
from gridsearch.planning.cost_groups import cost_of
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.metrics import score
from gridsearch.tasks.task import Split, Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.prepared import prepare
from gridsearch.trial import Outcome
from tests.fixtures_core import ON_CPU, numbers_of, reads, recipe_of, run_trial, slow, trial_of
from tests.liveness_cases import pairs_of

UNCUT = 64
"""So that both orders have the same words: a training step on another vocabulary may round otherwise."""


def turned(split: Split) -> Split:
    assert split.pairs is not None
    return replace(split, texts=split.pairs, pairs=split.texts)


@pytest.fixture(scope="module")
def pairs(task: Task) -> Task:
    """Return pairs to train on, to select on and to test on, the last of them without a second text."""
    found = pairs_of(task)
    test = pairs_of(replace(task, dev=task.test or task.dev)).dev
    assert test.pairs is not None
    return replace(found, test=replace(test, pairs=(*test.pairs[:-1], "")))


@pytest.fixture(scope="module")
def other_way_round(pairs: Task) -> Task:
    assert pairs.test is not None
    return replace(pairs, dev=turned(pairs.dev), test=turned(pairs.test))


def logits_of(outcome: Outcome) -> list[np.ndarray]:
    part = outcome.parts["task"]
    assert part.test_logits is not None
    return [part.dev_logits, part.test_logits]


Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def run(encoder: EncoderWeights, tokenizer: Any) -> Run:
    def finetuned(task: Task, *, max_length: int = UNCUT, execution: Execution = ON_CPU, **knobs: Any) -> Outcome:
        recipe = {"schedule": "constant", "selection": "last", "max_length": max_length, "batch_size": 4, **knobs}
        data = encode_task(task, tokenizer, *reads(recipe_of(**recipe)))
        return run_trial(encoder, data, execution=execution, **recipe)

    return finetuned


@pytest.mark.parametrize(
    ("knobs", "execution"),
    [
        ({}, ON_CPU),
        slow({"pooling": "segments", "frozen_layers": 2}, ON_CPU),
        slow({"pooling": "first_last_avg_unmasked", "cooccurrence": "embedding", "ema_decay": 0.5}, ON_CPU),
        slow({"token_types": "zeros", "multi_sample_dropout": 3}, replace(ON_CPU, micro_batch_divisor=2)),
        slow({"precision": "bf16", "adversarial": "fgm"}, ON_CPU),
    ],
    ids=str,
)
def test_it_is_the_mean_of_two_trials(
    knobs: dict[str, Any], execution: Execution, run: Run, pairs: Task, other_way_round: Task
) -> None:
    """After every epoch, on dev and on test; and nothing else is trained."""
    keeping = replace(execution, keep_weights=True)
    both = run(pairs, execution=keeping, epochs=2, prediction_order="both", **knobs)
    for epoch in (1, 2):
        one, other = (run(task, execution=keeping, epochs=epoch, **knobs) for task in (pairs, other_way_round))
        means = [(first + second) / 2 for first, second in zip(logits_of(one), logits_of(other), strict=True)]
        assert score(np.asarray(pairs.dev.labels), means[0]) == both.epochs[epoch - 1].dev["task"]
        assert both.epochs[epoch - 1].train_loss == one.epochs[-1].train_loss
    for found, mean, first in zip(logits_of(both), means, logits_of(one), strict=True):
        np.testing.assert_array_equal(found, mean)
        assert not np.array_equal(found, first)
    assert both.weights == one.weights == other.weights


@pytest.mark.slow  # 1.0 s
@pytest.mark.parametrize("knobs", [{}, {"pooling": "segments", "cooccurrence": "add_scalar"}, {"frozen_layers": 4}])
@pytest.mark.parametrize("max_length", [UNCUT, 13])
def test_which_text_is_first_changes_nothing(
    knobs: dict[str, Any], max_length: int, run: Run, pairs: Task, other_way_round: Task
) -> None:
    asked = {"prediction_order": "both", "max_length": max_length, "epochs": 1, **knobs}
    one, other = run(pairs, **asked), run(other_way_round, **asked)
    assert numbers_of(one) == numbers_of(other)
    assert numbers_of(one) != numbers_of(run(pairs, **{**asked, "prediction_order": "as_is"}))


def test_single_texts_have_one_order(task: Task, tokenizer: Any, encoder: EncoderWeights) -> None:
    """Where a design runs what cannot act all the same, for the noise."""
    data = encode_task(task, tokenizer, UNCUT, "both")
    assert data.splits.keys() == {"train", "dev", "test"}
    assert numbers_of(run_trial(encoder, data, epochs=1)) == numbers_of(
        run_trial(encoder, data, epochs=1, prediction_order="both")
    )


@pytest.fixture(scope="module")
def encoded(pairs: Task, tokenizer: Any) -> EncodedTask:
    return encode_task(pairs, tokenizer, UNCUT, "both")


def test_some_rows_are_predicted_as_among_all(encoded: EncodedTask, encoder: EncoderWeights) -> None:
    """So is the time of an evaluation measured."""
    prepared = prepare(trial_of(prediction_order="both", max_length=UNCUT), encoded, encoder, ON_CPU)
    rows, dev, n_predicted = np.array([5, 0, 3]), prepared.data.dev, []
    prepared.model.register_forward_hook(lambda model, given, logits: n_predicted.append(logits.shape[1]))
    some = prepared.predict(dev.take(rows))
    assert sum(n_predicted) == 6
    np.testing.assert_allclose(some, prepared.predict(dev)[rows], rtol=1e-4, atol=1e-6)
    assert cost_of(recipe_of(prediction_order="both")) != cost_of(recipe_of())


def test_no_split_is_left_out(encoded: EncodedTask) -> None:
    names = ["train", "dev", "dev turned", "test", "test turned"]
    assert list(encoded.splits) == names
    seen: list[str] = []
    changed = encoded.with_splits(lambda name, split: seen.append(name) or replace(split, types=None))  # type: ignore[func-returns-value]
    assert sorted(seen) == sorted(names)
    assert all(split.types is None for split in changed.splits.values())


@pytest.mark.parametrize(
    ("knobs", "carried"),
    [
        ({}, ()),
        ({"pooling": "segments"}, ("sides",)),
        ({"cooccurrence": "embedding"}, ("cooccurrence",)),
        ({"pooling": "segments", "cooccurrence": "add_scalar"}, ("sides", "cooccurrence")),
    ],
    ids=str,
)
def test_batches_carry_of_pairs_what_is_read(
    knobs: dict[str, Any], carried: tuple[str, ...], encoded: EncodedTask, encoder: EncoderWeights
) -> None:
    prepared = prepare(trial_of(max_length=UNCUT, **knobs), encoded, encoder, ON_CPU)
    batches: list[set[str]] = []
    prepared.model.register_forward_pre_hook(lambda model, given: batches.append(set(given[0])))
    prepared.steps.run_epoch(1)
    prepared.predict(prepared.data.dev)
    assert {name for batch in batches for name in batch & {"sides", "cooccurrence"}} == {*carried}
    assert len({frozenset(batch & {"sides", "cooccurrence"}) for batch in batches}) == 1


def test_a_trial_that_is_retried_with_smaller_batches_reads_both_orders(
    encoded: EncodedTask, encoder: EncoderWeights
) -> None:
    trial = trial_of(prediction_order="both", max_length=UNCUT, epochs=1)
    whole, halved = (finetune(trial, encoded, encoder, replace(ON_CPU, micro_batch_divisor=n)) for n in (1, 2))
    for one, other in zip(logits_of(whole), logits_of(halved), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
