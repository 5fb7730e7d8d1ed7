"""From what a space declares to what a trial runs: one spelling for one meaning, no contradiction, no dead knob."""

from collections.abc import Mapping

from gridsearch.recipe.recipe import Recipe, knobs, set_knobs
from gridsearch.recipe.shares import is_share, refuse_no_layer, whole_layers
from gridsearch.recipe.spelling import respellings
from gridsearch.recipe.trial_facts import TrialFacts


def in_numbers(recipe: Recipe, facts: TrialFacts) -> Recipe:
    """Replace shares of the encoder's depth by numbers of layers. Rules see this, and all else as it was written."""
    return recipe.model_copy(
        update={name: whole_layers(share, facts.n_layers) for name, share in shares_of(recipe).items()}
    )


def shares_of(recipe: Recipe) -> dict[str, str]:
    """Return the knobs that are shares of the encoder's depth, as they were written."""
    values = {name: getattr(recipe, name) for name, knob in knobs().items() if knob.counts_layers}
    return {name: value for name, value in values.items() if is_share(value)}


def refuse_shares_of_no_layer(recipe: Recipe, facts: TrialFacts) -> None:
    """Raise RequestError where a share of the encoder's depth, as it was written, comes to no layer."""
    for name, share in shares_of(recipe).items():
        refuse_no_layer(name, share, facts.n_layers)


def resolve(recipe: Recipe, facts: TrialFacts) -> Recipe:
    """Give values of one meaning one spelling; knobs that cannot act stay as they are."""
    resolved = in_numbers(recipe, facts)
    for respelled, _ in respellings(resolved, facts):
        resolved = respelled
    return resolved


def why_the_same(one: Recipe, other: Recipe, facts: TrialFacts) -> list[str]:
    """Say why two recipes are resolved to the same one; nothing where they are the same to the letter."""
    recipes = [in_numbers(recipe, facts) for recipe in (one, other)]
    differing = set(_changes(*recipes))
    found = []
    for recipe in recipes:
        for respelled, reason in respellings(recipe, facts):
            if differing & _changes(recipe, respelled).keys():
                found.append(reason)
            recipe = respelled
    return list(dict.fromkeys(found))


def _changes(one: Recipe, other: Recipe) -> dict[str, object]:
    return {name: value for name, value in other if value != getattr(one, name)}


def dead_knobs(recipe: Recipe, facts: TrialFacts) -> dict[str, str]:
    """Return the knobs that are set but cannot act in this (resolved) recipe, each with the reason."""
    reasons = {}
    for name in set_knobs(recipe):
        cannot_act = knobs()[name].cannot_act
        if cannot_act is not None and (reason := cannot_act(recipe, facts)):
            reasons[name] = reason
    return reasons


def without(recipe: Recipe, dead: Mapping[str, str]) -> Recipe:
    """Return the recipe with the given knobs at their neutral values."""
    return recipe.model_copy(update={name: knobs()[name].neutral for name in dead})


def acting(recipe: Recipe, facts: TrialFacts) -> Recipe:
    """Return what a trial of a (resolved) recipe computes: no knob is set that cannot act, and all are spelled one way.

    What is left when a dead knob is gone may be as good as another recipe: an encoder that is frozen, and whose dropout
    in the frozen part is 0, is one without dropout there.
    """
    while (simpler := resolve(without(recipe, dead_knobs(recipe, facts)), facts)) != recipe:
        recipe = simpler
    return recipe
