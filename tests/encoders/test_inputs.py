from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gridsearch.encoders import surgery
from gridsearch.encoders.classifier import Classifier, build_classifier, trainable
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.load import EncoderWeights
from tests.fixtures_core import by_family, encoder_in, recipe_of
from tests.liveness_cases import WITHOUT_SEGMENTS

IDS = torch.tensor([[2, 50, 60, 3, 60, 70, 3], [2, 90, 3, 91, 92, 93, 3]])
MARKS = torch.tensor([[0, 0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]])


@pytest.fixture(scope="module")
def weights_of(family_folders: dict[str, Path]) -> Callable[[str], EncoderWeights]:
    return cache(lambda family: encoder_in(family_folders[family]))


def built(encoder: EncoderWeights, **knobs: Any) -> Classifier:
    return build_classifier(recipe_of(**knobs), encoder, 3, seed=0).eval()


def batch(family: str, marks: Tensor = MARKS, types: bool = True) -> dict[str, Tensor]:
    inputs = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS), "cooccurrence": marks}
    if types and family not in WITHOUT_SEGMENTS:
        inputs["token_type_ids"] = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1]])
    return inputs


def seen_by_first_layer(model: Classifier, inputs: dict[str, Tensor]) -> Tensor:
    seen: list[Tensor] = []
    handle = surgery.layers(model.encoder)[0].register_forward_pre_hook(
        lambda module, arguments, others: seen.append(arguments[0] if arguments else others["hidden_states"]),
        with_kwargs=True,
    )
    with torch.no_grad():
        model(inputs)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("family", by_family())
def test_the_scalar_is_added_to_all_that_the_first_layer_reads(
    family: str, weights_of: Callable[[str], EncoderWeights]
) -> None:
    plain = seen_by_first_layer(built(weights_of(family)), batch(family))
    marked = seen_by_first_layer(built(weights_of(family), cooccurrence="add_scalar"), batch(family))
    torch.testing.assert_close(marked - plain, MARKS.unsqueeze(-1).expand_as(plain).float())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_vector_is_added_to_the_words(family: str, weights_of: Callable[[str], EncoderWeights]) -> None:
    model = built(weights_of(family), cooccurrence="embedding")
    table = surgery.word_embeddings(model.encoder)
    assert model.inputs.vectors is not None
    assert model.inputs.vectors.weight.shape == (2, table.embedding_dim)
    seen: list[Tensor] = []
    table.register_forward_hook(lambda module, arguments, output: seen.append(output))
    with torch.no_grad():
        model(batch(family))
    expected = table.weight[IDS] + model.inputs.vectors.weight[MARKS]
    torch.testing.assert_close(seen[0], expected.detach())


@pytest.mark.parametrize("mode", ["add_scalar", "embedding"])
def test_no_marks_are_kept_from_one_batch_to_the_next(encoder: EncoderWeights, mode: str) -> None:
    model = built(encoder, cooccurrence=mode)
    with torch.no_grad():
        first, other = model(batch("bert")), model(batch("bert", marks=1 - MARKS))
        assert torch.equal(model(batch("bert")), first)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("mode", ["add_scalar", "embedding"])
def test_an_encoder_called_by_itself_meets_no_marks(encoder: EncoderWeights, mode: str) -> None:
    model = built(encoder, cooccurrence=mode)
    ids = torch.arange(5, 30).reshape(5, 5)
    with torch.no_grad():
        alone = model.encoder(ids).last_hidden_state
        model(batch("bert"))
        assert torch.equal(model.encoder(ids).last_hidden_state, alone)


@pytest.mark.parametrize("mode", ["add_scalar", "embedding"])
@pytest.mark.parametrize("family", by_family(family for family in FAMILIES if not FAMILIES[family].overflows_in_half))
def test_training_in_half_precision(family: str, weights_of: Callable[[str], EncoderWeights], mode: str) -> None:
    model = built(weights_of(family), cooccurrence=mode).train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(batch(family)).square().sum()
    loss.backward()
    assert [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


def test_the_marks_are_no_argument_of_an_encoder_that_does_not_use_them(encoder: EncoderWeights) -> None:
    with_marks, without = batch("bert"), batch("bert")
    without.pop("cooccurrence")
    model = built(encoder)
    with torch.no_grad():
        assert torch.equal(model(with_marks), model(without))


def test_zero_segments_are_those_of_one_text(encoder: EncoderWeights) -> None:
    zeros, segments = built(encoder, token_types="zeros"), built(encoder)
    one_text = batch("bert") | {"token_type_ids": torch.zeros_like(IDS)}
    with torch.no_grad():
        assert torch.equal(zeros(batch("bert")), segments(one_text))
        assert not torch.equal(zeros(batch("bert")), segments(batch("bert")))


def test_the_vectors_train_where_the_embeddings_are_frozen(encoder: EncoderWeights) -> None:
    model = built(encoder, cooccurrence="embedding", frozen_layers="embeddings").train()
    model(batch("bert")).square().sum().backward()
    assert model.inputs.vectors is not None
    gradient = model.inputs.vectors.weight.grad
    assert gradient is not None
    assert np.count_nonzero(gradient.abs().sum(1)) == 2
    assert len(trainable(model)) > 2
    assert model.depths()[model.inputs.vectors.weight] == 0
