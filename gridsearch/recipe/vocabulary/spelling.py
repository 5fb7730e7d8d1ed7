"""One spelling for one meaning of a vocabulary: see ``recipe/spelling.py``."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gridsearch.recipe.prefixes import VOCABULARY
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.recipe.vocabulary.dead_knobs import no_ids
from gridsearch.recipe.vocabulary.knobs import VocabularyRecipe

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def respelled_vocabulary(recipe: "Recipe", facts: TrialFacts) -> tuple[Mapping[str, Any], str] | None:
    """Of all counts that keep the same ids, return the default where it is one, else the largest."""
    asked, default = recipe.vocabulary.min_count, VocabularyRecipe().min_count
    if no_ids(recipe, facts) or asked > facts.id_counts[-1]:
        return None
    rarest = facts.id_counts[bisect_left(facts.id_counts, asked)]
    place = bisect_left(facts.id_counts, default)
    is_default = place < len(facts.id_counts) and facts.id_counts[place] == rarest
    wanted = default if is_default else rarest
    if asked == wanted:
        return None
    return {VOCABULARY + "min_count": wanted}, f"vocabulary.min_count = {asked} and {wanted} keep the same ids"
