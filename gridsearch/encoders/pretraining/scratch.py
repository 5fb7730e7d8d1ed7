"""An encoder from random weights that reads another one's tokens: what a pretraining from scratch starts from."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.anatomy import word_table
from gridsearch.encoders.checkpoint.config import CONFIG, model_config
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import RequestError
from gridsearch.randomness import torch_stream
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel

DROPOUT = 0.1
INITIAL_STD = 0.02  # arXiv:1810.04805 and all of its family after it
N_POSITIONS = 512
INNER = 4  # times the width is a layer's inner width
ALBERTS_TABLE = 128  # width of its word vectors at every size: arXiv:1909.11942, table 1
_TOKENIZER_CONFIG = "tokenizer_config.json"

_PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "roberta": {"type_vocab_size": 1, "layer_norm_eps": 1e-5},
}
"""What published checkpoints of a family have beside what is the same in all; the rest is as in its config class."""


def scratch_card(card: EncoderCard, pretraining: PretrainingRecipe) -> EncoderCard:
    """Describe the encoder without making it; ``card`` is that of the encoder whose vocabulary it gets.

    Raises RequestError for one that cannot be made.
    """
    if pretraining.width % pretraining.heads:
        raise RequestError(
            f"pretraining.heads must divide pretraining.width, but they are {pretraining.heads} and {pretraining.width}"
        )
    family = FAMILIES[pretraining.family]
    return replace(
        card,
        family=pretraining.family,
        n_layers=pretraining.layers,
        has_pooler=family.has_pooler,
        has_token_head=True,
        has_final_norm=bool(family.final_norm),
        layers_are_placed=family.are_placed,
        overflows_in_half=family.overflows_in_half,
        max_tokens=_max_tokens(pretraining),
        notes=(),
        dropout=DROPOUT,
        shares_layers=family.shares_layers,
        pooler_is_pretrained=False,
        n_token_types=_n_token_types(pretraining.family),
    )


def scratch_weights(vocabulary_of: EncoderWeights, pretraining: PretrainingRecipe, seed: int) -> EncoderWeights:
    """Make the encoder: the same numbers in every process, whatever its thread count and random state.

    It has no pooler yet: whoever needs one draws it. Its identity is the other's; the stage has one of its own.
    """
    from transformers import AutoModel

    from gridsearch.encoders import surgery
    from gridsearch.encoders.undrawn import empty

    n_tokens = len(vocabulary_of.state[word_table(vocabulary_of.config)])
    pad_id = int(build_tokenizer(vocabulary_of.tokenizer).pad_token_id)
    config = scratch_config(pretraining, n_tokens, pad_id)
    model: PreTrainedModel = empty(lambda: AutoModel.from_config(model_config(config)))
    surgery.draw(model, INITIAL_STD, torch_stream(seed, "scratch"))
    _clear_padding(model)
    state = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    missing = tuple(sorted(name for name in state if name.startswith("pooler.")))
    drawn = {name: array for name, array in state.items() if name not in missing}
    files = {**scratch_tokenizer(vocabulary_of.tokenizer, pretraining.family), CONFIG: _json(config)}
    return EncoderWeights(vocabulary_of.identity, config, drawn, missing, files)


def scratch_tokenizer(files: Mapping[str, bytes], family: str) -> dict[str, bytes]:
    """Return a tokenizer's files for an encoder of a family, of any shape: it gives the same tokens.

    Its class is named: without a name the encoder's family would decide. Of the config there is what a tokenizer reads.
    """
    name = type(build_tokenizer(files)).__name__
    settings = {**json.loads(files.get(_TOKENIZER_CONFIG, b"{}")), "tokenizer_class": name}
    config = {"model_type": family, "type_vocab_size": _n_token_types(family)}
    if "vocab_size" in (others := json.loads(files[CONFIG])):
        config["vocab_size"] = others["vocab_size"]
    return {**files, _TOKENIZER_CONFIG: _json(settings), CONFIG: _json(config)}


def _max_tokens(pretraining: PretrainingRecipe) -> int:
    return max(N_POSITIONS, int(pretraining.max_length))


def _n_token_types(family: str) -> int:
    return int(_PUBLISHED.get(family, {}).get("type_vocab_size", 2))


def scratch_config(pretraining: PretrainingRecipe, n_tokens: int, pad_id: int) -> dict[str, Any]:
    """Return a ``config.json``; keys that a family does not know are not in it."""
    name, width = pretraining.family, pretraining.width
    counted_from_padding = FAMILIES[name].pad_token_id is not None
    config = {
        "model_type": name,
        "vocab_size": n_tokens,
        "pad_token_id": pad_id,
        "num_hidden_layers": pretraining.layers,
        "hidden_size": width,
        "num_attention_heads": pretraining.heads,
        "intermediate_size": INNER * width,
        "max_position_embeddings": _max_tokens(pretraining) + (pad_id + 1 if counted_from_padding else 0),
        "type_vocab_size": 2,
        "initializer_range": INITIAL_STD,
        **dict.fromkeys(FAMILIES[name].dropouts, DROPOUT),
    }
    tables = {"electra": width, "albert": min(ALBERTS_TABLE, width)}
    if name in tables:
        config["embedding_size"] = tables[name]
    return {**config, **_PUBLISHED.get(name, {})}


def _clear_padding(model: "PreTrainedModel") -> None:
    import torch
    from torch import nn

    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.Embedding) and part.padding_idx is not None:
                part.weight[part.padding_idx] = 0.0


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
