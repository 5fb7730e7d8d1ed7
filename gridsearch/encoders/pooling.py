"""Pooling: how the states of all tokens become one vector a text.

Every function takes the encoder's output and the attention mask of shape (rows, tokens), and returns (rows, width).
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

Pool = Callable[[Any, Tensor], Tensor]


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Average states of shape (rows, tokens, width) over the tokens that are not padding."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1)


def cls(output: Any, mask: Tensor) -> Tensor:
    """Take the first token's state."""
    states: Tensor = output.last_hidden_state
    return states[:, 0]


def pooler(output: Any, mask: Tensor) -> Tensor:
    """Take tanh(W h + b) of the first token's state, as pretrained by next-sentence prediction (arXiv:1810.04805)."""
    pooled: Tensor = output.pooler_output
    return pooled


def mean(output: Any, mask: Tensor) -> Tensor:
    """Average the last layer's states."""
    return masked_mean(output.last_hidden_state, mask)


def first_last_avg(output: Any, mask: Tensor) -> Tensor:
    """Average the means of the first layer's and the last layer's states (arXiv:2103.15316)."""
    # hidden_states[0] is what the embeddings give; [1] is the first layer's.
    return (masked_mean(output.hidden_states[1], mask) + masked_mean(output.hidden_states[-1], mask)) / 2


POOLINGS: Mapping[str, Pool] = {"cls": cls, "pooler": pooler, "mean": mean, "first_last_avg": first_last_avg}
NEEDS_ALL_LAYERS = frozenset({"first_last_avg"})
