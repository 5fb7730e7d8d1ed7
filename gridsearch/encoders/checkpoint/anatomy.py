"""Which of a checkpoint's tensors are the encoder's: found by its word table, and held against what its config says."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.checkpoint.config import CONFIG, empty_model
from gridsearch.encoders.families import FAMILIES, Family, family_in, n_layers
from gridsearch.errors import RequestError

if TYPE_CHECKING:
    import numpy
    from torch import Tensor

_ROWS = {
    "tok_embeddings": "vocab_size",
    "embed_tokens": "vocab_size",
    "word_embeddings": "vocab_size",
    "position_embeddings": "max_position_embeddings",
    "token_type_embeddings": "type_vocab_size",
}
"""Tables, and the setting of a config that says how many rows they have."""
_OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}
"""Of LayerNorms, in what was converted from TensorFlow."""
_WITHOUT_WEIGHTS = (".position_ids", ".token_type_ids", ".positions_encoding")
"""Ends of the names of what old checkpoints hold that is computed from the config."""


def word_table(config: Mapping[str, Any]) -> str:
    """Return the name of the table of token vectors in an encoder's state."""
    return f"{family_in(config, CONFIG).words}.weight"


@dataclass(frozen=True)
class Anatomy:
    """An encoder's tensors by their names in its model, and what is ``missing``: its whole pooler, or nothing.

    ``around`` are those of the model that the encoder stands in, by their names there: its own and those of a head.
    ``unused`` are those that stand inside the encoder and that its config has no place for.
    """

    tensors: Mapping[str, "Tensor"]
    missing: tuple[str, ...]
    around: Mapping[str, "Tensor"]
    unused: tuple[str, ...]


def anatomy_of(tensors: Mapping[str, "Tensor"], config: Mapping[str, Any], folder: Path) -> Anatomy:
    """Find the encoder that a config describes among the tensors of a folder's weights.

    Raises RequestError for weights that are not such an encoder's, or not all of them.
    """
    from transformers import AutoModel

    described = empty_model(AutoModel, config, folder).state_dict()
    shapes = {name: tensor.shape for name, tensor in described.items()}
    named = dict(_present(tensors, family_in(config, folder)))
    prefix = _prefix(named, config, folder)
    own = {name.removeprefix(prefix): tensor for name, tensor in named.items() if name.startswith(prefix)}
    found = {name: own[name] for name in shapes if name in own}
    missing = tuple(sorted(shapes.keys() - found.keys()))
    _refuse_missing(missing, own, shapes, config, folder)
    for name, tensor in found.items():
        refuse_other_shape(name, tensor, tuple(shapes[name]), folder)
        if described[name].dtype.is_floating_point:  # else it is a table of positions, say
            _refuse_no_numbers(name, tensor, folder)
    modules = {name.partition(".")[0] for name in shapes}
    unused = [name for name in own if name not in shapes and name.partition(".")[0] in modules]
    around = re.sub(rf"(^|\.)({'|'.join(_called(config))})\.$", r"\1", prefix)  # "module.bert." stands in "module."
    return Anatomy(
        found,
        missing,
        {name.removeprefix(around): one for name, one in named.items() if name.startswith(around)},
        tuple(name for name in unused if not name.endswith(_WITHOUT_WEIGHTS)),
    )


def float_array(tensor: "Tensor") -> "numpy.ndarray":
    """Copy a tensor's numbers from its file, as float32."""
    import torch

    array: numpy.ndarray = tensor.detach().to(torch.float32, copy=True).contiguous().numpy()
    return array


def refuse_other_shape(name: str, tensor: "Tensor", expected: tuple[int, ...], folder: Path) -> None:
    """Raise RequestError for a tensor whose sizes are not those of the config."""
    found = tuple(tensor.shape)
    if found == expected:
        return
    called, remedy = name.removeprefix("embeddings.").removesuffix(".weight"), "take both files from one place"
    if found[1:] == expected[1:] and len(found) == len(expected):
        told = f"{called}: {found[0]} rows in the weights, {expected[0]} in {CONFIG}"
        if key := _ROWS.get(called):
            remedy += f", or write {json.dumps(key)}: {found[0]} into {CONFIG}"
    else:
        told = f"{called}: {_spelled(found)} in the weights, {_spelled(expected)} in {CONFIG}"
    raise RequestError(f"the encoder in {folder} has two sizes, {told}: {remedy}")


