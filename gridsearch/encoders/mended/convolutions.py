"""ConvBERT's convolutions without padding: transformers lets them read it, so that a text's states depend on its batch.

Beyond the ends of a text there are zeros, as in its own code beyond the ends of a row: a padded row is the row alone.
"""

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_IN, _OUT = "key_conv_attn_layer", "conv_out_layer"
"""Modules of a layer: the convolution over (rows, width, tokens), and the map to what the other one goes over."""


class _Shown:
    """The mask of the batch that a model computes, (rows, tokens), and the hooks that hide padding by it."""

    def __init__(self) -> None:
        self._mask: Tensor | None = None

    def note(self, model: nn.Module, arguments: tuple[Any, ...], others: dict[str, Any]) -> None:
        self._mask = others.get("attention_mask", arguments[1] if len(arguments) > 1 else None)

    def hide_before(self, module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if self._mask is None:
            return None
        return (arguments[0] * self._mask.unsqueeze(1).to(arguments[0].dtype), *arguments[1:])

    def hide_after(self, module: nn.Module, arguments: tuple[Tensor, ...], states: Tensor) -> Tensor | None:
        return None if self._mask is None else states * self._mask.unsqueeze(-1).to(states.dtype)


def with_masked_convolutions(model: "PreTrainedModel") -> None:
    """Let a model's convolutions read zeros in place of padding."""
    shown = _Shown()
    model.register_forward_pre_hook(shown.note, with_kwargs=True)
    for name, module in model.named_modules():
        if name.endswith(f".{_IN}"):
            module.register_forward_pre_hook(shown.hide_before)
        elif name.endswith(f".{_OUT}"):
            module.register_forward_hook(shown.hide_after)
