"""Metrics on the training rows, on request: those of the weights that are kept, and nothing else differs by them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from gridsearch.encoders.load import EncoderWeights
from gridsearch.recipe.augmentation_knobs import PairSwap
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.metrics import probabilities, score
from gridsearch.tasks.task import Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import open_kept, predict_logits, save_weights
from gridsearch.training.prepared import Prepared
from tests.fixtures_core import MAX_LENGTH, ON_CPU, numbers_of, run_trial, slow, trial_of
from tests.liveness_cases import pairs_of

ASKED = Execution(device="cpu", keep_weights=True, train_metric=True)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"checkpoints": 2},
        {"ema_decay": 0.5, "selection": "last", "classifier_dropout": 0.5, "frozen_layers": 2},
        slow({"class_weights": "balanced", "adversarial": "fgm", "label_smoothing": 0.1, "mixout": 0.5}),
    ],
    ids=lambda knobs: " ".join(knobs) or "plain",
)
def test_it_is_what_the_kept_weights_say_of_the_training_rows(
    tmp_path: Path, encoder: EncoderWeights, data: EncodedTask, task: Task, knobs: dict[str, Any]
) -> None:
    trial = trial_of(**knobs)
    outcome = finetune(trial, data, encoder, ASKED)
    assert outcome.weights is not None
    save_weights(tmp_path / "kept", trial, outcome.weights, encoder, task)
    chances = probabilities(predict_logits(open_kept(tmp_path / "kept"), task.train))
    labels, predicted, found = np.array(task.train.labels), chances.argmax(axis=1), outcome.parts["task"].train
    assert found is not None
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert found["f1_macro"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert found["log_loss"] == pytest.approx(log_loss(labels, chances), rel=1e-4)
    assert found.keys() == outcome.parts["task"].dev.keys()


@pytest.mark.slow  # 0.7 s
@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("pair_swap", ["off", "both", "random"])
def test_pairs_are_read_as_they_stand_and_no_added_ones(
    tmp_path: Path, encoder: EncoderWeights, task: Task, tokenizer: Any, pair_swap: PairSwap, *, adds: bool
) -> None:
    """Whatever else is trained on."""
    pairs, trial = pairs_of(task), trial_of(pair_swap=pair_swap, frozen_layers=1)
    data = encode_task(pairs, tokenizer, MAX_LENGTH, "both").with_turned(
        encode_task(pairs.turned, tokenizer, MAX_LENGTH)
    )
    data = data.with_added(data.dev) if adds else data
    data = data.in_orders(train=pair_swap != "off", judged=False)
    assert len(data.train) == (24 + 8 * adds) * (1 if pair_swap == "off" else 2)
    outcome = finetune(trial, data, encoder, ASKED)
    assert outcome.weights is not None
    save_weights(tmp_path / "kept", trial, outcome.weights, encoder, pairs)
    logits = predict_logits(open_kept(tmp_path / "kept"), pairs.train)
    expected, found = score(np.array(pairs.train.labels), logits), outcome.parts["task"].train
    assert found is not None
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow  # 2 s
def test_nothing_else_differs_by_it(encoder: EncoderWeights, data: EncodedTask) -> None:
    without, with_it = (
        run_trial(encoder, data, execution=replace(ASKED, train_metric=asked), checkpoints=2) for asked in (False, True)
    )
    assert without.parts["task"].train is None
    assert numbers_of(without) == numbers_of(with_it)
    assert "train_metric" not in ASKED.settings()


def test_no_trial_fails_for_it(encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an output is no finite number on training rows alone, there is no metric."""
    predict = Prepared.predict

    def breaking(prepared: Prepared, split: Any, *more: Any) -> np.ndarray:
        logits = predict(prepared, split, *more)
        return np.full_like(logits, np.nan) if len(split) == len(data.train) else logits

    monkeypatch.setattr(Prepared, "predict", breaking)
    outcome = run_trial(encoder, data, execution=replace(ON_CPU, train_metric=True), epochs=1)
    assert outcome.parts["task"].train is None
    assert outcome.parts["task"].test is not None
