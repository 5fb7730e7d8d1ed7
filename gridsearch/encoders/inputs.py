"""What is changed in what the encoder reads: segment ids, and marks of words that both texts of a pair hold."""

from torch import Tensor, nn

from gridsearch.encoders import surgery
from gridsearch.recipe import Recipe


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
        if recipe.cooccurrence == "add_scalar":
            surgery.input_module(encoder).register_forward_hook(self._add_scalar)
        if recipe.cooccurrence == "embedding":
            words = surgery.word_embeddings(encoder)
            self.vectors = nn.Embedding(2, words.embedding_dim, device="meta").to_empty(device="cpu")
            words.register_forward_hook(self._add_vector)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the encoder's arguments; the marks are kept for the hook."""
        arguments = dict(batch)
        self._marks = arguments.pop("cooccurrence", None)
        if self.zero_types and "token_type_ids" in arguments:
            arguments["token_type_ids"] = arguments["token_type_ids"].new_zeros(()).expand_as(batch["input_ids"])
        return arguments

    def _add_scalar(self, module: nn.Module, arguments: tuple[Tensor, ...], states: Tensor) -> Tensor | None:
        if self._marks is None:  # single texts
            return None
        return states + self._marks.unsqueeze(-1).to(states.dtype)

    def _add_vector(self, module: nn.Module, arguments: tuple[Tensor, ...], words: Tensor) -> Tensor | None:
        if self._marks is None or self.vectors is None:
            return None
        vectors: Tensor = self.vectors(self._marks)
        return words + vectors
