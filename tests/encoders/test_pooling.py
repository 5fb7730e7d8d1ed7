from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gridsearch.encoders import surgery
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pooling import POOLINGS, Pooling, build_pooling
from gridsearch.errors import RequestError
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import EncodedTask, encode_split
from gridsearch.tasks.task import Split
from tests.fixtures_core import MAX_LENGTH, WIDTH, by_family, encoder_in, recipe_of

STATES_BELOW = torch.tensor([[[90.0, 90.0], [90.0, 90.0], [90.0, 90.0]]])  # of the embeddings: no pooling reads them
STATES_1 = torch.tensor([[[2.0, 4.0], [4.0, 8.0], [70.0, -70.0]]])
STATES_2 = torch.tensor([[[5.0, 6.0], [7.0, 8.0], [9.0, 9.0]]])
STATES_3 = torch.tensor([[[1.0, 0.0], [3.0, 6.0], [50.0, -50.0]]])
MASK = torch.tensor([[1, 1, 0]])
SIDES = torch.tensor([[0, 1, 0]])
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
        found: list[float] = module(OUTPUT, SIDES if module.reads.sides else MASK)[0].tolist()
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


def test_the_texts_of_a_pair_by_hand() -> None:
    """The first text's mean is (3, 6), the second's (7, 5): 1, 0 of the first token; 4, 1 apart; their product."""
    states = torch.tensor([[[1.0, 0.0], [2.0, 8.0], [4.0, 4.0], [30.0, 30.0], [7.0, 5.0], [40.0, 40.0], [9.0, 9.0]]])
    output, sides = SimpleNamespace(last_hidden_state=states), torch.tensor([[0, 1, 1, 0, 2, 0, 0]])
    module = build_pooling(recipe_of(pooling="segments"), 2, 3)
    assert module.width == 2
    with torch.no_grad():
        module.linear.weight.copy_(torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.01, 0.02], [0.0, 0.0, 0.0, 0.0, 0.0, -0.05]]))
        module.linear.bias.copy_(torch.tensor([0.1, 0.5]))
        found = module(output, sides)[0].tolist()
    assert found == pytest.approx(np.tanh([0.1 + 1.2 + 0.4 + 0.21 + 0.6 + 0.1, -1.5 + 0.5]).tolist())


def test_every_pooling_has_a_hand_made_case() -> None:
    (cases,) = (mark.args[1] for mark in test_by_hand.pytestmark)  # type: ignore[attr-defined]
    assert {case[0] for case in cases} | {"flatten", "cls_cat_poolers", "segments"} == set(POOLINGS)


def by_loops(pooling: Pooling, name: str, states: np.ndarray, n_tokens: int, sides: list[int]) -> list[float]:
    """Pool one text number by number; states of shape (embeddings and layers, tokens, width)."""
    n_positions, width = states.shape[1:]
    last, dims = states[-1], range(width)
    top = states[-pooling.n_layers :]
    weights = {key: value.detach().double().numpy() for key, value in pooling.named_parameters()}

    def mean(layer: np.ndarray, n: int) -> list[float]:
        return [sum(layer[token][d] for token in range(n)) / n for d in dims]

    def mixed(vectors: list[np.ndarray]) -> list[float]:
        sizes = [np.exp(sum(weights["score.weight"][0][d] * vector[d] for d in dims)) for vector in vectors]
        return [sum(s * v[d] for s, v in zip(sizes, vectors, strict=True)) / sum(sizes) for d in dims]

    def through_pooler(number: int, vector: np.ndarray) -> list[float]:
        matrix, bias = weights[f"poolers.{number}.weight"], weights[f"poolers.{number}.bias"]
        return [np.tanh(sum(matrix[d][e] * vector[e] for e in dims) + bias[d]) for d in dims]

    def compared() -> list[float]:
        ones, twos = ([last[token] for token, side in enumerate(sides) if side == which] for which in (1, 2))
        first, second = ([sum(one[d] for one in some) / max(len(some), 1) for d in dims] for some in (ones, twos))
        apart = [abs(one - other) for one, other in zip(first, second, strict=True)]
        features = [*last[0], *apart, *(one * other for one, other in zip(first, second, strict=True))]
        matrix, bias = weights["linear.weight"], weights["linear.bias"]
        return [np.tanh(sum(matrix[d][e] * feature for e, feature in enumerate(features)) + bias[d]) for d in dims]

    def half_way(n: int) -> list[float]:
        return [(one + other) / 2 for one, other in zip(mean(states[1], n), mean(last, n), strict=True)]

    formulas = {
        "segments": compared,
        "cls": lambda: list(last[0]),
        "pooler": lambda: [2 * number for number in last[0]],
        "mean": lambda: mean(last, n_tokens),
        "max": lambda: [max(last[token][d] for token in range(n_tokens)) for d in dims],
        "first_last_avg": lambda: half_way(n_tokens),
        "first_last_avg_unmasked": lambda: half_way(n_positions),
        "cls_cat": lambda: [number for layer in top for number in layer[0]],
        "cls_cat_poolers": lambda: [x for i, layer in enumerate(top) for x in through_pooler(i, layer[0])],
        "mean_cat": lambda: [number for layer in top for number in mean(layer, n_tokens)],
        "dynamic": lambda: mixed([layer[0] for layer in top]),
        "attention": lambda: mixed([last[token] for token in range(n_tokens)]),
        "flatten": lambda: [
            last[token][d] if token < n_tokens else 0.0 for token in range(pooling.max_length) for d in dims
        ],
    }
    return formulas[name]()


