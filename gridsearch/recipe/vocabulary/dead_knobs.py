"""Why a knob of the vocabulary cannot act: one function a knob."""

from typing import TYPE_CHECKING

from gridsearch.recipe.knob import Reason
from gridsearch.recipe.trial_facts import TrialFacts

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def no_ids(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why no vocabulary of ids is made."""
    if not facts.id_counts:
        return "the texts are text, which the encoder's own tokenizer reads"
    return "the encoder's own vocabulary is one of ids, and is kept" if facts.knows_ids else None


def no_rows_to_take(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why no token takes a row of the encoder's."""
    if reason := no_ids(recipe, facts):
        return reason
    if facts.is_made_of_the_texts:
        return "the encoder is made from the same ids, so there are no rows of other tokens to take"
    if recipe.pretraining.objective != "none" and recipe.pretraining.base == "scratch":
        return "pretraining.base = 'scratch' takes no row of the encoder"
    return None


def no_start(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a token to start from does not act."""
    if reason := no_rows_to_take(recipe, facts):
        return reason
    align = recipe.vocabulary.align
    return None if align == "order" else f"vocabulary.align = {align!r} starts from no token"
