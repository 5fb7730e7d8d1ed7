"""The anatomy of an encoder whose family is not described here, found in a model of it: by its word table and lists."""

import inspect
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from torch import nn

from gridsearch.encoders.families import FAMILIES, Family
from gridsearch.errors import RequestError, one_of

_OTHER_DROPOUTS = ("classif", "qa_", "summary", "pooler", "layer", "token", "path")
"""In names of dropouts that are not between the states of an encoder."""


def family_of(model: nn.Module) -> Family:
    """Return the family of a base model. RequestError for one that has no parts as an encoder has."""
    config: Any = model.config
    return FAMILIES.get(config.model_type) or _look_at(model, config, config.model_type)


def found_in(config: Mapping[str, Any], where: object) -> Family:
    """Return the family of a config that describes one not known here; RequestError for what is no encoder of texts."""
    return _found_in(json.dumps(config, sort_keys=True, default=str), where)


@lru_cache(maxsize=32)
def _found_in(config: str, where: object) -> Family:
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModel
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    from gridsearch.encoders.checkpoint.config import empty_model

    settings = json.loads(config)
    name = str(settings.get("model_type", "none"))
    if name not in CONFIG_MAPPING:
        raise RequestError(
            f"{where}: {one_of('encoder family', name, list(FAMILIES))}; choose an encoder of one of these"
        )
    if AutoConfig.for_model(name).is_encoder_decoder:
        raise RequestError(f"{where}: {name} is an encoder with a decoder, which is not taken apart: take an encoder")
    if name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and name not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        raise RequestError(
            f"{where}: {name} is a decoder, in which a token sees only those before it (causal): take an encoder"
        )
    return _look_at(empty_model(AutoModel, settings, where), None, where)


def _look_at(model: nn.Module, config: Any, where: object) -> Family:
    """Find the parts of a base model; what is neither layer nor pooler nor final norm lies below the layers."""
    config = config or model.config
    name = config.model_type
    words = _word_table(model)
    n_layers = getattr(config, "num_hidden_layers", None)
    lists = [] if n_layers is None else list(_lists_of(model, n_layers))
    dropouts = dict(_dropouts(config.to_dict()))
    if words is None:
        raise RequestError(f"{where}: {name} has no table of token vectors, so it is no encoder of texts")
    if len(lists) != 1:
        raise RequestError(
            f"{where}: {name} is not known here, and it has not one list of its layers but {len(lists)}, so nothing "
            f"can be frozen or drawn anew in it; known: {', '.join(FAMILIES)}"
        )
    if not dropouts:
        raise RequestError(f"{where}: {name} is not known here, and its config has no dropout that could be set")
    [layers] = lists
    embeddings = _largest_around(words, layers)
    final_norm = _norm_after(model, layers)
    pooler = dict(model.named_children()).get("pooler")
    has_pooler = pooler is not None and any(True for _ in pooler.parameters())
    known = (embeddings, layers, final_norm, "pooler")
    keys = (config.attribute_map.get("num_hidden_layers", "num_hidden_layers"), "num_hidden_layers")
    counts_from_padding = _counts_from_padding(model.get_submodule(embeddings))
    takes_types = "token_type_ids" in inspect.signature(model.forward).parameters
    return Family(
        layers=layers,
        embeddings=embeddings,
        words=words,
        shared_by_layers=tuple(_others(model, known)),
        final_norm=final_norm,
        has_pooler=has_pooler,
        are_placed=True,
        prefix=str(model.base_model_prefix),
        needs_mask=True,
        depth_keys=tuple(dict.fromkeys(keys)),
        dropouts=dropouts,
        n_layers=int(config.num_hidden_layers),
        n_positions=int(getattr(config, "max_position_embeddings", 512)),
        pad_token_id=getattr(config, "pad_token_id", None) if counts_from_padding else None,
        n_token_types=int(getattr(config, "type_vocab_size", 0)) if takes_types else None,
        must_be={},
        is_known=False,
        head=(),
    )


def _word_table(model: Any) -> str | None:
    """Return the path of the table of token vectors, if there is one."""
    try:
        table = model.get_input_embeddings()
    except (NotImplementedError, AttributeError):
        return None
    if not isinstance(table, nn.Embedding):
        return None
    return next((path for path, module in model.named_modules() if module is table), None)


def _lists_of(model: nn.Module, n_layers: int) -> Iterator[str]:
    """Yield the paths of lists of so many modules with parameters, of those within each other the outermost."""
    outer = None
    for path, module in model.named_modules():
        if outer is not None and path.startswith(f"{outer}."):
            continue
        is_list = isinstance(module, nn.ModuleList) and len(module) == n_layers
        if is_list and all(any(True for _ in layer.parameters()) for layer in module.children()):
            outer = path
            yield path


def _largest_around(words: str, layers: str) -> str:
    """Return the path of the largest module that holds the word table, and not the layers."""
    steps = words.split(".")
    around = [".".join(steps[:n]) for n in range(1, len(steps) + 1)]
    return next(path for path in around if not f"{layers}.".startswith(f"{path}."))


def _norm_after(model: nn.Module, layers: str) -> str:
    """Return the path of the one norm that stands behind the layers, beside them or beside what holds them."""
    path = layers
    while path:
        path, _, name = path.rpartition(".")
        names = list(dict(model.get_submodule(path).named_children()))
        for beside in names[names.index(name) + 1 :]:
            found = f"{path}.{beside}".removeprefix(".")
            if "norm" in type(model.get_submodule(found)).__name__.lower():
                return found
    return ""


def _others(model: nn.Module, known: tuple[str, ...]) -> Iterator[str]:
    """Yield the paths of the modules with parameters of their own that are in none of the known parts."""
    for path, module in model.named_modules():
        within = any(part and f"{path}.".startswith(f"{part}.") for part in known)
        if path and not within and any(True for _ in module.parameters(recurse=False)):
            yield path


def _dropouts(settings: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in settings.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if "drop" in key and is_number and not any(part in key for part in _OTHER_DROPOUTS):
            yield key, float(value)


def _counts_from_padding(embeddings: nn.Module) -> bool:
    """Whether positions are counted from the padding token's id: then their table has a row for padding, too."""
    positions = getattr(embeddings, "position_embeddings", None)
    return isinstance(positions, nn.Embedding) and positions.padding_idx is not None
