"""Heads: from one vector a text to logits, with dropout before the map that gives them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, relu

from gridsearch.encoders.dropout import Dropout
from gridsearch.encoders.undrawn import empty
from gridsearch.recipe.recipe import Recipe

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": gelu,
    "relu": relu,
    "tanh": torch.tanh,
    "none": lambda features: features,
}


class Samples(nn.Module):
    """Several dropouts of the same features: (rows, width) becomes (samples, rows, width) (arXiv:1905.09788).

    ``chained``: each sample drops from the one before it, so that the i-th of probability p keeps (1 - p)^i (seed 002's
    code). In evaluation, and with nothing to drop, there is one sample of all features.
    """

    def __init__(self, probability: float, n_samples: int, chained: bool) -> None:
        super().__init__()
        self.dropout = Dropout(probability)
        self.n_samples, self.chained = n_samples, chained

    def forward(self, features: Tensor) -> Tensor:
        """Return all samples."""
        samples: list[Tensor] = []
        for _ in range(self.n_samples if self.training and self.dropout.p > 0 else 1):
            samples.append(self.dropout(samples[-1] if samples and self.chained else features))
        return torch.stack(samples)


class Hidden(nn.Module):
    """A hidden layer: a linear map and its activation."""

    def __init__(self, width: int, hidden_width: int, activation: str) -> None:
        super().__init__()
        self.linear = nn.Linear(width, hidden_width)
        self.activation = ACTIVATIONS[activation]

    def forward(self, features: Tensor) -> Tensor:
        """Return features of shape (rows, hidden_width)."""
        return self.activation(self.linear(features))


class PartVariances(nn.Module):
    """Logarithms of variances, one for each part, that a trial learns; 0 at the start (arXiv:1705.07115).

    They are no weights that should decay: their name is that of what is spared from it.
    """

    def __init__(self, n_parts: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(n_parts))


class LabelAttention(nn.Module):
    """Logits of several linear maps, the slots, added with weights that a softmax gives each row.

    For features x: sum over slots s of drop(softmax(A x + a))_s (V x + v)_s, where (V x + v)_s are as many logits as
    there are labels. Labels of several parts lie side by side: each part has maps of its own, and all share A and a
    (github.com/rogerrojur/tianchi-multi-task-nlp, net.py: 16 slots, dropout .2 of their weights, of the features none).
    """

    def __init__(self, width: int, n_labels: int, n_slots: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.Linear(width, n_slots)
        self.values = nn.Linear(width, n_slots * n_labels)
        self.dropout = Dropout(dropout)
        self.shape = (n_slots, n_labels)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits of shape (samples, rows, labels) for features of shape (samples, rows, width)."""
        weights = torch.softmax(self.attention(features), dim=-1)
        # Rows first: of a batch that is computed in parts, the dropout has to know which rows it has before it.
        weights = self.dropout(weights.transpose(0, 1)).transpose(0, 1)
        values = self.values(features).unflatten(-1, self.shape)
        logits: Tensor = weights.unsqueeze(-2) @ values
        return logits.squeeze(-2)


class Outputs(nn.Module):
    """Outputs in the units of what is predicted: each is multiplied by a number and moved by another.

    They are given and not learned: of numbers the deviation and the mean of the training rows', 1 and 0 of logits.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(n_outputs))
        self.register_buffer("shift", torch.zeros(n_outputs))

    def forward(self, outputs: Tensor) -> Tensor:
        """Return outputs of the same shape, (..., outputs)."""
        return outputs * self.scale + self.shift


def build_hidden(recipe: Recipe, width: int) -> tuple[nn.Module, int]:
    """Return what comes before the dropout, and the width of what it gives; its parameters hold nothing yet."""
    if recipe.head == "mlp":
        return empty(lambda: Hidden(width, recipe.head_width, recipe.head_activation)), recipe.head_width
    return nn.Identity(), width


def build_map(recipe: Recipe, width: int, n_labels: int) -> nn.Module:
    """Return what comes after the dropout, from features to logits; its parameters hold nothing yet."""
    if recipe.head == "label_attention":
        dropout = recipe.head_attention_dropout
        return empty(lambda: LabelAttention(width, n_labels, recipe.head_slots, dropout))
    return empty(lambda: nn.Linear(width, n_labels))
