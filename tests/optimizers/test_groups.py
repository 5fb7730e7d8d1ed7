from typing import Any

import pytest
from torch import nn

from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.load import EncoderWeights
from gridsearch.optimizers.groups import Group, parameter_groups
from tests.fixtures_core import encoder_in, recipe_of


def names_of(model: nn.Module, groups: list[dict[str, Any]]) -> list[set[str]]:
    name_of = {id(parameter): name for name, parameter in model.named_parameters()}
    return [{name_of[id(parameter)] for parameter in group["params"]} for group in groups]


def decayed(model: nn.Module, weight_decay: float, exclude: str) -> list[Group]:
    return parameter_groups(model, weight_decay=weight_decay, exclude=exclude, layer_decay=1.0, depths={})


class HeadWithANorm(nn.Module):
    """A head of whose names none matches the usual "LayerNorm.weight"."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(3, 3)
        self.layer_norm = nn.LayerNorm(3)
        self.words = nn.Embedding(4, 3)


def test_biases_and_norms_are_told_by_type() -> None:
    model = HeadWithANorm()
    groups = decayed(model, 0.01, "bias_and_norm")
    assert names_of(model, groups) == [
        {"dense.weight", "words.weight"},
        {"dense.bias", "layer_norm.weight", "layer_norm.bias"},
    ]
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]


def test_nothing_is_spared_when_asked_so() -> None:
    model = HeadWithANorm()
    groups = decayed(model, 0.01, "none")
    assert names_of(model, groups) == [{name for name, _ in model.named_parameters()}]
    assert [group["weight_decay"] for group in groups] == [0.01]


@pytest.mark.parametrize("exclude", ["bias_and_norm", "none"])
@pytest.mark.parametrize("frozen_layers", [0, "embeddings", 2])
@pytest.mark.parametrize("pooling", ["cls", "pooler"])
def test_each_trainable_parameter_is_in_exactly_one_group(
    encoder: EncoderWeights, exclude: str, frozen_layers: int | str, pooling: str
) -> None:
    model = build_classifier(recipe_of(frozen_layers=frozen_layers, pooling=pooling), encoder, 3, seed=0)
    grouped = [id(p) for group in decayed(model, 0.01, exclude) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize("family", ["bert", "electra", "distilbert"])
def test_the_spared_of_a_real_model_are_all_vectors(
    encoder: EncoderWeights, family_folders: dict[str, Any], family: str
) -> None:
    weights = encoder if family == "bert" else encoder_in(family_folders[family])
    model = build_classifier(recipe_of(), weights, 3, seed=0)
    decay, spared = decayed(model, 0.01, "bias_and_norm")
    assert all(p.dim() == 2 for p in decay["params"])
    assert all(p.dim() == 1 for p in spared["params"])


def test_a_group_without_parameters_is_left_out() -> None:
    model = nn.Linear(2, 2, bias=False)
    assert len(decayed(model, 0.1, "bias_and_norm")) == 1


def test_rates_fall_by_the_layer() -> None:
    model = nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 1))
    depths = {p: depth for depth, module in zip([2, 1, 1, 0], model, strict=True) for p in module.parameters()}
    groups = parameter_groups(model, weight_decay=0.1, exclude="bias_and_norm", layer_decay=0.5, depths=depths)
    found = [(names, g["share"], g["weight_decay"]) for names, g in zip(names_of(model, groups), groups, strict=True)]
    assert found == [
        ({"3.weight"}, 1.0, 0.1),
        ({"3.bias"}, 1.0, 0.0),
        ({"1.weight"}, 0.5, 0.1),
        ({"1.bias", "2.weight", "2.bias"}, 0.5, 0.0),
        ({"0.weight"}, 0.25, 0.1),
    ]
