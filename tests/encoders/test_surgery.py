"""Draw anew, freeze: exactly what was asked, and nothing beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModel

from gridsearch.encoders import surgery
from gridsearch.encoders.classifier import Classifier, build_classifier
from gridsearch.encoders.load import EncoderWeights, build_model
from tests.fixtures_core import N_LAYERS, bert_config, encoder_in, recipe_of, save_encoder

Parameters = dict[str, Tensor]


def parameters_of(model: nn.Module) -> Parameters:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def changed(before: Parameters, after: Parameters) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def frozen_in(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if not parameter.requires_grad}


def below(model: nn.Module, *prefixes: str) -> set[str]:
    return {name for name, _ in model.named_parameters() if name.startswith(prefixes)}


@pytest.fixture(scope="module")
def deep_encoder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> EncoderWeights:
    """Return a BERT of 12 layers, so that layer.1 is the start of other names."""
    from transformers import BertModel

    model = BertModel(bert_config(len(vocabulary), num_hidden_layers=12, hidden_size=8, intermediate_size=8))
    return encoder_in(save_encoder(model, tmp_path_factory.mktemp("deep") / "bert", vocabulary))


@pytest.mark.parametrize("count", range(N_LAYERS + 1))
def test_exactly_the_top_layers_are_drawn(encoder: EncoderWeights, count: int) -> None:
    model = build_model(encoder, None)
    before = parameters_of(model)
    surgery.reinit_layers(model, count, 0.02, seed=0)
    drawn = tuple(f"encoder.layer.{index}." for index in range(N_LAYERS - count, N_LAYERS))
    assert changed(before, parameters_of(model)) == (below(model, *drawn) if drawn else set())


def test_drawn_layers_are_as_before_pretraining(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    surgery.reinit_layers(model, 2, 0.05, seed=0)
    for layer in surgery.layers(model)[-2:]:
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                assert float(module.weight.detach().std()) == pytest.approx(0.05, rel=0.1)
                assert abs(float(module.weight.detach().mean())) < 0.005
                assert not module.bias.any()
            if isinstance(module, nn.LayerNorm):
                assert torch.equal(module.weight, torch.ones_like(module.weight))
                assert not module.bias.any()


def test_the_spread_is_the_initializer_range_of_the_config(encoder: EncoderWeights) -> None:
    assert encoder.config["initializer_range"] == 0.02
    model = build_classifier(recipe_of(reinit_layers=1), encoder, 3, seed=0)
    assert float(model.encoder.encoder.layer[-1].output.dense.weight.detach().std()) == pytest.approx(0.02, rel=0.1)


def test_a_layers_numbers_do_not_depend_on_how_many_are_drawn(encoder: EncoderWeights) -> None:
    def top_two(count: int) -> Parameters:
        model = build_model(encoder, None)
        surgery.reinit_layers(model, count, 0.02, seed=3)
        return parameters_of(surgery.layers(model)[-2:])

    assert changed(top_two(2), top_two(4)) == set()


def test_no_two_drawn_layers_are_alike(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    surgery.reinit_layers(model, 2, 0.02, seed=0)
    third, fourth = (layer.output.dense.weight for layer in surgery.layers(model)[-2:])
    assert not torch.equal(third, fourth)


@pytest.mark.parametrize("draw", [surgery.reinit_pooler, lambda m, s, seed: surgery.reinit_layers(m, 1, s, seed)])
def test_the_seed_decides_what_is_drawn(encoder: EncoderWeights, draw: Callable[..., None]) -> None:
    def drawn(seed: int) -> Parameters:
        model = build_model(encoder, None)
        draw(model, 0.02, seed)
        return parameters_of(model)

    assert changed(drawn(0), drawn(0)) == set()
    assert changed(drawn(0), drawn(1))


def test_reinit_pooler_draws_the_pooler_alone(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    before = parameters_of(model)
    surgery.reinit_pooler(model, 0.02, seed=0)
    assert changed(before, parameters_of(model)) == {"pooler.dense.weight", "pooler.dense.bias"}
    assert float(model.pooler.dense.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert not model.pooler.dense.bias.any()


def test_transformers_own_initialisation_changes_no_loaded_layer(bert_folder: Path) -> None:
    """The trap that our own drawing is for. If this fails, transformers has changed, and surgery.py may be shorter."""
    model = AutoModel.from_pretrained(bert_folder)
    before = parameters_of(model)
    model.encoder.layer[-1].apply(model._init_weights)
    assert changed(before, parameters_of(model)) == set()


@pytest.mark.parametrize(
    ("frozen_layers", "prefixes"),
    [
        ("embeddings", ["embeddings."]),
        (1, ["embeddings.", "encoder.layer.0."]),
        (2, ["embeddings.", "encoder.layer.0.", "encoder.layer.1."]),
        (11, ["embeddings.", *(f"encoder.layer.{index}." for index in range(11))]),
        (12, ["embeddings.", *(f"encoder.layer.{index}." for index in range(12))]),
    ],
)
def test_exactly_the_embeddings_and_bottom_layers_are_frozen(
    deep_encoder: EncoderWeights, frozen_layers: int | str, prefixes: list[str]
) -> None:
    model = build_model(deep_encoder, None)
    surgery.freeze(model, frozen_layers)
    assert frozen_in(model) == below(model, *prefixes)


def test_nothing_is_frozen_by_none(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    assert surgery.freeze(model, 0) == []
    assert frozen_in(model) == set()


def states_twice(model: Classifier, n_states: int) -> list[bool]:
    """Tell for the embeddings' and each layer's states whether two passes in training mode give the same."""
    model.train()
    ids = torch.arange(5, 25).reshape(2, 10)
    passes = [model.encoder(ids, output_hidden_states=True).hidden_states for _ in range(2)]
    return [torch.equal(passes[0][i], passes[1][i]) for i in range(n_states)]


@pytest.mark.parametrize(
    ("frozen_layers", "frozen_dropout", "expected"),
    [
        (0, False, [False] * 5),
        ("embeddings", False, [True, False, False, False, False]),
        (2, False, [True, True, True, False, False]),
        (2, True, [False] * 5),
        (4, False, [True] * 5),
    ],
)
def test_the_frozen_part_runs_without_dropout(
    encoder: EncoderWeights, frozen_layers: int | str, frozen_dropout: bool, expected: list[bool]
) -> None:
    recipe = recipe_of(frozen_layers=frozen_layers, frozen_dropout=frozen_dropout)
    assert states_twice(build_classifier(recipe, encoder, 3, seed=0), N_LAYERS + 1) == expected


def test_dropout_stays_off_in_the_frozen_part_after_an_evaluation(encoder: EncoderWeights) -> None:
    model = build_classifier(recipe_of(frozen_layers=2), encoder, 3, seed=0)
    model.train()
    model.eval()
    assert states_twice(model, 4) == [True, True, True, False]


def test_what_is_frozen_can_be_drawn_before(encoder: EncoderWeights) -> None:
    """Re-initialised layers train, and frozen ones keep the checkpoint's values."""
    model = build_classifier(recipe_of(frozen_layers=2, reinit_layers=2), encoder, 3, seed=0)
    plain = build_model(encoder, None)
    moved = changed(parameters_of(plain), parameters_of(model.encoder))
    assert moved == below(plain, "encoder.layer.2.", "encoder.layer.3.")
    assert moved.isdisjoint(frozen_in(model.encoder))


