"""The anatomy of each encoder family: where its parts are, and what its config means. A new family is one entry.

Defaults are those of transformers' config classes, for keys that a ``config.json`` leaves out: to import the classes
themselves would import torch, and cost every plan two seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridsearch.errors import RequestError

_DROPOUTS: Mapping[str, float] = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
_NO_DROPOUTS = dict.fromkeys(_DROPOUTS, 0.0)


@dataclass(frozen=True, kw_only=True)
class Family:
    """Paths are those of modules in transformers' base model; a model may lack the optional ones.

    ``words`` is the table of token vectors, and ``embeddings`` the module in which it stands, whatever else that holds.
    ``projection`` widens what ``embeddings`` gives before the first layer reads it. ``shared_by_layers`` is read by all
    layers. ``after_first_layer`` acts between the first layer and the second. ``final_norm`` acts on what the last
    layer gives. ``are_placed``: a layer is made for its place among the others, so that none can stand in another's.
    ``reads_padding``: its convolutions do, so they are shown none. ``overflows_in_half``: its code cannot be run in
    bfloat16. ``own_code`` is the module of ours that
    teaches the family to transformers. ``prefix`` is what the encoder is called in its models with a head, where that
    is not the family's name, and ``old_prefixes`` are what it was called in old checkpoints.
    ``published`` maps patterns of names in checkpoints to those in transformers' model, one after the other, and
    ``fused`` parts of such names to the parts of the tensors that lie in one there, side by side on its first axis.
    ``pad_token_id`` is given where positions are counted from it. ``n_token_types`` is None without segment embeddings,
    whatever a config says. ``dropouts`` are the config's probabilities inside the encoder. One that ``needs_mask``
    looks for padding itself where it is given none. ``must_be`` lists the only values of config keys that the family's
    code computes. ``settings`` take the place of a config's. ``is_known`` is false where all this was
    found by looking at a model.

    ``head`` lists what stands on the base model in its ``...ForMaskedLM``, in the order in which states go through it,
    and ``head_settings`` what a config has to say for that. ``old_head`` maps patterns of names that published heads
    have to names of that class. ``next_sentence`` is the linear map on the pooler in its ``...ForPreTraining`` that
    tells whether two texts belong together, where such a class has one.
    """

    layers: str = "encoder.layer"
    embeddings: str = "embeddings"
    words: str = "embeddings.word_embeddings"
    projection: str = ""
    shared_by_layers: tuple[str, ...] = ()
    after_first_layer: str = ""
    final_norm: str = ""
    has_pooler: bool = True
    shares_layers: bool = False
    are_placed: bool = False
    reads_padding: bool = False
    overflows_in_half: bool = False
    own_code: str = ""
    prefix: str = ""
    old_prefixes: tuple[str, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)
    fused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs_mask: bool = False
    depth_keys: tuple[str, ...] = ("num_hidden_layers",)
    dropouts: Mapping[str, float] = field(default_factory=lambda: _DROPOUTS)
    n_layers: int = 12
    n_positions: int = 512
    pad_token_id: int | None = None
    n_token_types: int | None = 2
    # transformers 5 dropped BERT's learned relative positions, and would load such a checkpoint without them.
    must_be: Mapping[str, Any] = field(default_factory=lambda: {"position_embedding_type": "absolute"})
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_known: bool = True
    head: tuple[str, ...] = ("cls",)
    head_settings: Mapping[str, Any] = field(default_factory=dict)
    old_head: Mapping[str, str] = field(default_factory=dict)
    next_sentence: str = ""


_NEXT_SENTENCE = "cls.seq_relationship"
_DEBERTAS_HEAD = {
    r"^lm_predictions\.lm_head\.(dense|LayerNorm)\.": r"cls.predictions.transform.\1.",
    r"^lm_predictions\.lm_head\.bias": "cls.predictions.bias",
}
_NORMS = {r"\.norm1\.": ".post_attention_layernorm.", r"\.norm2\.": ".post_mlp_layernorm."}
_ATTENTION = (".self_attn.q_proj.", ".self_attn.k_proj.", ".self_attn.v_proj.")

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
        dropouts=_NO_DROPOUTS,
        must_be={"position_embedding_type": "absolute", "num_hidden_groups": 1, "inner_group_num": 1},
        head=("predictions",),
    ),
    "distilbert": Family(
        layers="transformer.layer",
        has_pooler=False,
        depth_keys=("n_layers", "num_hidden_layers"),
        dropouts={"dropout": 0.1, "attention_dropout": 0.1},
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
        old_head=_DEBERTAS_HEAD,
    ),
    "deberta": Family(
        needs_mask=True,
        overflows_in_half=True,
        shared_by_layers=("encoder.rel_embeddings",),
        has_pooler=False,
        n_token_types=0,
        head_settings={"legacy": True},
        old_head=_DEBERTAS_HEAD,
    ),
    # Distances beyond the table count as its longest, so no text is too long: the bound is that of the knob.
    "nezha": Family(
        own_code="gridsearch.encoders.pretraining.nezha_heads",
        old_prefixes=("bert",),
        n_positions=8192,
        next_sentence=_NEXT_SENTENCE,
    ),
    "camembert": Family(prefix="roberta", pad_token_id=1, head=("lm_head",)),
    # Its first layer has no norm before its attention, and every third one attends to the whole text.
    "modernbert": Family(
        layers="layers",
        words="embeddings.tok_embeddings",
        final_norm="final_norm",
        has_pooler=False,
        are_placed=True,
        prefix="model",
        dropouts={"attention_dropout": 0.0, "embedding_dropout": 0.0, "mlp_dropout": 0.0},
        n_layers=22,
        n_positions=8192,
        n_token_types=None,
        head=("head", "decoder"),
    ),
    "eurobert": Family(
        layers="layers",
        embeddings="embed_tokens",
        words="embed_tokens",
        final_norm="norm",
        has_pooler=False,
        prefix="model",
        dropouts={"attention_dropout": 0.0},
        n_positions=8192,
        n_token_types=None,
        head=("lm_head",),
    ),
    "roformer": Family(needs_mask=True, projection="embeddings_project", has_pooler=False, n_positions=1536),
    "xlm-roberta-xl": Family(
        final_norm="encoder.LayerNorm",
        prefix="roberta",
        n_layers=36,
        n_positions=514,
        pad_token_id=1,
        n_token_types=1,
        head=("lm_head",),
    ),
    "roberta-prelayernorm": Family(
        final_norm="LayerNorm", prefix="roberta_prelayernorm", pad_token_id=1, head=("lm_head",)
    ),
    "megatron-bert": Family(
        needs_mask=True, final_norm="encoder.ln", prefix="bert", n_layers=24, next_sentence=_NEXT_SENTENCE
    ),
    "mpnet": Family(
        shared_by_layers=("encoder.relative_attention_bias",),
        pad_token_id=1,
        n_token_types=None,
        must_be={"pad_token_id": 1, "relative_attention_num_buckets": 32},  # its code has both as numbers
        head=("lm_head",),
    ),
    "convbert": Family(
        needs_mask=True,
        projection="embeddings_project",
        has_pooler=False,
        reads_padding=True,
        head=("generator_predictions", "generator_lm_head"),
    ),
    # Attention in blocks leaves out most pairs of tokens; texts for which it was made are longer than most.
    "big_bird": Family(
        needs_mask=True,
        prefix="bert",
        n_positions=4096,
        settings={"attention_type": "original_full"},
        next_sentence=_NEXT_SENTENCE,
    ),
    "rembert": Family(
        needs_mask=True, projection="encoder.embedding_hidden_mapping_in", n_layers=32, dropouts=_NO_DROPOUTS
    ),
    "nomic_bert": Family(
        layers="layers",
        has_pooler=False,
        old_prefixes=("bert",),
        published={
            r"encoder\.layers\.": "layers.",
            r"emb_ln\.": "embeddings.LayerNorm.",
            r"\.attn\.out_proj\.": ".self_attn.o_proj.",
            r"\.mlp\.fc11\.": ".mlp.up_proj.",
            r"\.mlp\.fc12\.": ".mlp.gate_proj.",
            r"\.mlp\.fc2\.": ".mlp.down_proj.",
            **_NORMS,
        },
        fused={".attn.Wqkv.": _ATTENTION},
        n_positions=2048,
        dropouts=_NO_DROPOUTS,
    ),
    "gte": Family(
        layers="layers",
        old_prefixes=("new",),
        published={
            r"encoder\.layer\.": "layers.",
            r"\.attention\.o_proj\.": ".self_attn.o_proj.",
            r"\.attn_ln\.": ".post_attention_layernorm.",
            r"\.mlp_ln\.": ".post_mlp_layernorm.",
            r"lm_head\.norm\.": "lm_head.layer_norm.",
        },
        fused={".attention.qkv_proj.": _ATTENTION, ".mlp.up_gate_proj.": (".mlp.up_proj.", ".mlp.gate_proj.")},
        has_pooler=False,
        n_positions=8192,
        n_token_types=1,
        dropouts={"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.0},
        head=("lm_head",),
    ),
    "jina_embeddings_v3": Family(
        layers="layers",
        prefix="roberta",
        published={
            r"encoder\.layers\.": "layers.",
            r"emb_ln\.": "embeddings.LayerNorm.",
            r"\.mixer\.out_proj\.": ".self_attn.o_proj.",
            **_NORMS,
        },
        fused={".mixer.Wqkv.": _ATTENTION},
        n_layers=24,
        n_positions=8194,
        n_token_types=1,
        head=("lm_head",),
    ),
}


def family_name(config: Mapping[str, Any]) -> str:
    """Return what a config calls its family; NEZHA's first ports call it bert, or nothing at all."""
    return "nezha" if config.get("use_relative_position") is True else str(config.get("model_type", "none"))


def family_in(config: Mapping[str, Any], where: object) -> Family:
    """Return the family of a config, found by looking at an empty model where it is none of those above.

    Raises RequestError, saying ``where`` the config is, for one that no trial could start from.
    """
    name = family_name(config)
    if name not in FAMILIES:
        from gridsearch.encoders.unknown.found import found_in

        return found_in(config, where)
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
    values = {float(config.get(key, usual)) for key, usual in family.dropouts.items()}
    return values.pop() if len(values) == 1 else None


def why_no_next_sentence(family: str, has_pooler: bool, n_token_types: int) -> str | None:
    """Return why an encoder cannot learn whether two texts belong together, or None where it can."""
    if not has_pooler:
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
