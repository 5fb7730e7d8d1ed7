"""The anatomy of each encoder family: where its parts are, and what its config means. A new family is one entry.

Defaults are those of transformers' config classes, for keys that a ``config.json`` leaves out: to import the classes
themselves would import torch, and cost every plan two seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridsearch.errors import RequestError, one_of


@dataclass(frozen=True, kw_only=True)
class Family:
    """Paths are those of modules in transformers' base model; a model may lack the optional ones.

    ``projection`` widens what ``embeddings`` gives before the first layer reads it. ``shared_by_layers`` is read by all
    layers. ``after_first_layer`` acts between the first layer and the second. ``own_code`` is the module of ours that
    teaches the family to transformers. ``prefix`` is what the encoder is called in its models with a head, where that
    is not the family's name, and ``old_prefixes`` are what it was called in old checkpoints.
    ``pad_token_id`` is given where positions are counted from it. ``n_token_types`` is None without segment embeddings,
    whatever a config says. One that ``needs_mask`` looks for padding itself where it is given none. ``must_be`` lists
    the only values of config keys that the family's code computes.

    ``head`` lists what stands on the base model in its ``...ForMaskedLM``, in the order in which states go through it,
    and ``head_settings`` what a config has to say for that. ``old_head`` maps patterns of names that published heads
    have to names of that class. ``next_sentence`` is the linear map on the pooler in its ``...ForPreTraining`` that
    tells whether two texts belong together, where such a class has one.
    """

    layers: str = "encoder.layer"
    projection: str = ""
    shared_by_layers: tuple[str, ...] = ()
    after_first_layer: str = ""
    has_pooler: bool = True
    shares_layers: bool = False
    own_code: str = ""
    prefix: str = ""
    old_prefixes: tuple[str, ...] = ()
    needs_mask: bool = False
    depth_keys: tuple[str, ...] = ("num_hidden_layers",)
    dropout_keys: tuple[str, ...] = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    n_layers: int = 12
    n_positions: int = 512
    pad_token_id: int | None = None
    n_token_types: int | None = 2
    dropout: float = 0.1
    # transformers 5 dropped BERT's learned relative positions, and would load such a checkpoint without them.
    must_be: Mapping[str, Any] = field(default_factory=lambda: {"position_embedding_type": "absolute"})
    head: tuple[str, ...] = ("cls",)
    head_settings: Mapping[str, Any] = field(default_factory=dict)
    old_head: Mapping[str, str] = field(default_factory=dict)
    next_sentence: str = ""


_NEXT_SENTENCE = "cls.seq_relationship"

FAMILIES: Mapping[str, Family] = {
    "bert": Family(next_sentence=_NEXT_SENTENCE),
    "ernie": Family(next_sentence=_NEXT_SENTENCE),
    "roberta": Family(pad_token_id=1, head=("lm_head",)),
    "xlm-roberta": Family(prefix="roberta", pad_token_id=1, head=("lm_head",)),
    "electra": Family(
        projection="embeddings_project",
        has_pooler=False,
        head=("generator_predictions", "generator_lm_head"),
    ),
    "albert": Family(
        layers="encoder.albert_layer_groups.0.albert_layers",
        projection="encoder.embedding_hidden_mapping_in",
        shares_layers=True,
        dropout=0.0,
        must_be={"position_embedding_type": "absolute", "num_hidden_groups": 1, "inner_group_num": 1},
        head=("predictions",),
    ),
    "distilbert": Family(
        layers="transformer.layer",
        has_pooler=False,
        depth_keys=("n_layers", "num_hidden_layers"),
        dropout_keys=("dropout", "attention_dropout"),
        n_layers=6,
        n_token_types=None,
        head=("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
    ),
    "deberta-v2": Family(
        prefix="deberta",
        shared_by_layers=("encoder.rel_embeddings", "encoder.LayerNorm"),
        after_first_layer="encoder.conv",
        has_pooler=False,
        needs_mask=True,
        n_layers=24,
        n_token_types=0,
        # Two classes compute the same head under two names: the one whose output layer is a module, by whose names it
        # was not published.
        head_settings={"legacy": True},
        old_head={
            r"^lm_predictions\.lm_head\.(dense|LayerNorm)\.": r"cls.predictions.transform.\1.",
            r"^lm_predictions\.lm_head\.bias": "cls.predictions.bias",
        },
    ),
    # Distances beyond the table count as its longest, so no text is too long: the bound is that of the knob.
    "nezha": Family(
        own_code="gridsearch.encoders.pretraining.nezha_heads",
        old_prefixes=("bert",),
        n_positions=8192,
        next_sentence=_NEXT_SENTENCE,
    ),
}


def family_name(config: Mapping[str, Any]) -> str:
    """Return what a config calls its family; NEZHA's first ports call it bert, or nothing at all."""
    return "nezha" if config.get("use_relative_position") is True else str(config.get("model_type", "none"))


def family_in(config: Mapping[str, Any], where: object) -> Family:
    """Return the family of a config; RequestError, saying ``where``, for one that is unknown or of another make."""
    name = family_name(config)
    if name not in FAMILIES:
        raise RequestError(
            f"{where}: {one_of('encoder family', name, list(FAMILIES))}; choose an encoder of one of these"
        )
    for key, value in FAMILIES[name].must_be.items():
        if config.get(key, value) != value:
            raise RequestError(f"{where}: {key} of {name} encoders must be {value!r}, but is {config[key]!r}")
    return FAMILIES[name]


def n_layers(config: Mapping[str, Any], where: object) -> int:
    """Return the depth: how often a token's state is rewritten, also where the layers are one."""
    family = family_in(config, where)
    found = _number(config, family.depth_keys, family.n_layers, where)
    if found < 1:
        raise RequestError(f"{where}: an encoder has one layer or more, but its config.json says {found}")
    return found


def max_tokens(config: Mapping[str, Any], where: object) -> int:
    """Return the longest input that the positions carry; RoBERTa counts them from its padding token's id + 1."""
    family = family_in(config, where)
    n_positions = _number(config, ("max_position_embeddings",), family.n_positions, where)
    if family.pad_token_id is None:
        return n_positions
    return n_positions - _number(config, ("pad_token_id",), family.pad_token_id, where) - 1


def n_token_types(config: Mapping[str, Any], where: object) -> int:
    """Return the size of the segment embeddings, 0 without any."""
    family = family_in(config, where)
    if family.n_token_types is None:
        return 0
    return _number(config, ("type_vocab_size",), family.n_token_types, where)


def dropout(config: Mapping[str, Any], where: object) -> float | None:
    """Return the dropout of hidden states and attention, or None where they differ."""
    family = family_in(config, where)
    values = {float(config.get(key, family.dropout)) for key in family.dropout_keys}
    return values.pop() if len(values) == 1 else None


def why_no_next_sentence(family: str, n_token_types: int) -> str | None:
    """Return why an encoder cannot learn whether two texts belong together, or None where it can."""
    if not FAMILIES[family].has_pooler:
        return f"{family} has no pooler that could tell whether two texts belong together"
    if n_token_types < 2:
        return f"this {family} has no second segment, so it cannot learn whether two texts belong together"
    return None


def _number(config: Mapping[str, Any], keys: tuple[str, ...], default: int, where: object) -> int:
    key = next((key for key in keys if key in config), None)
    value = default if key is None else config[key]
    if not isinstance(value, int):
        raise RequestError(f"{where}: {key} must be a whole number, but is {value!r}")
    return value