def test_electras_projection_belongs_to_its_embeddings(family_folders: dict[str, Path]) -> None:
    model = build_model(encoder_in(family_folders["electra"]), None)
    surgery.freeze(model, 1)
    assert "embeddings_project.weight" in frozen_in(model)
    assert frozen_in(model) == below(model, "embeddings.", "embeddings_project.", "encoder.layer.0.")


def test_distilberts_layers_are_in_its_transformer(family_folders: dict[str, Path]) -> None:
    model = build_model(encoder_in(family_folders["distilbert"]), None)
    before = parameters_of(model)
    surgery.reinit_layers(model, 1, 0.02, seed=0)
    surgery.freeze(model, 1)
    assert changed(before, parameters_of(model)) == below(model, "transformer.layer.2.")
    assert frozen_in(model) == below(model, "embeddings.", "transformer.layer.0.")


@pytest.mark.parametrize("family", ["electra", "distilbert"])
def test_other_families_drop_as_told(family_folders: dict[str, Path], family: str) -> None:
    weights = encoder_in(family_folders[family])

    def twice(**knobs: Any) -> list[bool]:
        return states_twice(build_classifier(recipe_of(**knobs), weights, 3, seed=0), 4)

    assert twice(frozen_layers=2) == [True, True, True, False]
    assert twice(encoder_dropout=0.0) == [True] * 4
