"""Changes to what the encoder reads: segment ids, and marks of words that both texts of a pair hold."""

import torch
from torch import Tensor, nn

from gridsearch.encoders import surgery
from gridsearch.encoders.undrawn import empty
from gridsearch.encoders.unknown.found import family_of
from gridsearch.recipe.recipe import Recipe


def mask_of(batch: dict[str, Tensor]) -> Tensor:
    """Return the attention mask of a batch, (rows, tokens): ones where there is none."""
    if "attention_mask" in batch:
        return batch["attention_mask"]
    given = batch["states"][..., 0] if "states" in batch else batch["input_ids"]
    return torch.ones_like(given, dtype=torch.int64)


class Inputs(nn.Module):
    """Turns a batch into the encoder's arguments, and adds the co-occurrence marks inside the encoder by a hook.

    ``add_scalar`` adds the mark, 0 or 1, to every dimension of what the first layer reads, after the embeddings' own
    LayerNorm and dropout (seed 002). ``embedding`` adds a learned vector to the word's, before both (its second round).
    """

    def __init__(self, recipe: Recipe, encoder: nn.Module) -> None:
        super().__init__()
        self.zero_types = recipe.token_types == "zeros"
        self.vectors: nn.Embedding | None = None
        self._marks: Tensor | None = None
        self._always_masked = family_of(encoder).needs_mask
        if recipe.cooccurrence == "add_scalar":
            surgery.input_module(encoder).register_forward_hook(self._add_scalar)
        if recipe.cooccurrence == "embedding":
            words = surgery.word_embeddings(encoder)
            self.vectors = empty(lambda: nn.Embedding(2, words.embedding_dim))
            words.register_forward_hook(self._add_vector)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the encoder's arguments; the marks are kept for the hook, which uses them up."""
        arguments = dict(batch)
        self._marks = arguments.pop("cooccurrence", None)
        arguments.pop("sides", None)  # the pooling's
        if self._always_masked:
            arguments["attention_mask"] = mask_of(batch)
        if self.zero_types and "token_type_ids" in arguments:
            arguments["token_type_ids"] = arguments["token_type_ids"].new_zeros(()).expand_as(batch["input_ids"])
        return arguments

    def _add_scalar(self, module: nn.Module, arguments: tuple[Tensor, ...], states: Tensor) -> Tensor | None:
        marks = self._take_marks()
        return None if marks is None else states + marks.unsqueeze(-1).to(states.dtype)

    def _add_vector(self, module: nn.Module, arguments: tuple[Tensor, ...], words: Tensor) -> Tensor | None:
        marks = self._take_marks()
        assert self.vectors is not None
        return None if marks is None else words + self.vectors(marks)

    def _take_marks(self) -> Tensor | None:
        """Return the marks of the batch at hand, once: whoever calls the encoder by itself meets none of them."""
        marks, self._marks = self._marks, None
        return marks
