"""Every knob acts: a trial with it and a trial without it compute different numbers. A dead one changes no bit."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights
from gridsearch.facts import Facts
from gridsearch.finetune import finetune
from gridsearch.plan import facts_of
from gridsearch.recipe import Recipe, knobs
from gridsearch.resolve import dead_knobs, without
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import make_trial
from tests.fixtures_core import N_LAYERS, ON_CPU, dev_logits_of, encoder_in, numbers_of, recipe_of, run_trial

Knobs = Mapping[str, Any]

LIVE: Mapping[str, tuple[Knobs, Any]] = {
    "epochs": ({}, 2),
    "learning_rate": ({}, 1e-3),
    "batch_size": ({}, 16),
    "gradient_accumulation": ({}, 2),
    "max_length": ({}, 10),
    "adam_epsilon": ({}, 1e-4),
    "bert_adam": ({}, True),
    "weight_decay": ({}, 0.01),
    "decay_exclude": ({"weight_decay": 0.01}, "none"),
    "reinit_pooler": ({"pooling": "pooler"}, True),
    "reinit_layers": ({}, 1),
    "frozen_layers": ({}, "embeddings"),
    "frozen_dropout": ({"frozen_layers": 1}, True),
    "warmup_proportion": ({}, 0.2),
    "class_weights": ({}, "balanced"),
    "encoder_dropout": ({}, 0.2),
    "classifier_dropout": ({}, 0.3),
    "clip_norm": ({}, 0.1),
    "pooling": ({}, "cls"),
    "precision": ({}, "bf16"),
}
"""Knob -> the other knobs it needs, and a value that differs from the small recipe's. Two more have tests below."""

ALIVE_IN_OTHER_WAYS = {"encoder", "selection"}

DEAD: Mapping[str, tuple[Knobs, ...]] = {
    "reinit_pooler": (
        {"reinit_pooler": True, "pooling": "cls"},
        {"reinit_pooler": True, "pooling": "mean"},
        {"reinit_pooler": True, "pooling": "first_last_avg"},
    ),
    "decay_exclude": ({"decay_exclude": "none", "weight_decay": 0.0},),
    "frozen_dropout": (
        {"frozen_dropout": True},
        {"frozen_dropout": True, "frozen_layers": 2, "encoder_dropout": 0.0},
    ),
    "encoder_dropout": ({"encoder_dropout": 0.5, "frozen_layers": N_LAYERS},),
    "gradient_accumulation": ({"gradient_accumulation": 2, "batch_size": 512},),
    "warmup_proportion": ({"warmup_proportion": 0.01},),
    "class_weights": ({"class_weights": (2.0, 2.0, 2.0)},),
    "selection": ({"selection": "last", "epochs": 1},),
}
"""Knob -> recipes in which it is set and cannot act."""


def test_every_knob_has_a_case() -> None:
    assert LIVE.keys() | ALIVE_IN_OTHER_WAYS == knobs().keys()


def test_every_knob_that_can_be_dead_has_a_case() -> None:
    assert DEAD.keys() == {name for name, knob in knobs().items() if knob.cannot_act is not None}


def computed(recipe: Recipe, encoder: EncoderWeights, task: Task, tokenizer: Any) -> list[Any]:
    """Return all that a trial of this recipe computes, from the text on."""
    data = encode_task(task, tokenizer, recipe.max_length)
    trial = make_trial(recipe, seed=0, task="a task", encoder=encoder.identity)
    return numbers_of(finetune(trial, data, encoder, ON_CPU))


@pytest.mark.parametrize("knob", LIVE)
def test_a_knob_acts(knob: str, encoder: EncoderWeights, task: Task, tokenizer: Any, facts: Facts) -> None:
    others, value = LIVE[knob]
    one = recipe_of(**{"epochs": 1, **others})
    other = recipe_of(**{"epochs": 1, **others, knob: value})
    assert getattr(one, knob) != getattr(other, knob)
    assert dead_knobs(other, facts) == {}
    # The numbers repeat exactly (test_finetune.py): whatever differs here is the knob's doing.
    assert computed(one, encoder, task, tokenizer) != computed(other, encoder, task, tokenizer)


def test_the_encoder_acts(encoder: EncoderWeights, family_folders: dict[str, Path], task: Task, tokenizer: Any) -> None:
    other = encoder_in(family_folders["electra"])
    recipe = recipe_of(epochs=1)
    assert computed(recipe, encoder, task, tokenizer) != computed(recipe, other, task, tokenizer)


def test_the_selection_acts(encoder: EncoderWeights, data: EncodedTask) -> None:
    """With a learning rate of nothing every epoch is a tie, which the first one wins."""
    best, last = (run_trial(encoder, data, learning_rate=1e-5, selection=rule) for rule in ("best", "last"))
    assert [epoch.dev for epoch in best.epochs] == [epoch.dev for epoch in last.epochs]
    assert (best.chosen_epoch < 3, last.chosen_epoch) == (True, 3)
    assert (dev_logits_of(best) != dev_logits_of(last)).any()


@pytest.mark.parametrize(
    ("knob", "recipe"), [(knob, recipe) for knob, recipes in DEAD.items() for recipe in recipes], ids=str
)
def test_a_dead_knob_changes_no_bit(
    knob: str, recipe: Knobs, encoder: EncoderWeights, task: Task, tokenizer: Any, facts: Facts
) -> None:
    dead = recipe_of(**{"epochs": 2, **recipe})
    reasons = dead_knobs(dead, facts)
    assert set(reasons) == {knob}
    rid = without(dead, reasons)
    assert rid != dead
    assert computed(dead, encoder, task, tokenizer) == computed(rid, encoder, task, tokenizer)


def test_balanced_weights_of_balanced_labels_are_dead(
    encoder: EncoderWeights, docstrings_task: Task, tokenizer: Any, facts: Facts
) -> None:
    labels = docstrings_task.train.labels or ()
    rows = [row for label in range(6) for row in [i for i, other in enumerate(labels) if other == label][:10]]
    train = Split(tuple(docstrings_task.train.texts[row] for row in rows), tuple(labels[row] for row in rows))
    balanced = replace(docstrings_task, train=train, dev=train, test=None)
    recipe = recipe_of(class_weights="balanced", epochs=1)
    reasons = dead_knobs(recipe, replace(facts, label_counts=balanced.label_counts))
    assert set(reasons) == {"class_weights"}
    assert computed(recipe, encoder, balanced, tokenizer) == computed(
        without(recipe, reasons), encoder, balanced, tokenizer
    )


def test_a_pooler_that_the_family_lacks_is_dead(family_folders: dict[str, Path], task: Task) -> None:
    facts = facts_of(read_card("electra", family_folders["electra"]), task)
    assert set(dead_knobs(recipe_of(reinit_pooler=True, pooling="cls"), facts)) == {"reinit_pooler"}
