"""Checkpoint ensembles: the mean of what a trial predicts after some of its epochs, and all that is kept of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from sklearn.metrics import f1_score

from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import DivergedError
from gridsearch.planning.cost_groups import cost_of
from gridsearch.tasks.encode import EncodedTask
from gridsearch.tasks.metrics import mean_of_probabilities, score
from gridsearch.tasks.task import Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import open_kept, predict_logits, save_weights
from gridsearch.training.prepared import Prepared
from gridsearch.training.steps import Steps
from gridsearch.trial import ONE_MODEL, Outcome
from tests.fixtures_core import N_LAYERS, ON_CPU, numbers_of, recipe_of, run_trial, slow, trial_of

KEEPING = Execution(device="cpu", keep_weights=True)
N_EPOCHS, BATCH = 4, 24


def logits_of(outcome: Outcome) -> list[np.ndarray]:
    part = outcome.parts["task"]
    assert part.test_logits is not None
    return [part.dev_logits, part.test_logits]


# --- against trials that end after each epoch


def each_epoch(encoder: EncoderWeights, data: EncodedTask, **knobs: Any) -> list[Outcome]:
    """Return what trials of one epoch, of two, and so on report of the last: of one course, as the rate is constant."""
    return [
        run_trial(encoder, data, **knobs, schedule="constant", batch_size=BATCH, selection="last", epochs=n)
        for n in range(1, N_EPOCHS + 1)
    ]


@pytest.mark.slow  # 19 s
@pytest.mark.parametrize(
    "knobs",
    [{}, slow({"ema_decay": 0.5, "frozen_layers": 1}), slow({"pooling": "cls", "precision": "bf16"})],
    ids=lambda knobs: " ".join(knobs) or "plain",
)
def test_it_is_the_mean_over_epochs(encoder: EncoderWeights, data: EncodedTask, knobs: Mapping[str, Any]) -> None:
    ends = each_epoch(encoder, data, **knobs)
    results = [end.epochs[-1].dev["task"]["f1_macro"] for end in ends]
    best = sorted(range(N_EPOCHS), key=lambda place: -results[place])  # Python's sort leaves equals in their order
    for n_averaged in range(1, N_EPOCHS + 1):
        for selection, averaged in (("best", best[:n_averaged]), ("last", range(N_EPOCHS)[-n_averaged:])):
            found = run_trial(
                encoder,
                data,
                **knobs,
                schedule="constant",
                batch_size=BATCH,
                epochs=N_EPOCHS,
                selection=selection,
                checkpoints=n_averaged,
            )
            assert [epoch.dev["task"] for epoch in found.epochs] == [end.epochs[-1].dev["task"] for end in ends]
            assert found.chosen_epoch == (best[0] if selection == "best" else N_EPOCHS - 1) + 1
            for place, logits in enumerate(logits_of(found)):
                means = np.mean(
                    [softmax(logits_of(ends[one])[place].astype(float), axis=1) for one in averaged], axis=0
                )
                np.testing.assert_allclose(softmax(logits.astype(float), axis=1), means, atol=1e-6)
            part = found.parts["task"]
            assert data.dev.labels is not None
            assert part.dev == score(data.dev.labels, part.dev_logits)
            predicted = part.dev_logits.argmax(axis=1)
            assert part.dev["f1_macro"] == pytest.approx(f1_score(data.dev.labels, predicted, average="macro"))
            if n_averaged == 1:
                for logits, of_end in zip(logits_of(found), logits_of(ends[averaged[0]]), strict=True):
                    np.testing.assert_array_equal(logits, of_end)


@pytest.mark.slow  # 1.9 s
def test_equal_epochs_go_to_the_earlier(encoder: EncoderWeights, data: EncodedTask) -> None:
    """At a rate of nothing every epoch is a tie: the first ones are averaged, and the mean is each of them."""
    knobs: dict[str, Any] = {"learning_rate": 1e-12, "epochs": 3}
    one, two = (run_trial(encoder, data, **knobs, checkpoints=n) for n in (1, 2))
    assert one.chosen_epoch == two.chosen_epoch == 1
    for logits, others in zip(logits_of(one), logits_of(two), strict=True):
        np.testing.assert_allclose(logits, others, atol=1e-6)


@pytest.mark.slow  # 2 s
def test_patience_counts_epochs_as_without_it(encoder: EncoderWeights, data: EncodedTask) -> None:
    """What has been run before patience ran out is averaged, however few that are."""
    knobs: dict[str, Any] = {"learning_rate": 1e-12, "epochs": 4, "patience": 1}
    one, all_run = (run_trial(encoder, data, **knobs, checkpoints=n) for n in (1, 4))
    assert len(one.epochs) == len(all_run.epochs) == 2
    two = run_trial(encoder, data, **knobs, checkpoints=2)
    assert numbers_of(two) == numbers_of(all_run)


@pytest.mark.slow  # 3 s
def test_smaller_batches_are_the_same_mean(encoder: EncoderWeights, data: EncodedTask) -> None:
    knobs: dict[str, Any] = {"checkpoints": 3, "selection": "last", "encoder_dropout": 0.0, "classifier_dropout": 0.0}
    whole, halved = (
        run_trial(encoder, data, execution=replace(ON_CPU, micro_batch_divisor=n), **knobs) for n in (1, 3)
    )
    for one, other in zip(logits_of(whole), logits_of(halved), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


# --- epochs that are not finite


@pytest.mark.parametrize("epoch", [2, slow(3)])
def test_an_epoch_that_is_not_finite_is_not_averaged(
    encoder: EncoderWeights, data: EncodedTask, epoch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_trial(encoder, data, schedule="constant", checkpoints=3, epochs=epoch - 1)
    run_epoch = Steps.run_epoch
    monkeypatch.setattr(
        Steps,
        "run_epoch",
        lambda steps, number, *more: math.nan if number == epoch else run_epoch(steps, number, *more),
    )
    found = run_trial(encoder, data, schedule="constant", checkpoints=3, epochs=3)
    assert found.diverged_in == epoch
    assert found.chosen_epoch == before.chosen_epoch
    for logits, others in zip(logits_of(found), logits_of(before), strict=True):
        np.testing.assert_array_equal(logits, others)
    with pytest.raises(DivergedError, match="selection = 'last' asks for the last epoch"):
        run_trial(encoder, data, schedule="constant", checkpoints=3, epochs=3, selection="last")


@pytest.mark.slow  # 2.0 s
def test_outputs_on_test_are_looked_at_after_every_epoch(
    encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of three breaks on test alone: the mean must not hide it."""
    assert data.test is not None
    small = replace(data, dev=data.dev.take(np.arange(20)), test=data.dev.take(np.arange(7)))
    predict, n_predicted = Prepared.predict, []

    def breaking(prepared: Prepared, split: Any, *more: Any) -> np.ndarray:
        logits = predict(prepared, split, *more)
        if len(split) == 7:
            n_predicted.append(1)
            logits[0, 0] = -math.inf if len(n_predicted) == 2 else logits[0, 0]
        return logits

    monkeypatch.setattr(Prepared, "predict", breaking)
    with pytest.raises(DivergedError, match="in epoch 2 of 3 the outputs on test are not finite, and it was chosen"):
        run_trial(encoder, small, checkpoints=3)


