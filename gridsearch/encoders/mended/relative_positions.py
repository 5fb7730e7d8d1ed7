"""DeBERTa's relative positions, kept on the device: transformers makes them anew in every pass, with a number of the
host's that the host then waits for to arrive.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gridsearch.to_device import to_device

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class KeptPositions:
    """Takes the place of an encoder's ``get_rel_pos``; those of a shorter text are a corner of those of a longer one.

    On a CPU nothing waits, and all is as transformers has it.
    """

    def __init__(self, make: Callable[..., Tensor]) -> None:
        self._make = make
        self._kept: Tensor | None = None

    def __call__(self, hidden_states: Tensor, *others: Any, **more: Any) -> Tensor:
        """Return int64 of shape (1, tokens, tokens): how far apart two tokens count."""
        given = [one for one in (*others, *more.values()) if one is not None]
        if hidden_states.device.type == "cpu" or given:
            return self._make(hidden_states, *others, **more)
        n_tokens = hidden_states.shape[-2]
        if self._kept is None or self._kept.shape[-1] < n_tokens:
            self._kept = to_device(self._make(torch.empty(1, n_tokens, 1)), hidden_states.device)
        return self._kept[:, :n_tokens, :n_tokens]


def with_kept_positions(model: "PreTrainedModel") -> None:
    """Let a model that has relative positions of this kind keep them."""
    encoder: Any = getattr(model, "encoder", None)
    if hasattr(encoder, "get_rel_pos") and encoder.relative_attention:
        encoder.get_rel_pos = KeptPositions(encoder.get_rel_pos)
