"""What a pretraining starts from: some layers of an encoder, in the order asked for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel

from gridsearch.encoders import surgery
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import build_model
from gridsearch.encoders.pretraining.start import start_card, start_weights
from gridsearch.errors import RequestError
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from tests.encoders.masked_lm_folders import inputs_of, save_headed
from tests.fixtures_core import by_family, encoder_in

CARD = EncoderCard("mine", "files-0", "bert", 4, True, 512)


def taking(*numbers: int) -> PretrainingRecipe:
    return PretrainingRecipe(objective="mlm", take_layers=numbers)


def without_layers(model: Any, numbers: tuple[int, ...]) -> None:
    """Keep some layers of a model, by transformers' own module list."""
    layers = surgery.layers(model)
    kept = [layers[number - 1] for number in numbers]
    path, _, name = FAMILIES[model.config.model_type].layers.rpartition(".")
    setattr(model.get_submodule(path), name, torch.nn.ModuleList(kept))


@pytest.mark.parametrize("numbers", [(2,), (2, 1), (1, 2, 2)], ids=str)
@pytest.mark.parametrize(
    "family", by_family(name for name in FAMILIES if not (FAMILIES[name].shares_layers or FAMILIES[name].are_placed))
)
def test_an_encoder_of_some_layers_computes_what_these_layers_do(
    family: str, numbers: tuple[int, ...], tmp_path: Path
) -> None:
    whole = save_headed(tmp_path / family, family, AutoModel)
    base = encoder_in(tmp_path / family)
    taken = build_model(start_weights(base, taking(*numbers), 0), None).eval()
    without_layers(whole, numbers)
    inputs = inputs_of(whole)
    if FAMILIES[family].reads_padding:
        inputs.pop("attention_mask")
    with torch.inference_mode():
        one, other = (model(**inputs).last_hidden_state for model in (taken, whole))
    assert len(surgery.layers(taken)) == len(numbers)
    torch.testing.assert_close(one, other)
    assert start_card(read_card("mine", tmp_path / family), taking(*numbers)).n_layers == len(numbers)


def test_layers_that_are_made_for_their_places_are_not_taken(tmp_path: Path) -> None:
    save_headed(tmp_path / "modernbert", "modernbert", AutoModel)
    with pytest.raises(RequestError, match="each layer of mine, modernbert, is made for its place"):
        start_card(read_card("mine", tmp_path / "modernbert"), taking(1, 2))


def test_nothing_is_changed_where_nothing_is_asked_for(tmp_path: Path) -> None:
    save_headed(tmp_path / "bert", "bert", AutoModel)
    base, recipe = encoder_in(tmp_path / "bert"), PretrainingRecipe(objective="mlm")
    assert start_weights(base, recipe, 0) is base
    assert start_card(CARD, recipe) is CARD


@pytest.mark.parametrize(
    ("numbers", "card", "sentence"),
    [
        ((1, 5), CARD, "pretraining.take_layers names layer 5, but mine has 4"),
        ((1, 2, 3, 4), CARD, "takes all layers of mine as they are, which 'all' does too"),
        ((1, 2), replace(CARD, family="albert", shares_layers=True), "all layers of mine, albert, are one"),
    ],
)
def test_layers_that_cannot_be_taken(numbers: tuple[int, ...], card: EncoderCard, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        start_card(card, taking(*numbers))
