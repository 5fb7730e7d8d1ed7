"""Knobs of how anonymised ids become tokens of an encoder. In a recipe each is called ``vocabulary.NAME``."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup
from gridsearch.recipe.prefixes import VOCABULARY, prefixed
from gridsearch.recipe.vocabulary import dead_knobs as why


def _knob(meaning: str, source: str, **declared: Any) -> Knob:
    """Declare a knob that decides on the encoder: by its identity it enters all that a trial's encoder does."""
    return Knob(meaning, source, frozen_states="tokens", in_view=True, **declared)


class VocabularyRecipe(KnobGroup):
    """How ids become tokens, by the names without the prefix."""

    min_count: Annotated[
        int,
        Field(ge=1),
        _knob(
            "how often an id must occur in all texts of the task to be a token; rarer ones are the unknown token",
            "github.com/bojone/oppo-text-match",
            neutral=5,
            cannot_act=why.no_ids,
        ),
    ] = 5
    align: Annotated[
        Literal["none", "special", "frequency", "order"],
        _knob(
            "rows of the encoder's word table that tokens start from: none, drawn anew; those of special tokens; also, "
            "for ids by falling frequency, those of its most frequent tokens by the task's counts, or those of its "
            "vocabulary in order from a token on",
            "github.com/bojone/oppo-text-match; seeds 001, 002 (GAIIC 2021, track 3)",
            neutral="none",
            cannot_act=why.no_rows_to_take,
        ),
    ] = "none"
    start: Annotated[
        str,
        Field(min_length=1),
        _knob(
            "the token of the encoder's vocabulary whose row the most frequent id takes where align is 'order'",
            "seed 002 (GAIIC 2021, track 3)",
            neutral="!",
            cannot_act=why.no_start,
        ),
    ] = "!"


if TYPE_CHECKING:

    class VocabularyKnobs(KnobGroup):
        """Knobs of how ids become tokens, by the names that spaces call them."""
else:
    VocabularyKnobs = prefixed(VocabularyRecipe, VOCABULARY, "VocabularyKnobs")


def vocabulary_of(recipe: KnobGroup) -> VocabularyRecipe:
    """Take out of a recipe how ids become tokens."""
    values = {name: getattr(recipe, VOCABULARY + name) for name in VocabularyRecipe.model_fields}
    return VocabularyRecipe.model_construct(**values)
