"""Dropout drops what it says, as often as it says, and the same again from the same random state."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gridsearch.encoders.dropout import N_VALUES, Dropout, drop
from gridsearch.encoders.load import EncoderWeights, build_model

N = 200_000


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_share_that_is_dropped(probability: float, precision: torch.dtype) -> None:
    torch.manual_seed(0)
    dropped = drop(torch.ones(N, dtype=precision), probability)
    kept = dropped[dropped != 0]
    share, deviation = 1 - len(kept) / N, math.sqrt(probability * (1 - probability) / N)
    assert abs(share - probability) < 4 * deviation + 0.5 / N_VALUES
    assert dropped.dtype == precision

    torch.testing.assert_close(kept.float(), torch.full_like(kept, 1 / (1 - probability)).float(), rtol=0.005, atol=0)


def test_elements_are_independent() -> None:
    """Neighbours, and elements that share 64 random bits, drop together no more often than others."""
    torch.manual_seed(1)
    dropped = (drop(torch.ones(N), 0.5) == 0).float() - 0.5
    for distance in (1, 2, 3, 4, 384):
        correlation = (dropped[distance:] * dropped[:-distance]).mean() / 0.25
        assert abs(correlation) < 4 / math.sqrt(N)


@pytest.mark.slow  # many shapes, drawn at random
@given(st.integers(0, 2**62), st.lists(st.integers(0, 5), max_size=3).map(tuple), st.floats(0, 1))
def test_the_same_state_gives_the_same_mask(seed: int, shape: tuple[int, ...], probability: float) -> None:
    ones = torch.ones(shape)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second = drop(ones, probability), drop(ones, probability)
        torch.manual_seed(seed)
        assert torch.equal(drop(ones, probability), first)
        assert torch.equal(drop(ones, probability), second)
    assert first.shape == shape
    assert first.isfinite().all()


def test_another_mask_each_time() -> None:
    assert not torch.equal(drop(torch.ones(64), 0.5), drop(torch.ones(64), 0.5))


def test_all_and_nothing() -> None:
    features = torch.randn(5, 7)
    assert torch.equal(drop(features, 0.0), features)
    assert torch.equal(drop(features, 1.0), torch.zeros(5, 7))
    assert torch.equal(Dropout(0.5).eval()(features), features)


def test_gradients_pass_where_features_did() -> None:
    features = torch.randn(50, 8, requires_grad=True)
    dropped = drop(features, 0.5)
    dropped.sum().backward()
    assert torch.equal(features.grad, torch.where(dropped == 0, 0.0, 2.0))


def test_no_dropout_of_torchs_own_is_left(encoder: EncoderWeights) -> None:
    kinds = {type(module) for module in build_model(encoder, None).modules() if isinstance(module, nn.Dropout)}
    assert kinds == {Dropout}
