from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gridsearch.encoders.classifier import Classifier, build_classifier, restore, snapshot, trainable
from gridsearch.encoders.load import EncoderWeights
from tests.fixtures_core import encoder_in, recipe_of


def built(encoder: EncoderWeights, seed: int = 0, **knobs: Any) -> Classifier:
    return build_classifier(recipe_of(**knobs), encoder, 3, seed)


def values_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def differing(one: nn.Module, other: nn.Module) -> set[str]:
    first, second = values_of(one), values_of(other)
    assert first.keys() == second.keys()
    return {name for name in first if not torch.equal(first[name], second[name])}


def test_the_head_is_drawn_from_the_seed(encoder: EncoderWeights) -> None:
    assert differing(built(encoder), built(encoder)) == set()
    assert differing(built(encoder, seed=0), built(encoder, seed=1)) == {"classifier.weight"}
    head = built(encoder).classifier
    assert head.weight.shape == (3, 32)
    assert float(head.weight.detach().std()) == pytest.approx(0.02, rel=0.25)
    assert not head.bias.any()


@pytest.mark.parametrize(
    ("knobs", "prefix"),
    [
        ({"reinit_pooler": True, "pooling": "pooler"}, "encoder.pooler."),
        ({"reinit_layers": 1}, "encoder.encoder.layer.3."),
        ({"reinit_layers": 4}, "encoder.encoder.layer."),
        ({"frozen_layers": 2}, "nothing"),
        ({"encoder_dropout": 0.0}, "nothing"),
    ],
)
def test_one_trick_does_not_shift_anothers_numbers(encoder: EncoderWeights, knobs: dict[str, Any], prefix: str) -> None:
    plain, tricked = built(encoder, pooling=knobs.get("pooling", "mean")), built(encoder, **knobs)
    assert all(name.startswith(prefix) for name in differing(plain, tricked))
    assert differing(plain, tricked) or prefix == "nothing"


def test_drawn_layers_do_not_shift_a_drawn_pooler(encoder: EncoderWeights) -> None:
    one = built(encoder, reinit_pooler=True, pooling="pooler")
    other = built(encoder, reinit_pooler=True, pooling="pooler", reinit_layers=2)
    assert not {name for name in differing(one, other) if ".pooler." in name or name.startswith("classifier")}


def test_building_does_not_depend_on_the_random_state_of_the_process(encoder: EncoderWeights) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        one = built(encoder, reinit_layers=1)
        torch.manual_seed(6)
        assert differing(one, built(encoder, reinit_layers=1)) == set()


@pytest.mark.parametrize(("pooling", "trains"), [("cls", False), ("mean", False), ("pooler", True)])
def test_a_pooler_that_nothing_reads_does_not_train(encoder: EncoderWeights, pooling: str, trains: bool) -> None:
    pooler = built(encoder, pooling=pooling).encoder.pooler
    assert [parameter.requires_grad for parameter in pooler.parameters()] == [trains, trains]


@pytest.mark.parametrize("family", ["electra", "distilbert"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "first_last_avg"])
def test_families_without_pooler(family_folders: dict[str, Any], family: str, pooling: str) -> None:
    model = built(encoder_in(family_folders[family]), pooling=pooling, reinit_layers=1, frozen_layers=1)
    ids = torch.arange(5, 17).reshape(2, 6)
    logits = model({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    logits.sum().backward()
    assert logits.shape == (1, 2, 3)
    assert all(parameter.grad is not None for parameter in trainable(model))


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler", "first_last_avg"])
def test_every_trainable_parameter_has_a_gradient(encoder: EncoderWeights, pooling: str) -> None:
    model = built(encoder, pooling=pooling)
    ids = torch.arange(5, 17).reshape(2, 6)
    mask = torch.ones_like(ids)
    model({"input_ids": ids, "attention_mask": mask, "token_type_ids": mask}).square().sum().backward()
    without = {name for name, p in model.named_parameters() if p.requires_grad and p.grad is None}
    assert without == set()


def test_the_classifiers_own_dropout(encoder: EncoderWeights) -> None:
    model = built(encoder, encoder_dropout=0.0, classifier_dropout=0.5).train()
    ids = torch.arange(5, 17).reshape(2, 6)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    assert not torch.equal(model(inputs), model(inputs))
    model.eval()
    assert torch.equal(model(inputs), model(inputs))


def test_a_snapshot_holds_what_training_changes_and_no_more(encoder: EncoderWeights) -> None:
    model = built(encoder, frozen_layers=2)
    values, before = snapshot(model), values_of(model)
    assert set(values) == {name for name, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for parameter in trainable(model):
            parameter.add_(1.0)
    restore(model, values)
    assert all(torch.equal(before[name], parameter) for name, parameter in model.named_parameters())
