"""A run of an encoder's layers as a model of its own: the same modules, so that both have the same weights."""

import copy
from typing import TYPE_CHECKING, TypeVar

from torch import Tensor, nn

from gridsearch.encoders.surgery import layers
from gridsearch.encoders.unknown.found import family_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Module = TypeVar("Module", bound=nn.Module)


class _Given(nn.Module):
    """Stands for the embeddings where the states are given: takes what they take, and returns the given ones."""

    def forward(
        self, input_ids: Tensor | None = None, inputs_embeds: Tensor | None = None, *_: object, **__: object
    ) -> Tensor:
        assert inputs_embeds is not None
        return inputs_embeds


def can_be_sliced(model: "PreTrainedModel") -> bool:
    """Whether layers can run without those below: each is its own, and reads nothing but states and mask."""
    family = family_of(model)
    return family.is_known and not (family.shares_layers or family.shared_by_layers or family.after_first_layer)


def bottom(model: "PreTrainedModel", n_layers: int) -> "PreTrainedModel":
    """Return the embeddings and the bottom layers, and nothing that reads what they give."""
    family = family_of(model)
    part = _with_layers(model, slice(0, n_layers))
    if "pooler" in part._modules:
        part._modules["pooler"] = None
    return _with(part, family.final_norm, nn.Identity())


def above(model: "PreTrainedModel", n_layers: int) -> "PreTrainedModel":
    """Return what stands above the bottom layers; it takes ``inputs_embeds``, the states that they give."""
    family = family_of(model)
    part = _with_layers(model, slice(n_layers, None))
    if family.embeddings != family.words:  # else it is asked for words alone, of which there are none
        part = _with(part, family.embeddings, _Given())
    return _with(part, family.projection, nn.Identity())


def _with_layers(model: "PreTrainedModel", chosen: slice) -> "PreTrainedModel":
    return _with(model, family_of(model).layers, layers(model)[chosen])


def _with(model: Module, path: str, module: nn.Module) -> Module:
    """Return a model that has another module in a place, if it has that place at all; the given one stays as it is."""
    part = _shallow_copy(model)
    first, _, rest = path.partition(".")
    if first in part._modules:
        part._modules[first] = _with(model.get_submodule(first), rest, module) if rest else module
    return part


def _shallow_copy(module: Module) -> Module:
    copied = copy.copy(module)
    copied._modules = dict(module._modules)
    return copied
