"""Which row of an encoder's word table each token of ids starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.ids.vocabulary import IdsVocabulary
from gridsearch.errors import RequestError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DRAWN = -1
"""In place of a row: there is none to take, and numbers are drawn."""
_ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


@dataclass(frozen=True)
class OwnTokens:
    """What an encoder's own tokenizer knows: tokens to their ids, and ``roles``, such as ``unk_token``, to tokens."""

    ids: Mapping[str, int]
    roles: Mapping[str, str]

    @property
    def special(self) -> list[str]:
        """The special tokens, in the order of their ids."""
        return sorted(set(self.roles.values()), key=self.ids.__getitem__)

    @property
    def padding(self) -> str:
        """The token that fills rows up."""
        return self.roles["pad_token"]


def own_tokens(files: Mapping[str, bytes]) -> OwnTokens:
    """Read them from a tokenizer's files. RequestError for one that has none for unknown words, or for padding."""
    return tokens_of(build_tokenizer(files))


def tokens_of(tokenizer: "PreTrainedTokenizerBase") -> OwnTokens:
    """Ask a tokenizer for them."""
    roles = {name: str(token) for name in _ROLES if (token := getattr(tokenizer, name)) is not None}
    for name in ("unk_token", "pad_token"):
        if name not in roles:
            raise RequestError(f"the encoder's tokenizer has no {name}, which a vocabulary of ids needs")
    return OwnTokens(tokenizer.get_vocab(), roles)


def tokens_with_special(own: OwnTokens, vocabulary: IdsVocabulary) -> list[str]:
    """Return all tokens in the order of their new ids: special ones, then ids. That of padding keeps the id it had."""
    tokens = [*(token for token in own.special if token != own.padding), *vocabulary.tokens]
    if (place := own.ids[own.padding]) > len(tokens):
        rule = f"the encoder's padding token has the id {place}, which a vocabulary of ids has to keep"
        raise RequestError(f"{rule}, but it has {len(tokens) + 1} tokens only")
    return [*tokens[:place], own.padding, *tokens[place:]]


def rows_taken(own: OwnTokens, vocabulary: IdsVocabulary) -> list[int]:
    """Return, for each token in its new order, the row that it takes of the encoder's word table, or ``DRAWN``.

    Raises RequestError for a start that is no ordinary token of the encoder's, and for counts of other tokens.
    """
    if vocabulary.recipe.align == "none":
        taken: dict[str, int] = {}
    else:
        taken = {token: own.ids[token] for token in own.special}
        taken |= dict(zip(vocabulary.tokens, _rows_for_ids(own, vocabulary), strict=False))
    return [taken.get(token, DRAWN) for token in tokens_with_special(own, vocabulary)]


def _rows_for_ids(own: OwnTokens, vocabulary: IdsVocabulary) -> list[int]:
    """Return the rows that ids take, the most frequent one first; ids beyond the last one take none."""
    special = set(own.special)
    ordinary = {token: row for token, row in own.ids.items() if token not in special}
    recipe, counts = vocabulary.recipe, vocabulary.token_counts
    if recipe.align == "order":
        if recipe.start not in ordinary:
            what = "a special token of it" if recipe.start in special else "none of it"
            rule = "vocabulary.start must be an ordinary token of the encoder's vocabulary"
            raise RequestError(f"{rule}, but {recipe.start!r} is {what}")
        return sorted(row for row in ordinary.values() if row >= ordinary[recipe.start])
    if recipe.align == "frequency":
        counted = [token for token in ordinary if counts.get(token, 0) > 0]
        if not counted:
            raise RequestError("the task's counts under [vocabulary] count no token of this encoder's vocabulary")
        return [ordinary[token] for token in sorted(counted, key=lambda token: (-counts[token], ordinary[token]))]
    return []