# --- kept


@pytest.mark.parametrize(
    "knobs",
    [
        slow({"checkpoints": 2}),
        {"checkpoints": 3, "selection": "last", "frozen_layers": 2, "head": "mlp", "head_width": 16},
        slow({"checkpoints": 2, "ema_decay": 0.5, "weight_decay": 0.1, "bert_adam": True}),
    ],
    ids=str,
)
def test_kept_weights_predict_the_same_mean(
    tmp_path: Path, encoder: EncoderWeights, data: EncodedTask, task: Task, knobs: dict[str, Any]
) -> None:
    trial = trial_of(**knobs)
    outcome = finetune(trial, data, encoder, KEEPING)
    assert outcome.weights is not None
    save_weights(tmp_path / "kept", trial, outcome.weights, encoder, task)
    assert task.test is not None
    for split, logits in zip((task.dev, task.test), logits_of(outcome), strict=True):
        np.testing.assert_array_equal(predict_logits(open_kept(tmp_path / "kept"), split), logits)
    one = finetune(trial_of(**{**knobs, "checkpoints": 1}), data, encoder, KEEPING)
    assert one.weights is not None
    size, several = len(one.weights[ONE_MODEL]), len(outcome.weights[ONE_MODEL])
    assert size < several <= knobs["checkpoints"] * size + 10_000


def test_frozen_layers_are_kept_once(encoder: EncoderWeights, data: EncodedTask) -> None:
    one, three = (
        run_trial(encoder, data, execution=KEEPING, frozen_layers=N_LAYERS, selection="last", checkpoints=n)
        for n in (1, 3)
    )
    assert one.weights is not None
    assert three.weights is not None
    assert len(three.weights[ONE_MODEL]) < 1.1 * len(one.weights[ONE_MODEL])


# --- the mean itself

LOGITS = arrays(np.float32, (3, 4), elements=st.floats(-1e3, 1e3, width=32))


@pytest.mark.slow  # 1.5 s
@given(st.lists(LOGITS, min_size=1, max_size=5))
@settings(deadline=None)
def test_a_mean_of_probabilities(logits: Sequence[np.ndarray]) -> None:
    found = mean_of_probabilities(logits)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    means = np.mean([softmax(one.astype(float), axis=1) for one in logits], axis=0)
    np.testing.assert_allclose(softmax(found.astype(float), axis=1), means, atol=1e-3)
    np.testing.assert_array_equal(mean_of_probabilities([logits[0]] * len(logits)), logits[0])


@pytest.mark.slow  # many logits, drawn at random
@given(st.lists(arrays(np.float32, (2, 3), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))))
@settings(deadline=None)
def test_a_mean_of_any_finite_logits_is_finite(logits: Sequence[np.ndarray]) -> None:
    if logits:
        assert np.isfinite(mean_of_probabilities(logits)).all()


def test_sure_and_opposite_predictions_keep_what_they_know() -> None:
    one, other = np.array([[200.0, 0.0, -50.0]], np.float32), np.array([[0.0, 200.0, -90.0]], np.float32)
    found = mean_of_probabilities([one, other]).astype(float)
    np.testing.assert_allclose(softmax(found, axis=1)[:, :2], [[0.5, 0.5]])
    assert found[0, 0] - found[0, 2] == pytest.approx(250.0, abs=1e-3)


def test_what_it_costs_is_each_value() -> None:
    assert len({str(cost_of(recipe_of(checkpoints=n))) for n in (1, 2, 3)}) == 3
