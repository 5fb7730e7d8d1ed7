"""The card of an encoder, known without loading it: enough to plan with, and to recognise it again."""

from dataclasses import dataclass, field
from pathlib import Path

from gridsearch.encoders.ids.vocabulary import IdsVocabulary


@dataclass(frozen=True)
class EncoderCard:
    """``identity`` hashes the files of a published encoder, or the inputs of one that is made here.

    ``max_tokens`` is the longest input that its position embeddings carry; ``notes`` are sentences that whoever
    reads its results has to know, for the plan and the page. ``dropout`` is what its config says for hidden states and
    attention, where that is one number; ``n_token_types`` is the size of its segment embeddings, 0 without any.

    ``has_mask_token``: its tokenizer can hide a token, as a pretraining does. ``has_token_head``: its head that
    tells tokens is known. ``has_final_norm``: a norm stands behind its last layer. ``layers_are_placed``: none of them
    can stand in another's place. ``overflows_in_half``: its code cannot be run in bfloat16.

    ``folder`` holds its files, where they are there. ``is_made_of_the_texts``: it is made from the task's own texts.
    ``knows_ids``: its vocabulary is one of ids. ``ids`` is the vocabulary that it is given: its identity tells of it.
    """

    name: str
    identity: str
    family: str
    n_layers: int
    has_pooler: bool
    max_tokens: int
    notes: tuple[str, ...] = ()
    dropout: float | None = None
    shares_layers: bool = False
    pooler_is_pretrained: bool = True
    has_mask_token: bool = True
    has_token_head: bool = True
    has_final_norm: bool = False
    overflows_in_half: bool = False
    layers_are_placed: bool = False
    n_token_types: int = 2
    is_made_of_the_texts: bool = False
    knows_ids: bool = False
    ids: IdsVocabulary | None = None
    folder: Path | None = field(default=None, compare=False)
