"""Small checkpoints of every family as a pretraining leaves them: an encoder, and a head that predicts tokens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gridsearch.encoders.pretraining import nezha_heads  # noqa: F401  teaches transformers the family
from tests.fixtures_core import family_config, family_settings, save_encoder

WORDS = [f"{first}{second}" for first in "abcdef" for second in "abcdef"]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
IDS = torch.tensor([[2, 7, 9, 7, 3, 11, 3], [2, 5, 6, 3, 8, 11, 3], [2, 12, 4, 30, 3, 20, 3]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]])
TYPES = torch.tensor([[0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1]])
POSITIONS = torch.tensor([1, 3, 9, 16, 17])
"""Of tokens that are predicted, in the first, second and last row."""


def tokens_of(family: str) -> list[str]:
    """Return the vocabulary; where positions are counted from the padding token, its id is 1."""
    padding_second = family_settings()[family].get("pad_token_id") == 1
    return [TOKENS[1], TOKENS[0], *TOKENS[2:]] if padding_second else TOKENS


def save_headed(folder: Path, family: str, kind: Any, change: Callable[[Any], None] = lambda model: None) -> Any:
    """Write a checkpoint of one of transformers' auto classes, and return the model in evaluation."""
    settings = family_settings()[family]
    with torch.random.fork_rng():
        torch.manual_seed(8)
        model = kind.from_config(family_config(family, vocab_size=len(TOKENS), **settings))
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    change(model)
    save_encoder(model, folder, tokens_of(family), tokenizer_class="BertTokenizer")
    return model.eval()


def inputs_of(model: Any) -> dict[str, Tensor]:
    """Return a batch that has two segments where the model tells them apart."""
    types = {"token_type_ids": TYPES} if getattr(model.config, "type_vocab_size", 0) > 1 else {}
    return {"input_ids": IDS, "attention_mask": MASK, **types}


def at_positions(logits: Tensor) -> Tensor:
    return logits.flatten(0, 1)[POSITIONS]
