"""The states of frozen layers, computed once, train what the whole encoder trains."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gridsearch import frozen
from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.load import EncoderWeights, build_tokenizer, load
from gridsearch.encoders.parts import can_be_parted
from gridsearch.finetune import finetune, threads_of
from gridsearch.frozen import n_constant_layers, with_frozen_states
from gridsearch.recipe import Recipe
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Task
from gridsearch.trial import PART, Outcome, Trial, make_trial

PARTED = ("bert", "ernie", "roberta", "xlm-roberta", "electra", "distilbert", "nezha")
WHOLE = ("albert", "deberta-v2")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "frozen"


def trial_of(encoder: EncoderWeights, **knobs: Any) -> Trial:
    recipe = Recipe(
        **({"epochs": 2, "batch_size": 8, "learning_rate": 1e-3, "max_length": 24, "frozen_layers": 2} | knobs)
    )
    return make_trial(recipe, seed=1, task="a task", encoder=encoder.identity)


def without_states(monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> Outcome:
    with monkeypatch.context() as patch:
        patch.setattr(frozen, "BUDGET_BYTES", 0)
        return finetune(*arguments)


def logits(outcome: Outcome) -> np.ndarray:
    return outcome.parts[PART].dev_logits


@pytest.mark.parametrize("family", PARTED)
def test_the_same_is_trained(
    family: str, family_folders: dict[str, Path], task: Task, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to rounding, with dropout on: the layers above draw the same numbers."""
    encoder = load(str(family_folders[family]), (), lambda sentence: None)
    data = encode_task(task, build_tokenizer(encoder.tokenizer), 24)
    for n_frozen in (1, 3):
        trial = trial_of(encoder, frozen_layers=n_frozen)
        expected = without_states(monkeypatch, trial, data, encoder)
        assert not cache.exists() or len([one for one in cache.iterdir() if one.is_dir()]) == n_frozen // 3
        found = finetune(trial, data, encoder)
        np.testing.assert_allclose(logits(found), logits(expected), rtol=1e-3, atol=1e-5)
        assert [one.train_loss for one in found.epochs] == pytest.approx(
            [one.train_loss for one in expected.epochs], rel=1e-5
        )


@pytest.mark.parametrize("knobs", [{"bert_adam": True, "weight_decay": 0.1}, {"r_drop": 1.0, "ema_decay": 0.9}])
def test_other_tricks_above_them(
    knobs: dict[str, Any], encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = trial_of(encoder, **knobs)
    expected = without_states(monkeypatch, trial, data, encoder)
    np.testing.assert_allclose(logits(finetune(trial, data, encoder)), logits(expected), rtol=1e-3, atol=1e-5)


def test_whoever_makes_them_and_whoever_finds_them_get_the_same_bits(
    encoder: EncoderWeights, data: EncodedTask, cache: Path
) -> None:
    first, second = (finetune(trial_of(encoder), data, encoder) for _ in range(2))
    assert np.array_equal(logits(first), logits(second))
    finetune(trial_of(encoder, learning_rate=1e-4, warmup_proportion=0.5), data, encoder)
    assert len([one for one in cache.iterdir() if one.is_dir()]) == 1


@pytest.mark.parametrize(
    "knobs",
    [
        {"frozen_layers": 0},
        {"frozen_layers": "embeddings"},
        {"frozen_dropout": True},
        {"pooling": "cls_cat"},
        {"pooling": "first_last_avg_unmasked"},
        {"cooccurrence": "add_scalar"},
        {"adversarial": "freelb"},
    ],
    ids=str,
)
def test_recipes_that_read_more(knobs: dict[str, Any], encoder: EncoderWeights) -> None:
    recipe = trial_of(encoder, **knobs).recipe
    model = build_classifier(recipe, encoder, 2, 0)
    assert n_constant_layers(recipe, model) == 0


@pytest.mark.parametrize("family", WHOLE)
def test_families_whose_layers_hang_together(family: str, family_folders: dict[str, Path], task: Task) -> None:
    encoder = load(str(family_folders[family]), (), lambda sentence: None)
    recipe = trial_of(encoder, frozen_layers=3).recipe
    model = build_classifier(recipe, encoder, 2, 0)
    assert not can_be_parted(model.encoder)
    assert n_constant_layers(recipe, model) == 0


def test_other_texts_another_depth_or_threads_are_other_states(
    encoder: EncoderWeights, data: EncodedTask, cache: Path
) -> None:
    fewer = replace(data, test=None)
    for trial, texts, threads in (
        (trial_of(encoder), data, 1),
        (trial_of(encoder, frozen_layers=1), data, 1),
        (trial_of(encoder), fewer, 1),
        (trial_of(encoder), data, 2),
    ):
        with threads_of(threads):
            model = build_classifier(trial.recipe, encoder, data.n_labels, 0)
            states = with_frozen_states(trial, texts, model).train.states
        assert states is not None
        assert states.shape == (len(data.train.ids), 32)
    assert len([one for one in cache.iterdir() if one.is_dir()]) == 4


def test_the_longest_unused_make_room(
    encoder: EncoderWeights, data: EncodedTask, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(n_frozen: int) -> np.ndarray:
        trial = trial_of(encoder, frozen_layers=n_frozen)
        states = with_frozen_states(trial, data, build_classifier(trial.recipe, encoder, data.n_labels, 0)).dev.states
        assert states is not None
        return states

    before = fetch(1)
    (oldest,) = (one for one in cache.iterdir() if one.is_dir())
    size = sum(file.stat().st_size for file in oldest.iterdir())
    os.utime(oldest, (0, 0))
    monkeypatch.setattr(frozen, "BUDGET_BYTES", int(2.5 * size))
    copy = np.array(before)
    fetch(2)
    assert oldest.exists()
    fetch(3)
    assert not oldest.exists()
    assert np.array_equal(before, copy), "who reads them still can"
    monkeypatch.setattr(frozen, "BUDGET_BYTES", size // 2)
    trial = trial_of(encoder)
    model = build_classifier(trial.recipe, encoder, data.n_labels, 0)
    assert with_frozen_states(trial, data, model) is data


def test_the_parts_share_the_weights(encoder: EncoderWeights) -> None:
    model = build_classifier(trial_of(encoder).recipe, encoder, 2, 0)
    names = set(model.state_dict())
    model.begin_above(2)
    assert set(model.state_dict()) == names
    (upper,) = model._upper
    assert {id(p) for p in upper.parameters()} <= {id(p) for p in model.parameters()}
    assert len(list(upper.parameters())) < len(list(model.encoder.parameters()))
    assert torch.is_grad_enabled()
