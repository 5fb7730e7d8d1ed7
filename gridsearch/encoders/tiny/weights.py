"""The weights of ``tiny``: written down such that [CLS] holds a summary of the text, and then trained for some steps.

* A token's embedding is its word vector, and its last coordinate tells how common the token is. LayerNorm gives all
  embeddings the same length, so the more common a token is, the less is left for its meaning: a built-in stop list.
* In the lowest layers queries and keys are near zero, so attention is uniform, and values and outputs are near the
  identity: every token, [CLS] too, adds the mean of the text to itself. Those layers are below what is usually
  re-initialised.
* All else is N(0, 0.02). At this width that is nearly zero: a residual layer of it hands on its input.
* From there all layers are trained, and the pooler is made last (``summary.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridsearch.encoders.tiny.word_vectors import count_matrix, text_shares, word_vectors
from gridsearch.encoders.vocabulary import SPECIAL_TOKENS

if TYPE_CHECKING:
    import torch
    from transformers import BertConfig, BertModel


COMMONNESS_WEIGHT = 2.0  # a token that is in a quarter of the texts counts 1 / sqrt(1 + 2² / 4) = 0.7 of a rare one
DROPOUT = 0.1  # as published BERTs have
POSITION_STD = 0.02  # beside word vectors of standard deviation 1: word order is there to be learned, not in the way


@dataclass(frozen=True)
class TinyRecipe:
    """All that decides what ``tiny`` is, next to the texts it is made from."""

    n_layers: int = 12
    hidden_width: int = 64
    n_heads: int = 1  # of 64, the width of BERT-base's heads; two heads cost 15 % of a step
    intermediate_width: int = 64
    n_positions: int = 256
    n_tokens_most: int = 4000
    n_texts_most: int = 10_000  # evenly spread over the corpus
    n_gathering_layers: int = 4
    gathering_strength: float = 0.5
    weight_std: float = 0.02
    embedding_std: float = 0.01
    n_steps_most: int = 100  # of training
    seed: int = 0
    version: int = 2
    """Of the code that makes the encoder: raise it whenever the same inputs would give other weights."""


def model_config(n_tokens: int, recipe: TinyRecipe) -> "BertConfig":
    """Return the config of an encoder of so many tokens."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=n_tokens,
        hidden_size=recipe.hidden_width,
        num_hidden_layers=recipe.n_layers,
        num_attention_heads=recipe.n_heads,
        intermediate_size=recipe.intermediate_width,
        max_position_embeddings=recipe.n_positions,
        initializer_range=recipe.weight_std,
        hidden_dropout_prob=DROPOUT,
        attention_probs_dropout_prob=DROPOUT,
    )


def make_model(token_ids: Sequence[Sequence[int]], n_tokens: int, recipe: TinyRecipe) -> "BertModel":
    """Make the model from the texts' tokens; random numbers are drawn from torch's global generator, too."""
    import torch
    from transformers import BertModel

    from gridsearch.encoders.tiny.summary import spread, teach

    model = BertModel(model_config(n_tokens, recipe))
    with torch.no_grad():
        _write_embeddings(model, _token_vectors(token_ids, n_tokens, recipe), recipe)
        identity = torch.eye(recipe.hidden_width)
        for n in range(recipe.n_gathering_layers):
            model.get_parameter(f"encoder.layer.{n}.attention.self.value.weight").add_(identity)
            output = model.get_parameter(f"encoder.layer.{n}.attention.output.dense.weight")
            output.add_(identity, alpha=recipe.gathering_strength)
    teach(model, token_ids, recipe.n_steps_most, recipe.seed)
    spread(model, token_ids)
    return model


def _token_vectors(token_ids: Sequence[Sequence[int]], n_tokens: int, recipe: TinyRecipe) -> "torch.Tensor":
    """Return [tokens, width]: standardised word vectors, random ones for tokens that have none, and the commonness."""
    import torch

    counts = count_matrix(token_ids, n_tokens)
    vectors = torch.tensor(word_vectors(counts, recipe.hidden_width - 1, recipe.seed), dtype=torch.float32)
    vectors -= vectors.mean(dim=1, keepdim=True)
    deviations = vectors.std(dim=1, keepdim=True)
    drawn = torch.randn(vectors.shape)
    standardised = torch.where(deviations > 1e-6, vectors / deviations.clamp(min=1e-6), drawn)
    shares = torch.tensor(text_shares(counts), dtype=torch.float32)
    commonness = COMMONNESS_WEIGHT * shares.sqrt() * recipe.hidden_width**0.5
    return torch.cat([standardised, commonness[:, None]], dim=1)


def _write_embeddings(model: "BertModel", vectors: "torch.Tensor", recipe: TinyRecipe) -> None:
    """Scale everything that is summed before the first LayerNorm, to half the deviation of published BERTs.

    LayerNorm makes the scale irrelevant to the output, but an update of Adam has a fixed size: the smaller the vectors,
    the more words learn from a label (docs/log.md).
    """
    embeddings = model.embeddings
    embeddings.word_embeddings.weight.copy_(recipe.embedding_std * vectors)
    embeddings.word_embeddings.weight[SPECIAL_TOKENS.index("[PAD]")] = 0
    embeddings.position_embeddings.weight.normal_(std=recipe.embedding_std * POSITION_STD)
    embeddings.token_type_embeddings.weight.normal_(std=recipe.embedding_std * POSITION_STD)
