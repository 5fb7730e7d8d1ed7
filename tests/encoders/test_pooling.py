from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pooling import POOLINGS, Pooling, build_pooling
from tests.fixtures_core import recipe_of

STATES_BELOW = torch.tensor([[[90.0, 90.0], [90.0, 90.0], [90.0, 90.0]]])  # of the embeddings: no pooling reads them
STATES_1 = torch.tensor([[[2.0, 4.0], [4.0, 8.0], [70.0, -70.0]]])
STATES_2 = torch.tensor([[[5.0, 6.0], [7.0, 8.0], [9.0, 9.0]]])
STATES_3 = torch.tensor([[[1.0, 0.0], [3.0, 6.0], [50.0, -50.0]]])
MASK = torch.tensor([[1, 1, 0]])
OUTPUT = SimpleNamespace(
    last_hidden_state=STATES_3,
    hidden_states=(STATES_BELOW, STATES_1, STATES_2, STATES_3),
    pooler_output=torch.tensor([[0.5, -0.5]]),
)


def pooled(pooling: str, layers: int | str = "all", weights: Tensor | None = None, **knobs: Any) -> list[float]:
    """Pool by hand-set parameters: all of them ``weights`` (or its identity for square ones), biases 0."""
    module = build_pooling(recipe_of(pooling=pooling, pooling_layers=layers, **knobs), 2, 3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.zeros_like(parameter) if weights is None else weights)
        found: list[float] = module(OUTPUT, MASK)[0].tolist()
    assert len(found) == module.width
    return found


@pytest.mark.parametrize(
    ("pooling", "layers", "expected"),
    [
        ("cls", "all", [1.0, 0.0]),
        ("pooler", "all", [0.5, -0.5]),
        ("mean", "all", [2.0, 3.0]),
        ("max", "all", [3.0, 6.0]),
        ("first_last_avg", "all", [(3.0 + 2.0) / 2, (6.0 + 3.0) / 2]),
        ("first_last_avg_unmasked", "all", [(76.0 / 3 + 54.0 / 3) / 2, (-58.0 / 3 - 44.0 / 3) / 2]),
        ("cls_cat", "all", [2.0, 4.0, 5.0, 6.0, 1.0, 0.0]),
        ("cls_cat", 2, [5.0, 6.0, 1.0, 0.0]),
        ("mean_cat", 2, [6.0, 7.0, 2.0, 3.0]),
        # With a score of nothing all layers, or all tokens, weigh the same.
        ("dynamic", "all", [(2.0 + 5.0 + 1.0) / 3, (4.0 + 6.0 + 0.0) / 3]),
        ("dynamic", 2, [(5.0 + 1.0) / 2, (6.0 + 0.0) / 2]),
        ("attention", "all", [2.0, 3.0]),
    ],
)
def test_by_hand(pooling: str, layers: int | str, expected: list[float]) -> None:
    assert pooled(pooling, layers) == pytest.approx(expected)


def test_flattened_states_by_hand() -> None:
    """Five tokens are room for: what is no text is zero, wherever the batch ended."""
    assert pooled("flatten", max_length=5) == [1.0, 0.0, 3.0, 6.0, *[0.0] * 6]


def test_learned_weights_by_hand() -> None:
    """The score is the sum of a state's numbers: the softmax over layers 6, 11, 1 and over tokens 1, 9."""
    weights = np.exp(np.array([6.0, 11.0, 1.0]) - 11.0)
    expected = weights / weights.sum() @ np.array([[2.0, 4.0], [5.0, 6.0], [1.0, 0.0]])
    module = build_pooling(recipe_of(pooling="dynamic"), 2, 3)
    with torch.no_grad():
        module.score.weight.fill_(1.0)
        module.score.bias.fill_(0.3)  # shifts all scores alike
        assert module(OUTPUT, MASK)[0].tolist() == pytest.approx(expected.tolist())
    weights = np.exp(np.array([1.0, 9.0]) - 9.0)
    expected = weights / weights.sum() @ np.array([[1.0, 0.0], [3.0, 6.0]])
    assert pooled("attention", weights=torch.ones(1, 2)) == pytest.approx(expected.tolist())


