"""What trials on ids start from: an encoder's card with the vocabulary that it is given."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.tokenizer import tokenizer_files
from gridsearch.encoders.ids.alignment import OwnTokens, own_tokens, rows_taken
from gridsearch.encoders.ids.vocabulary import ids_vocabulary

if TYPE_CHECKING:
    from gridsearch.recipe.vocabulary.knobs import VocabularyRecipe

_READ_BY_ALIGNMENT = ("frequency", "order")
"""Alignments that a plan has to read the encoder's tokenizer for: whether they can be depends on its tokens."""


def start_of_ids(
    card: EncoderCard,
    id_counts: Mapping[str, int],
    recipe: "VocabularyRecipe",
    token_counts: Mapping[str, int],
) -> EncoderCard:
    """Return the card of the encoder that reads ids: but for its identity, as that of the one that it is made of.

    An encoder stays what it is where texts are text (``id_counts`` is empty), or where it knows ids already.
    """
    if not id_counts or card.knows_ids:
        return card
    vocabulary = ids_vocabulary(id_counts, recipe, token_counts)
    return replace(card, identity=vocabulary.identity(card.identity), ids=vocabulary)


def refuse_misaligned(card: EncoderCard) -> None:
    """Raise RequestError where the rows that are to be taken are not those of this encoder's vocabulary."""
    if card.ids is not None and card.folder is not None and card.ids.recipe.align in _READ_BY_ALIGNMENT:
        rows_taken(_own_tokens(card.folder), card.ids)


@cache
def _own_tokens(folder: Path) -> OwnTokens:
    return own_tokens(tokenizer_files(folder))