@pytest.mark.parametrize("name", list(POOLINGS))
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3), n_layers=st.integers(1, 3), seed=st.integers(0, 99))
def test_against_loops(name: str, lengths: list[int], n_layers: int, seed: int) -> None:
    """Texts of several lengths in one batch; where padding stands, states are as large as any other."""
    stream = torch.Generator().manual_seed(seed)
    states = torch.randn(4, len(lengths), max(lengths), 3, generator=stream, dtype=torch.float64)
    last = states[-1]
    output = SimpleNamespace(last_hidden_state=last, hidden_states=tuple(states), pooler_output=2 * last[:, 0])
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)).long()
    sides = torch.randint(3, mask.shape, generator=stream) * mask
    pooling = build_pooling(recipe_of(pooling=name, pooling_layers=n_layers, max_length=6), 3, 3).double()
    with torch.no_grad():
        for parameter in pooling.parameters():
            parameter.normal_(generator=stream)
        found = pooling(output, sides if pooling.reads.sides else mask).numpy()
    expected = [
        by_loops(pooling, name, states[:, row].numpy(), length, sides[row].tolist())
        for row, length in enumerate(lengths)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("family", by_family())
def test_the_layers_of_every_family(family_folders: dict[str, Path], family: str) -> None:
    """What a layer gives is what the next one reads; the embeddings' output is none of it."""
    model = build_classifier(recipe_of(pooling="cls_cat"), encoder_in(family_folders[family]), 3, seed=0).eval()
    read: list[Tensor] = []
    for layer in surgery.layers(model.encoder):
        layer.register_forward_pre_hook(
            lambda module, arguments, others: read.append(arguments[0] if arguments else others["hidden_states"]),
            with_kwargs=True,
        )
    inputs = {"input_ids": torch.arange(5, 17).reshape(2, 6), "attention_mask": torch.ones(2, 6, dtype=torch.long)}
    with torch.no_grad():
        output = model.encoder(**inputs, output_hidden_states=True)
        found = model.pooling(output, inputs["attention_mask"])
    assert len(read) == 3
    states = [*read[1:], output.last_hidden_state]
    assert torch.equal(found, torch.cat([layer[:, 0] for layer in states], dim=1))


def test_padding_that_is_read_does_not_depend_on_the_batch(encoder: EncoderWeights, data: EncodedTask) -> None:
    model = build_classifier(recipe_of(pooling="first_last_avg_unmasked"), encoder, 3, seed=0).eval()
    shortest, longest = data.train.lengths.argmin(), data.train.lengths.argmax()

    def logits(*rows: int) -> Tensor:
        batch = collate(data.train, np.array(rows), data.pad_id, torch.device("cpu"), model.padded_width)
        assert batch["input_ids"].shape == (len(rows), MAX_LENGTH)
        with torch.no_grad():
            return model(batch)[0, 0]

    assert data.train.lengths[shortest] < data.train.lengths[longest]
    torch.testing.assert_close(logits(shortest), logits(shortest, longest))


# --- the two texts of a pair


PAIRS = Split(
    ("sort the index", "return the map", "", "map", "a map of the index of the map and the index of a sorted map"),
    (0, 1, 0, 1, 2),
    ("the index", "", "return the index", "sort the map of the index by the index of the map and return it", "map"),
)
"""Texts of several lengths, some of them empty."""


@pytest.mark.parametrize("max_length", [7, 40])
@pytest.mark.parametrize("family", by_family())
def test_the_texts_of_a_pair_on_every_family(family_folders: dict[str, Path], family: str, max_length: int) -> None:
    """With segment ids and without, cut and whole: worked out row by row, by what the tokenizer says of its tokens."""
    encoder = encoder_in(family_folders[family])
    tokenizer = build_tokenizer(encoder.tokenizer)
    model = build_classifier(recipe_of(pooling="segments", max_length=max_length), encoder, 3, seed=0).eval()
    split = encode_split(PAIRS, tokenizer, max_length)
    with torch.no_grad():
        batch = collate(split, np.arange(len(PAIRS)), int(tokenizer.pad_token_id), torch.device("cpu"))
        found = model(batch)[0]
        weight, bias = model.pooling.linear.weight, model.pooling.linear.bias
        assert weight.shape == (WIDTH, 3 * WIDTH)
        for row, (first, second) in enumerate(zip(PAIRS.texts, PAIRS.pairs or (), strict=True)):
            cut = {"truncation": "longest_first", "max_length": max_length}
            of_row = tokenizer([first], [second], return_tensors="pt", **cut)
            texts = np.array([-1 if text is None else text for text in of_row.encodings[0].sequence_ids])
            states = model.encoder(**of_row).last_hidden_state[0]
            means = [states[texts == text].sum(0) / max(1, (texts == text).sum()) for text in (0, 1)]
            features = torch.cat([states[0], (means[0] - means[1]).abs(), means[0] * means[1]])
            expected = torch.tanh(weight @ features + bias) @ model.classifier.weight.T + model.classifier.bias
            torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


def test_an_empty_text_has_finite_gradients(encoder: EncoderWeights) -> None:
    tokenizer = build_tokenizer(encoder.tokenizer)
    model = build_classifier(recipe_of(pooling="segments"), encoder, 3, seed=0)
    empty = encode_split(Split(("", "map"), None, ("", "")), tokenizer, 24)
    logits = model(collate(empty, np.arange(2), int(tokenizer.pad_token_id), torch.device("cpu")))
    logits.square().sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_the_other_rows_of_a_batch_change_nothing(encoder: EncoderWeights) -> None:
    tokenizer = build_tokenizer(encoder.tokenizer)
    model = build_classifier(recipe_of(pooling="segments"), encoder, 3, seed=0).eval()
    split = encode_split(PAIRS, tokenizer, 24)

    def logits(*rows: int) -> Tensor:
        with torch.no_grad():
            return model(collate(split, np.array(rows), int(tokenizer.pad_token_id), torch.device("cpu")))[0]

    together = logits(*range(len(PAIRS)))
    for row in range(len(PAIRS)):
        torch.testing.assert_close(logits(row)[0], together[row], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(logits(4, row, row)[2], together[row], rtol=1e-4, atol=1e-6)


def test_single_texts_are_refused(facts: TrialFacts) -> None:
    recipe = recipe_of(pooling="segments")
    refuse_contradictions(recipe, replace(facts, is_pair=True))
    with pytest.raises(
        RequestError, match="pooling = 'segments' compares two texts, but a task of single texts has no"
    ):
        refuse_contradictions(recipe, facts)


def inputs_of(ids: list[int], n_padding: int) -> dict[str, Tensor]:
    """Return a batch of one pair, whose second text is all tokens but two special ones and two of the first text."""
    mask = [1] * len(ids) + [0] * n_padding
    return {
        "input_ids": torch.tensor([ids + [0] * n_padding]),
        "attention_mask": torch.tensor([mask]),
        "token_type_ids": torch.zeros(1, len(mask), dtype=torch.long),
        "sides": torch.tensor([[0, 1, 1, *[2] * (len(ids) - 4), *[0] * (1 + n_padding)]]),
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
        told = inputs["sides"] if model.pooling.reads.sides else inputs["attention_mask"]
        vector = model.pooling(model.encoder(**model.inputs(inputs), output_hidden_states=True), told)
        logits = vector.numpy() @ model.classifier.weight.numpy().T + model.classifier.bias.numpy()
        np.testing.assert_allclose(model(inputs)[0].numpy(), logits, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_parameter_gets_a_gradient(encoder: EncoderWeights, pooling: str) -> None:
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0)
    model(inputs_of([2, 50, 60, 70, 80, 3], 2)).square().sum().backward()
    without = [name for name, p in model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    # Nothing but rounding keeps the keys' bias from a slope of 0.
    assert [name for name in without if not name.endswith("key.bias")] == []


def test_new_parameters_are_drawn_from_the_seed_and_the_encoders_deviation(encoder: EncoderWeights) -> None:
    def drawn(seed: int) -> Pooling:
        return build_classifier(recipe_of(pooling="cls_cat_poolers"), encoder, 3, seed).pooling

    one, other = drawn(0), drawn(1)
    assert not torch.equal(one.poolers[0].weight, other.poolers[0].weight)
    assert not torch.equal(one.poolers[0].weight, one.poolers[1].weight)
    assert float(one.poolers[0].weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert not one.poolers[0].bias.any()


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_half_precision(encoder: EncoderWeights, pooling: str) -> None:
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0).eval()
    inputs = inputs_of([2, 50, 60, 70, 80, 3], 4)
    with torch.no_grad():
        whole = model(inputs)
        with torch.autocast("cpu", torch.bfloat16):
            half = model(inputs)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, whole, rtol=0.05, atol=0.02)