def _spelled(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def _present(tensors: Mapping[str, "Tensor"], family: Family) -> Iterator[tuple[str, "Tensor"]]:
    """Yield the tensors by their names in transformers' model, those apart that were published as one."""
    for name, tensor in tensors.items():
        for old, present in _OLD_NAMES.items():
            if name.endswith(f"LayerNorm{old}"):
                name = name.removesuffix(old) + present
        for pattern, present in family.published.items():
            name = re.sub(pattern, present, name)
        fused = next((part for part in family.fused if part in name), None)
        parts = family.fused[fused] if fused is not None else ()
        if fused is None or tensor.shape[0] % len(parts):  # of another size: what is missing is told
            yield name, tensor
        else:
            yield from (
                (name.replace(fused, part), one) for part, one in zip(parts, tensor.chunk(len(parts)), strict=True)
            )


def _called(config: Mapping[str, Any]) -> set[str]:
    """Return what an encoder is called in models that have a head on it: "bert" in "bert.embeddings"."""
    family = family_in(config, CONFIG)
    return {family.prefix or config["model_type"], *family.old_prefixes}


def _prefix(names: Iterable[str], config: Mapping[str, Any], folder: Path) -> str:
    """Return what stands before the encoder's names in a checkpoint: nothing, "bert.", "module.bert."."""
    words = word_table(config)
    pattern = re.compile(rf"(|.+\.){re.escape(words)}")
    found = sorted(match[1] for match in map(pattern.fullmatch, names) if match)
    name = config["model_type"]
    if not found:
        raise RequestError(
            f"the weights in {folder} hold no {words}, which every {name} has: they are of something else, such "
            "as an adapter, a head or a decoder; take those of the whole encoder"
        )
    if len(found) > 1:
        raise RequestError(
            f"the weights in {folder} hold {len(found)} encoders, named {found[0]!r} and {found[1]!r}: save the one "
            "that is meant into a folder of its own"
        )
    parent = found[0].removesuffix(".").rpartition(".")[2]
    alike = {one.prefix or other for other, one in FAMILIES.items() if f"{one.words}.weight" == words}
    if parent in alike - _called(config):
        raise RequestError(
            f"the weights in {folder} are named as those of {parent} ({found[0]}{words}), but its {CONFIG} says "
            f"model_type {name!r}: take both files from one place"
        )
    return found[0]


def _refuse_missing(
    missing: tuple[str, ...],
    own: Mapping[str, "Tensor"],
    shapes: Mapping[str, Any],
    config: Mapping[str, Any],
    folder: Path,
) -> None:
    """Raise RequestError unless all is there, or all but the pooler, which each trial draws as a whole."""
    pooler = {name for name in shapes if name.startswith("pooler.")}
    if not missing or set(missing) == pooler:
        return
    lost = sorted(set(missing) - pooler) or sorted(missing)
    what = f"the weights in {folder} lack {lost[0]}" + (f" and {len(lost) - 1} more" if len(lost) > 1 else "")
    if any("lora_" in name for name in own):
        raise RequestError(
            f"{what}: a LoRA adapter stands beside them; save the encoder after model.merge_and_unload()"
        )
    layer = re.compile(rf"{re.escape(family_in(config, folder).layers)}\.(\d+)\.")
    n_found = len({match[1] for match in map(layer.match, own) if match})
    if 0 < n_found < (n_described := n_layers(config, folder)) and not family_in(config, folder).shares_layers:
        raise RequestError(
            f"{what}: they have {n_found} layers, {CONFIG} says {n_described}; take both files from one place"
        )
    raise RequestError(
        f"{what}, of the {len(shapes)} tensors that {CONFIG} describes: take the weights of the whole encoder"
    )


def _refuse_no_numbers(name: str, tensor: "Tensor", folder: Path) -> None:
    """Raise RequestError for weights that are not finite floating-point numbers of 16 bits or more."""
    import torch

    if not tensor.dtype.is_floating_point or tensor.dtype.itemsize < 2:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise RequestError(
            f"the weights in {folder} are quantised ({name} is of {kind}), and cannot be trained: take the originals"
        )
    if not bool(torch.isfinite(tensor).all()):
        raise RequestError(
            f"the weights in {folder} are not finite ({name} holds nan or infinity): the training that made them "
            "diverged, or the file is damaged"
        )
