"""The ids that are tokens, and which rows of an encoder they take: all that an encoder of ids is made from but weights.

It is known before the encoder is made, so that a plan can name what comes of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gridsearch.canonical import fingerprint

if TYPE_CHECKING:
    from gridsearch.recipe.vocabulary.knobs import VocabularyRecipe

VERSION = 1
"""Of the code that makes the encoder: raised when the same inputs would give other weights. Part of every identity."""


@dataclass(frozen=True)
class IdsVocabulary:
    """``tokens`` are the ids by falling count, ties by number; what else occurs is the unknown token.

    ``recipe`` says which rows they take. ``token_counts`` are those of the tokens of the encoder that has the rows.
    """

    tokens: tuple[str, ...]
    recipe: "VocabularyRecipe"
    token_counts: Mapping[str, int] = field(default_factory=dict, repr=False)

    def identity(self, base: str) -> str:
        """Name the encoder that is made of one with the identity ``base``: by what acts, and nothing else."""
        align = self.recipe.align
        content: dict[str, Any] = {"meaning": VERSION, "base": base, "tokens": self.tokens, "align": align}
        if align == "order":
            content["start"] = self.recipe.start
        if align == "frequency":
            content["token_counts"] = dict(self.token_counts)
        return f"ids-{fingerprint(content)}"


def ids_vocabulary(
    id_counts: Mapping[str, int], recipe: "VocabularyRecipe", token_counts: Mapping[str, int]
) -> IdsVocabulary:
    """Take the ids that occur often enough."""
    frequent = [token for token, count in id_counts.items() if count >= recipe.min_count]
    # Of numbers without leading zeros the shorter one is the smaller, so none is too long to be read as a number.
    ranked = sorted(frequent, key=lambda token: (-id_counts[token], len(token), token))
    return IdsVocabulary(tuple(ranked), recipe, token_counts)
