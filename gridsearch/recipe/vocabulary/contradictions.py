"""What cannot be of a vocabulary and the encoder's: one function a contradiction, each with its sentence."""

from typing import TYPE_CHECKING

from gridsearch.recipe.knob import Reason
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.recipe.vocabulary.dead_knobs import no_ids, no_rows_to_take

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def encoder_of_ids(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Refuse an encoder that knows nothing but numbers where texts are text."""
    if not facts.knows_ids or facts.id_counts:
        return None
    return "the encoder's vocabulary is one of ids, and the task's texts are no ids (ids = true in the task)"


def no_id_left(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Refuse a count that no id reaches."""
    asked = recipe.vocabulary.min_count
    if no_ids(recipe, facts) or asked <= facts.id_counts[-1]:
        return None
    most = facts.id_counts[-1]
    return f"vocabulary.min_count = {asked} leaves no id: the most frequent one occurs {most} times"


def no_token_counts(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Refuse ranks of tokens that nobody counted."""
    if recipe.vocabulary.align != "frequency" or facts.has_token_counts or no_rows_to_take(recipe, facts):
        return None
    remedy = "name a file of counts under [vocabulary] of the task"
    return f"vocabulary.align = 'frequency' needs to know how often the encoder's tokens occur: {remedy}"
