"""Pooling: how the states of all tokens become one vector a text.

A pooling is a module that takes the encoder's output and the attention mask of shape (rows, tokens), and returns
(rows, width). One that reads sides takes these in the mask's place: 1 and 2 for the tokens of a pair's texts, and 0 for
special tokens and padding. What each reads is known beforehand (gridsearch/recipe/poolings.py). If it has parameters of
its own, the caller draws them.
hidden_states[0] is what the embeddings give; [i] is what layer i gives.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gridsearch.encoders.undrawn import empty
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.recipe import Recipe


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Average states of shape (rows, tokens, width) over the tokens that are not padding."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1)


class Pooling(nn.Module):
    """What all poolings know: the states' width and the layers that the recipe lets them read.

    One that reads padding has every row padded to ``max_length``: its result must not depend on the batch.
    """

    def __init__(self, recipe: Recipe, hidden_width: int, n_layers: int) -> None:
        super().__init__()
        self.reads = READS[recipe.pooling]
        self.max_length, self.hidden_width = int(recipe.max_length), hidden_width
        self.n_layers = n_layers if recipe.pooling_layers == "all" else int(recipe.pooling_layers)

    @property
    def width(self) -> int:
        """Numbers of one text's vector."""
        return self.hidden_width

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        raise NotImplementedError

    def top_layers(self, output: Any) -> list[Tensor]:
        """Return the states of the layers to be read, bottom first."""
        return list(output.hidden_states[-self.n_layers :])


class Cls(Pooling):
    """The first token's state."""

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        states: Tensor = output.last_hidden_state
        return states[:, 0]


class Pooler(Pooling):
    """tanh(W h + b) of the first token's state, as pretrained by next-sentence prediction (arXiv:1810.04805)."""

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        pooled: Tensor = output.pooler_output
        return pooled


class Mean(Pooling):
    """The mean of the last layer's states."""

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        return masked_mean(output.last_hidden_state, mask)


class Max(Pooling):
    """The largest of the last layer's states, in each dimension."""

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        states: Tensor = output.last_hidden_state
        return states.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1)


def first_last_mean(output: Any, mask: Tensor) -> Tensor:
    """Average the means of the first layer's and the last layer's states."""
    return (masked_mean(output.hidden_states[1], mask) + masked_mean(output.hidden_states[-1], mask)) / 2


class FirstLastAverage(Pooling):
    """The mean of the means of the first layer's and the last layer's states (arXiv:2103.15316)."""

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        return first_last_mean(output, mask)


class UnmaskedFirstLastAverage(Pooling):
    """The same over padding as well, with every row padded to ``max_length`` (seed 003's code)."""

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        return first_last_mean(output, torch.ones_like(mask))


class OfLayers(Pooling):
    """Several layers' vectors, end to end."""

    @property
    def width(self) -> int:
        """Numbers of one text's vector."""
        return self.n_layers * self.hidden_width

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        return torch.cat(self.vectors(self.top_layers(output), mask), dim=1)

    def vectors(self, layers: list[Tensor], mask: Tensor) -> list[Tensor]:
        """Return one vector a text from the states of each layer."""
        raise NotImplementedError


class ClsOfLayers(OfLayers):
    """The first token's states of several layers, end to end (seed 002's "cls cat", its ELECTRA arm)."""

    def vectors(self, layers: list[Tensor], mask: Tensor) -> list[Tensor]:
        """Return one vector a text from the states of each layer."""
        return [states[:, 0] for states in layers]


class PoolersOfLayers(OfLayers):
    """The same through a new pooler for each layer (seed 002's "cls cat (with pooler)")."""

    def __init__(self, recipe: Recipe, hidden_width: int, n_layers: int) -> None:
        super().__init__(recipe, hidden_width, n_layers)
        self.poolers = nn.ModuleList(nn.Linear(hidden_width, hidden_width) for _ in range(self.n_layers))

    def vectors(self, layers: list[Tensor], mask: Tensor) -> list[Tensor]:
        """Return one vector a text from the states of each layer."""
        return [pooler(states[:, 0]).tanh() for pooler, states in zip(self.poolers, layers, strict=True)]


