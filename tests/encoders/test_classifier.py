from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gridsearch.encoders.classifier import Classifier, build_classifier, restore, snapshot, trainable
from gridsearch.encoders.dropout import drop
from gridsearch.encoders.load import EncoderWeights, build_model
from gridsearch.encoders.pooling import POOLINGS
from gridsearch.randomness import torch_stream
from gridsearch.recipe.poolings import READS
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import EncodedTask
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


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("pooling", ["cls", "pooler", "mean", "first_last_avg"])
def test_the_plain_recipe_computes_what_it_always_did(
    encoder: EncoderWeights, data: EncodedTask, pooling: str, precision: torch.dtype
) -> None:
    """To the last bit, dropout included: the forward pass, written out."""
    model = built(encoder, pooling=pooling).train()
    head = nn.Linear(32, 3, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        head.weight.normal_(0.0, 0.02, generator=torch_stream(0, "head"))
        head.bias.zero_()
    base = build_model(encoder, None).train()
    batch = collate(data.train, np.arange(6), data.pad_id, torch.device("cpu"))

    def before() -> Tensor:
        output = base(**batch, output_hidden_states=True)
        weights = batch["attention_mask"].unsqueeze(-1).to(output.last_hidden_state.dtype)
        means = [(states * weights).sum(1) / weights.sum(1) for states in output.hidden_states]
        vector = {
            "cls": output.last_hidden_state[:, 0],
            "pooler": output.pooler_output,
            "mean": means[-1],
            "first_last_avg": (means[1] + means[-1]) / 2,
        }[pooling]
        logits: Tensor = head(drop(vector, 0.1))
        return logits.float()

    with torch.random.fork_rng(), torch.autocast("cpu", precision, enabled=precision != torch.float32):
        torch.manual_seed(4)
        expected = before()
        torch.manual_seed(4)
        found = model(batch)
    assert torch.equal(found[0], expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    assert model.classifier.weight.grad is not None
    assert head.weight.grad is not None
    assert torch.equal(model.classifier.weight.grad, head.weight.grad)


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


@pytest.mark.parametrize("head", ["mlp", "label_attention"])
@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_number_is_drawn_or_loaded_and_none_by_the_process(
    encoder: EncoderWeights, pooling: str, head: str
) -> None:
    before = torch.get_rng_state()
    model = built(encoder, pooling=pooling, head=head, head_width=8, cooccurrence="embedding", reinit_layers=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_a_frozen_encoder_leaves_all_new_parts_to_train(encoder: EncoderWeights, pooling: str) -> None:
    model = built(encoder, pooling=pooling, head="mlp", cooccurrence="embedding", frozen_layers=4)
    new = {name for name, _ in model.named_parameters() if not name.startswith("encoder.")}
    trains = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trains - {"encoder.pooler.dense.weight", "encoder.pooler.dense.bias"} == new
    assert all(model.depths()[parameter] == 0 for parameter in trainable(model))


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_hidden_states_are_kept_only_where_they_are_read(encoder: EncoderWeights, pooling: str) -> None:
    model = built(encoder, pooling=pooling)
    kept: list[bool] = []
    model.encoder.register_forward_hook(lambda module, arguments, output: kept.append(output.hidden_states is not None))
    ids = torch.arange(5, 17).reshape(2, 6)
    model({"input_ids": ids, "attention_mask": torch.ones_like(ids), "sides": torch.ones_like(ids)})
    assert kept == [READS[pooling].below_the_top]


def test_a_pooler_that_the_checkpoint_lacks_is_drawn_as_a_new_one_is(encoder: EncoderWeights) -> None:
    missing = tuple(name for name in encoder.state if name.startswith("pooler."))
    state = {name: array for name, array in encoder.state.items() if name not in missing}
    lacking = replace(encoder, state=state, missing=missing)
    one, other = built(lacking, pooling="pooler"), built(encoder, pooling="pooler", reinit_pooler=True)
    assert differing(one, other) == set()


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
