"""What a pretraining starts from: an encoder as it is, some of its layers, or one from scratch with its vocabulary."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.config import CONFIG
from gridsearch.encoders.families import family_in
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.scratch import scratch_card, scratch_config, scratch_weights
from gridsearch.errors import RequestError
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe


def start_card(card: EncoderCard, pretraining: PretrainingRecipe) -> EncoderCard:
    """Describe it without making it; ``card`` is that of the encoder that is named.

    Raises RequestError for one that cannot be made.
    """
    if not pretraining.has_another_shape:
        return card
    if pretraining.base == "scratch":
        return scratch_card(card, pretraining)
    _refuse_other_layers(card, _numbers(pretraining))
    return replace(card, n_layers=len(pretraining.take_layers))


def start_weights(base: EncoderWeights, pretraining: PretrainingRecipe, seed: int) -> EncoderWeights:
    """Make it from the encoder that is named."""
    if not pretraining.has_another_shape:
        return base
    if pretraining.base == "scratch":
        return scratch_weights(base, pretraining, seed)
    return _taken(base, _numbers(pretraining))


def start_config(config: Mapping[str, Any], pretraining: PretrainingRecipe, n_tokens: int) -> Mapping[str, Any]:
    """Return its config without making it, given that of the encoder that is named and the rows of its word table."""
    if not pretraining.has_another_shape:
        return config
    if pretraining.base == "scratch":
        return scratch_config(pretraining, n_tokens, int(config.get("pad_token_id") or 0))
    return _with_depth(config, len(_numbers(pretraining)))


def _numbers(pretraining: PretrainingRecipe) -> list[int]:
    assert isinstance(pretraining.take_layers, tuple), "a number of each layer"
    return list(pretraining.take_layers)


def _refuse_other_layers(card: EncoderCard, shown: list[int]) -> None:
    what = "pretraining.take_layers"
    if card.shares_layers:
        raise RequestError(f"{what} cannot choose: all layers of {card.name}, {card.family}, are one")
    if card.layers_are_placed:
        raise RequestError(f"{what} cannot choose: each layer of {card.name}, {card.family}, is made for its place")
    if beyond := next((number for number in shown if number > card.n_layers), None):
        raise RequestError(f"{what} names layer {beyond}, but {card.name} has {card.n_layers}")
    if shown == list(range(1, card.n_layers + 1)):
        raise RequestError(f"{what} = {shown} takes all layers of {card.name} as they are, which 'all' does too")


def _taken(base: EncoderWeights, numbers: list[int]) -> EncoderWeights:
    """Return an encoder of some layers, counted from 1 at the bottom; all else is as it was.

    What a family shares between layers, or has behind its first one, stays where it is.
    """
    family = family_in(base.config, CONFIG)
    layer = re.compile(rf"{re.escape(family.layers)}\.(\d+)\.(.*)")
    matches = {name: layer.fullmatch(name) for name in base.state}
    state = {name: array for name, array in base.state.items() if matches[name] is None}
    for place, number in enumerate(numbers):
        for name, match in matches.items():
            if match is not None and int(match[1]) == number - 1:
                state[f"{family.layers}.{place}.{match[2]}"] = base.state[name]
    return replace(base, state=state, config=_with_depth(base.config, len(numbers)))


def _with_depth(config: Mapping[str, Any], n_layers: int) -> dict[str, Any]:
    family = family_in(config, CONFIG)
    key = next((key for key in family.depth_keys if key in config), family.depth_keys[0])
    return {**config, key: n_layers}
