from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pooling import POOLINGS
from tests.fixtures_core import recipe_of

STATES_BELOW = torch.tensor([[[90.0, 90.0], [90.0, 90.0], [90.0, 90.0]]])  # of the embeddings: no pooling reads them
STATES_1 = torch.tensor([[[2.0, 4.0], [4.0, 8.0], [70.0, -70.0]]])
STATES_2 = torch.tensor([[[5.0, 5.0], [5.0, 5.0], [5.0, 5.0]]])
STATES_3 = torch.tensor([[[1.0, 0.0], [3.0, 6.0], [50.0, -50.0]]])
MASK = torch.tensor([[1, 1, 0]])
OUTPUT = SimpleNamespace(
    last_hidden_state=STATES_3,
    hidden_states=(STATES_BELOW, STATES_1, STATES_2, STATES_3),
    pooler_output=torch.tensor([[0.5, -0.5]]),
)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("cls", [1.0, 0.0]),
        ("pooler", [0.5, -0.5]),
        ("mean", [2.0, 3.0]),
        ("first_last_avg", [(3.0 + 2.0) / 2, (6.0 + 3.0) / 2]),
    ],
)
def test_by_hand(pooling: str, expected: list[float]) -> None:
    torch.testing.assert_close(POOLINGS[pooling](OUTPUT, MASK), torch.tensor([expected]))


def test_every_pooling_has_a_case_above() -> None:
    assert set(POOLINGS) == {"cls", "pooler", "mean", "first_last_avg"}


def inputs_of(ids: list[int], n_padding: int) -> dict[str, torch.Tensor]:
    mask = [1] * len(ids) + [0] * n_padding
    return {
        "input_ids": torch.tensor([ids + [0] * n_padding]),
        "attention_mask": torch.tensor([mask]),
        "token_type_ids": torch.zeros(1, len(mask), dtype=torch.long),
    }


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_padding_changes_nothing(encoder: EncoderWeights, pooling: str) -> None:
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0).eval()
    ids = [2, 50, 60, 70, 80, 3]
    with torch.no_grad():
        bare, padded = model(inputs_of(ids, 0)), model(inputs_of(ids, 9))
    assert bare.abs().max() > 1e-3
    torch.testing.assert_close(bare, padded, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_against_the_encoder_itself(encoder: EncoderWeights, pooling: str) -> None:
    """The classifier asks the encoder for what its pooling reads, and reads it in the right place."""
    model = build_classifier(recipe_of(pooling=pooling), encoder, 3, seed=0).eval()
    inputs = inputs_of([2, 50, 60, 70, 80, 3], 2)
    with torch.no_grad():
        output = model.encoder(**inputs, output_hidden_states=True)
        first, last = (output.hidden_states[i][0, :6].numpy() for i in (1, -1))
        expected = {
            "cls": last[0],
            "pooler": np.tanh(
                last[0] @ model.encoder.pooler.dense.weight.numpy().T + model.encoder.pooler.dense.bias.numpy()
            ),
            "mean": last.mean(axis=0),
            "first_last_avg": (first.mean(axis=0) + last.mean(axis=0)) / 2,
        }[pooling]
        logits = expected @ model.classifier.weight.numpy().T + model.classifier.bias.numpy()
        np.testing.assert_allclose(model(inputs)[0].numpy(), logits, rtol=1e-4, atol=1e-6)


def test_states_of_half_precision_are_averaged() -> None:
    half = SimpleNamespace(last_hidden_state=STATES_3.bfloat16())
    assert POOLINGS["mean"](half, MASK).dtype == torch.bfloat16