class MeansOfLayers(OfLayers):
    """The means of several layers' states, end to end."""

    def vectors(self, layers: list[Tensor], mask: Tensor) -> list[Tensor]:
        """Return one vector a text from the states of each layer."""
        return [masked_mean(states, mask) for states in layers]


class Dynamic(Pooling):
    """The first token's state in a learned mix of layers: softmax over them of one linear map to a number."""

    def __init__(self, recipe: Recipe, hidden_width: int, n_layers: int) -> None:
        super().__init__(recipe, hidden_width, n_layers)
        # A bias would raise the scores of all layers alike, which a softmax does not see.
        self.score = nn.Linear(hidden_width, 1, bias=False)

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        # Each token is mixed by itself, so mixing the first one alone gives the same.
        states = torch.stack([states[:, 0] for states in self.top_layers(output)], dim=1)
        weights: Tensor = self.score(states).softmax(1)
        return (weights * states).sum(1)


class Attention(Pooling):
    """The mean of the last layer's states, weighted by the softmax over tokens of a linear map to a number."""

    def __init__(self, recipe: Recipe, hidden_width: int, n_layers: int) -> None:
        super().__init__(recipe, hidden_width, n_layers)
        self.score = nn.Linear(hidden_width, 1, bias=False)

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        states: Tensor = output.last_hidden_state
        scores = self.score(states).masked_fill(mask.unsqueeze(-1) == 0, float("-inf"))
        weights: Tensor = scores.softmax(1)
        return (weights * states).sum(1)


class Flatten(Pooling):
    """The last layer's states of ``max_length`` tokens, end to end, zeros for padding (seed 001)."""

    @property
    def width(self) -> int:
        """Numbers of one text's vector."""
        return self.max_length * self.hidden_width

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a text."""
        states = output.last_hidden_state * mask.unsqueeze(-1)
        return nn.functional.pad(states, (0, 0, 0, self.max_length - states.shape[1])).flatten(1)


class Segments(Pooling):
    """tanh(W [h; |m1 - m2|; m1 m2] + b): the first token's state h, and the means m1 and m2 of each text's last states.

    The features are those of arXiv:1908.10084 (section 3, table 6), here of two texts that were read together. They are
    the same for both orders of m1 and m2. The mean of a text without tokens is 0.
    """

    def __init__(self, recipe: Recipe, hidden_width: int, n_layers: int) -> None:
        super().__init__(recipe, hidden_width, n_layers)
        self.linear = nn.Linear(3 * hidden_width, hidden_width)

    def forward(self, output: Any, mask: Tensor) -> Tensor:
        """Return one vector a pair; ``mask`` holds the sides of its tokens."""
        states: Tensor = output.last_hidden_state
        first, second = (_mean_or_zero(states, mask == side) for side in (1, 2))
        features = torch.cat([states[:, 0], (first - second).abs(), first * second], dim=1)
        pooled: Tensor = self.linear(features).tanh()
        return pooled


def _mean_or_zero(states: Tensor, chosen: Tensor) -> Tensor:
    weights = chosen.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


POOLINGS: Mapping[str, Callable[[Recipe, int, int], Pooling]] = {
    "cls": Cls,
    "pooler": Pooler,
    "mean": Mean,
    "max": Max,
    "first_last_avg": FirstLastAverage,
    "first_last_avg_unmasked": UnmaskedFirstLastAverage,
    "cls_cat": ClsOfLayers,
    "cls_cat_poolers": PoolersOfLayers,
    "mean_cat": MeansOfLayers,
    "dynamic": Dynamic,
    "attention": Attention,
    "flatten": Flatten,
    "segments": Segments,
}
"""By the name of the knob."""


def build_pooling(recipe: Recipe, hidden_width: int, n_layers: int) -> Pooling:
    """Make the pooling of a recipe; its parameters, if it has any, hold nothing yet."""
    return empty(lambda: POOLINGS[recipe.pooling](recipe, hidden_width, n_layers))
