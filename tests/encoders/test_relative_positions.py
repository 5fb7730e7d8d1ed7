from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from gridsearch.encoders.load import build_model
from gridsearch.encoders.mended.relative_positions import KeptPositions
from tests.fixtures_core import encoder_in


def test_those_of_a_shorter_text_are_a_corner(family_folders: dict[str, Path]) -> None:
    """As transformers makes them, beyond the distance from which on they are logarithmic too."""
    make = AutoModel.from_pretrained(family_folders["deberta-v2"]).encoder.get_rel_pos
    whole = make(torch.empty(1, 64, 32))
    assert whole.shape == (1, 64, 64)
    for n_tokens in (1, 2, 9, 33, 63):
        assert torch.equal(whole[:, :n_tokens, :n_tokens], make(torch.empty(7, n_tokens, 32)))


def test_they_are_made_once_for_the_longest_text(family_folders: dict[str, Path]) -> None:
    made: list[int] = []

    def make(states: torch.Tensor) -> torch.Tensor:
        made.append(states.shape[1])
        assert states.device.type == "cpu"
        return torch.zeros(1, states.shape[1], states.shape[1], dtype=torch.int64)

    kept = KeptPositions(make)
    for n_tokens in (5, 3, 5, 8, 1):
        assert kept(torch.empty(2, n_tokens, 4, device="meta"), None, None).shape == (1, n_tokens, n_tokens)
    assert made == [5, 8]


@pytest.mark.slow  # a model of every family
def test_deberta_alone_keeps_them(family_folders: dict[str, Path]) -> None:
    for family, folder in family_folders.items():
        encoder = build_model(encoder_in(folder), None)
        keeps = isinstance(getattr(getattr(encoder, "encoder", None), "get_rel_pos", None), KeptPositions)
        assert keeps == (family in ("deberta", "deberta-v2"))
