"""What models take on a disk, foretold from their configs alone, held against files that are written."""

from pathlib import Path
from typing import Any

import pytest
import torch

from gridsearch.encoders.checkpoint.config import read_config
from gridsearch.encoders.checkpoint.tokenizer import tokenizer_files
from gridsearch.encoders.classifier import build_classifier, pack, snapshot
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.load import read_weights
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.encoders.pretraining.start import start_weights
from gridsearch.optimizers.updates import Updates
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.recipe.recipe import Recipe
from gridsearch.stage import Stage
from gridsearch.training.pretraining import build_model, update_settings
from gridsearch.training.run_state import RunState, save_state, state_file
from runners.pricing.stored_bytes import SETTINGS_BYTES, Outline, classifier_bytes, stage_bytes


def outline_of(folder: Path) -> Outline:
    return Outline(read_config(folder), sum(map(len, tokenizer_files(folder).values())))


@pytest.mark.parametrize(
    "knobs",
    [
        {"pooling": "cls"},
        {"pooling": "attention", "head": "mlp"},
        {"pooling": "cls_cat", "cooccurrence": "embedding"},
        {"pooling": "dynamic", "frozen_layers": 2, "checkpoints": 3, "epochs": 3},
    ],
    ids=["plain", "attention", "wide", "three epochs"],
)
def test_a_classifier(knobs: dict[str, Any], bert_folder: Path) -> None:
    recipe = Recipe(**{"max_length": 16, "reinit_layers": 0, **knobs})
    outline = outline_of(bert_folder)
    classifier_bytes(outline, Recipe(frozen_layers=3, max_length=16), 3, 1, in_units=False)  # leaves nothing behind
    model = build_classifier(recipe, read_weights(bert_folder, "x"), 3, 0)
    states = [model.state_dict(), *(snapshot(model) for _ in range(recipe.checkpoints - 1))]
    n_bytes = len(pack(states))
    assert n_bytes <= classifier_bytes(outline, recipe, 3, 1, in_units=False) < 1.1 * n_bytes


@pytest.mark.slow  # a model of each family
@pytest.mark.parametrize("family", FAMILIES)
def test_of_every_family(family: str, family_folders: dict[str, Path]) -> None:
    folder, recipe = family_folders[family], Recipe(max_length=16, reinit_layers=0, pooling="mean")
    n_bytes = len(pack([build_classifier(recipe, read_weights(folder, "x"), 3, 0).state_dict()]))
    assert n_bytes <= classifier_bytes(outline_of(folder), recipe, 3, 1, in_units=False) < 1.2 * n_bytes


SHAPES = [
    *({"base": "encoder", "family": family} for family in FAMILIES),
    {"base": "encoder", "family": "bert", "take_layers": (1, 3), "lookahead_steps": 2},
    {"base": "encoder", "family": "bert", "next_sentence": True},
    {"base": "scratch", "family": "electra", "layers": 2, "width": 32, "heads": 2},
]


@pytest.mark.slow  # a model of each family
@pytest.mark.parametrize("knobs", SHAPES, ids=[" ".join(map(str, one.values())) for one in SHAPES])
def test_a_pretraining(
    knobs: dict[str, Any], family_folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    is_scratch = knobs["base"] == "scratch"
    folder = family_folders["bert" if is_scratch else knobs["family"]]
    # An encoder that is there says itself what family it is of.
    asked = knobs if is_scratch else {name: value for name, value in knobs.items() if name != "family"}
    recipe = PretrainingRecipe(**{"steps": 1, "max_length": 16, "lookahead_steps": 0, **asked})
    stage = Stage("pretrained-x", "x", recipe, 0, "fp32", "b", "c", 1, 1, labels="l")
    base = start_weights(read_base(folder, "b"), recipe, 0)
    model = build_model(stage, base, 3)
    updates = Updates(update_settings(stage), model, {})
    for parameter in updates.parameters:
        parameter.grad = torch.ones_like(parameter)
    updates.take()
    save_state("x", RunState(model.state_dict(), updates.state(), {}, []))
    n_state = state_file("x").stat().st_size
    n_files = sum(map(len, encoder_files_of(model, base).values()))
    outline = outline_of(folder)
    found = stage_bytes(outline if not recipe.has_another_shape else outline.started(stage), stage, 3)
    assert n_files <= found.encoder < 1.2 * n_files + 3 * SETTINGS_BYTES
    assert n_state <= found.state < 1.6 * n_state