def test_new_poolers_by_hand() -> None:
    module = build_pooling(recipe_of(pooling="cls_cat_poolers", pooling_layers=2), 2, 3)
    with torch.no_grad():
        for number, pooler in enumerate(module.poolers, start=1):
            pooler.weight.copy_(torch.eye(2) * number / 10)
            pooler.bias.fill_(0.1)
        found = module(OUTPUT, MASK)[0].tolist()
    assert found == pytest.approx(np.tanh([0.6, 0.7, 0.3, 0.1]).tolist())


def test_every_pooling_has_a_hand_made_case() -> None:
    (cases,) = (mark.args[1] for mark in test_by_hand.pytestmark)  # type: ignore[attr-defined]
    assert {case[0] for case in cases} | {"flatten", "cls_cat_poolers"} == set(POOLINGS)


def inputs_of(ids: list[int], n_padding: int) -> dict[str, Tensor]:
    mask = [1] * len(ids) + [0] * n_padding
    return {
        "input_ids": torch.tensor([ids + [0] * n_padding]),
        "attention_mask": torch.tensor([mask]),
        "token_type_ids": torch.zeros(1, len(mask), dtype=torch.long),
    }


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_padding_changes_nothing(encoder: EncoderWeights, pooling: str) -> None:
    """But for the pooling that reads it: it has every row padded to the same length."""
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0).eval()
    ids = [2, 50, 60, 70, 80, 3]
    with torch.no_grad():
        bare, padded = model(inputs_of(ids, 0)), model(inputs_of(ids, 9))
    assert bare.abs().max() > 1e-3
    assert torch.allclose(bare, padded, rtol=1e-4, atol=1e-6) == (pooling != "first_last_avg_unmasked")
    assert model.padded_width == (24 if pooling == "first_last_avg_unmasked" else None)


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_the_encoder_is_asked_for_what_is_read(encoder: EncoderWeights, pooling: str) -> None:
    """The classifier's pooled vector is the pooling of what the encoder itself gives."""
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0).eval()
    inputs = inputs_of([2, 50, 60, 70, 80, 3], 2)
    with torch.no_grad():
        vector = model.pooling(model.encoder(**inputs, output_hidden_states=True), inputs["attention_mask"])
        logits = vector.numpy() @ model.classifier.weight.numpy().T + model.classifier.bias.numpy()
        np.testing.assert_allclose(model(inputs)[0].numpy(), logits, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_parameter_gets_a_gradient(encoder: EncoderWeights, pooling: str) -> None:
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0)
    model(inputs_of([2, 50, 60, 70, 80, 3], 2)).square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


def test_new_parameters_are_drawn_from_the_seed_and_the_encoders_deviation(encoder: EncoderWeights) -> None:
    def drawn(seed: int) -> Pooling:
        return build_classifier(recipe_of(pooling="cls_cat_poolers"), encoder, 3, seed).pooling

    one, other = drawn(0), drawn(1)
    assert not torch.equal(one.poolers[0].weight, other.poolers[0].weight)
    assert not torch.equal(one.poolers[0].weight, one.poolers[1].weight)
    assert float(one.poolers[0].weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert not one.poolers[0].bias.any()


@pytest.mark.parametrize("pooling", ["mean", "max", "attention", "flatten", "dynamic"])
def test_half_precision(encoder: EncoderWeights, pooling: str) -> None:
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0).eval()
    inputs = inputs_of([2, 50, 60, 70, 80, 3], 4)
    with torch.no_grad():
        whole = model(inputs)
        with torch.autocast("cpu", torch.bfloat16):
            half = model(inputs)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, whole, rtol=0.05, atol=0.02)
