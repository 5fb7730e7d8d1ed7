"""The card of an encoder, known without loading it: enough to plan with, and to recognise it again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EncoderCard:
    """``identity`` hashes the files of a published encoder, or the inputs of one that is made here.

    ``max_tokens`` is the longest input that its position embeddings carry; ``note`` is a sentence that whoever reads
    its results has to know, for the plan and the page. ``dropout`` is what its config says for hidden states and
    attention, where that is one number; ``n_token_types`` is the size of its segment embeddings, 0 without any.
    """

    name: str
    identity: str
    family: str
    n_layers: int
    has_pooler: bool
    max_tokens: int
    note: str = ""
    dropout: float | None = None
    shares_layers: bool = False
    pooler_is_pretrained: bool = True
    n_token_types: int = 2
