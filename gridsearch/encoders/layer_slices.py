"""A run of an encoder's layers as a model of its own: the same modules, so that both have the same weights."""

import copy
from typing import TYPE_CHECKING, TypeVar

from torch import Tensor, nn

from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.surgery import layers

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
    family = FAMILIES[model.config.model_type]
    return not (family.shares_layers or family.shared_by_layers or family.after_first_layer)


def bottom(model: "PreTrainedModel", n_layers: int) -> "PreTrainedModel":
    """Return the embeddings and the bottom layers, and nothing that reads what they give."""
    part = _with_layers(model, slice(0, n_layers))
    if "pooler" in part._modules:
        part._modules["pooler"] = None
    return part


def above(model: "PreTrainedModel", n_layers: int) -> "PreTrainedModel":
    """Return what stands above the bottom layers; it takes ``inputs_embeds``, the states that they give."""
    part = _with_layers(model, slice(n_layers, None))
    part._modules["embeddings"] = _Given()
    projection = FAMILIES[model.config.model_type].projection
    if projection in part._modules:
        part._modules[projection] = nn.Identity()
    return part


def _with_layers(model: "PreTrainedModel", chosen: slice) -> "PreTrainedModel":
    part = _shallow_copy(model)
    holder, _, name = FAMILIES[model.config.model_type].layers.partition(".")
    inner = _shallow_copy(model.get_submodule(holder))
    inner._modules[name] = layers(model)[chosen]
    part._modules[holder] = inner
    return part


def _shallow_copy(module: Module) -> Module:
    copied = copy.copy(module)
    copied._modules = dict(module._modules)
    return copied
