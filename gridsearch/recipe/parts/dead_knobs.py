"""Why a knob of several parts cannot act: one function a knob, or for knobs that share the reason."""

from typing import TYPE_CHECKING

from gridsearch.recipe.knob import Reason
from gridsearch.recipe.parts.quotas import quotas
from gridsearch.recipe.trial_facts import TrialFacts

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def one_part(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why there is nothing to learn together."""
    return None if facts.parts else "the task has one part"


def nothing_shared(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why no training is of several parts."""
    if recipe.parts.training == "separate":
        return "parts.training = 'separate' trains each part by itself"
    return one_part(recipe, facts)


def sampled_alike(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why each part gives all of its rows to an epoch, whatever their shares go by."""
    if reason := nothing_shared(recipe, facts):
        return reason
    sizes = tuple(part.n_train_rows for part in facts.parts)
    if quotas(sizes, recipe.parts.sampling) == sizes:
        return "the parts have so equally many rows that each has its own rows in an epoch in any case"
    return None


def no_turns(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why there are no batches of parts to be put in order."""
    if recipe.parts.batches == "mixed":
        return "parts.batches = 'mixed' has rows of all parts in each batch"
    return nothing_shared(recipe, facts)


def no_weights(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why weights of the parts' losses change nothing."""
    if recipe.parts.loss_weights == "given" and all(part.weight == 1 for part in facts.parts):
        return one_part(recipe, facts) or "the task's file gives every part a weight of 1"
    return nothing_shared(recipe, facts)


def no_priority(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a setting of dynamic task priority does not act."""
    if recipe.parts.loss_weights != "dynamic_priority":
        return f"parts.loss_weights = {recipe.parts.loss_weights!r} has no gamma"
    return nothing_shared(recipe, facts)
