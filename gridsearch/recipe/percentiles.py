"""From a percentile of the training rows' lengths to a number of tokens: before anything has an id."""

from collections.abc import Callable, Mapping
from typing import Final

from gridsearch.recipe.recipe import Recipe, knobs

MULTIPLE: Final = 8
"""A length is rounded up to a multiple of this: a batch costs as much, and a few more rows are whole."""
SHORTEST: Final = 16
LONGEST: Final = 512
"""More tokens are read only where a number asks for them: twice the length costs more than twice the time."""


def percentiles_in(recipe: Recipe) -> Mapping[str, int]:
    """Return the knobs whose values are percentiles of lengths, with the percent of each."""
    values = {name: getattr(recipe, name) for name, knob in knobs().items() if knob.counts_tokens}
    return {name: int(value[1:]) for name, value in values.items() if isinstance(value, str)}


def usable_length(n_tokens: int, max_tokens: int) -> int:
    """Return the longest length to read for rows of so many tokens, by an encoder of so many positions.

    >>> [usable_length(n_tokens, 256) for n_tokens in (3, 32, 33, 1000)], usable_length(1000, 8192)
    ([16, 32, 40, 256], 512)
    """
    rounded = -(-n_tokens // MULTIPLE) * MULTIPLE
    return min(max(rounded, SHORTEST), LONGEST, max_tokens)


def in_tokens(recipe: Recipe, length_of: Callable[[int], int]) -> Recipe:
    """Replace percentiles by what ``length_of`` says each comes to."""
    values = {name: length_of(percent) for name, percent in percentiles_in(recipe).items()}
    return recipe.model_copy(update=values) if values else recipe
