"""An encoder that reads ids: another one's weights, and a word table with rows of the other's and drawn ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gridsearch.encoders.checkpoint.anatomy import word_table
from gridsearch.encoders.checkpoint.config import CONFIG, model_config
from gridsearch.encoders.families import family_in
from gridsearch.encoders.ids.alignment import DRAWN, own_tokens, rows_taken, tokens_with_special
from gridsearch.encoders.ids.tokenizer import config_with, ids_tokenizer
from gridsearch.encoders.ids.vocabulary import IdsVocabulary
from gridsearch.encoders.load import EncoderWeights
from gridsearch.randomness import torch_stream

if TYPE_CHECKING:
    import numpy

SEED = 0
"""Of the rows that are drawn. It is no trial's: the encoder is the same for all seeds, as a published one is."""


def with_ids(encoder: EncoderWeights, vocabulary: IdsVocabulary) -> EncoderWeights:
    """Give an encoder a vocabulary of ids: word table, published head and tokenizer follow it. The identity is kept.

    What is drawn is N(0, initializer_range); biases of drawn tokens are 0, and so is the row of padding. The same
    numbers come out in every process.
    """
    own = own_tokens(encoder.tokenizer)
    rows, tokens = rows_taken(own, vocabulary), tokens_with_special(own, vocabulary)
    special = {own.ids[token]: tokens.index(token) for token in own.special}
    deviation = float(encoder.config.get("initializer_range", 0.02))
    words = word_table(encoder.config)
    table = _with_rows(encoder.state[words], rows, words, deviation)
    if rows[padding := tokens.index(own.padding)] == DRAWN:
        table[padding] = 0.0
    of_tokens = _names_by_token(encoder) if encoder.head else set()
    head = {
        name: _with_rows(array, rows, name, deviation) if name in of_tokens else array
        for name, array in encoder.head.items()
    }
    return replace(
        encoder,
        config=config_with(encoder.config, len(tokens), special),
        state={**encoder.state, words: table},
        tokenizer=ids_tokenizer(encoder.tokenizer, vocabulary),
        head=head,
    )


def _with_rows(array: "numpy.ndarray", rows: Sequence[int], name: str, deviation: float) -> "numpy.ndarray":
    """Return an array whose first axis counts tokens: with the rows that are taken, and drawn ones between them."""
    import numpy
    import torch

    found = torch.zeros((len(rows), *array.shape[1:]))
    if array.ndim > 1:
        found.normal_(std=deviation, generator=torch_stream(SEED, "ids", name))
    taken = numpy.asarray(rows)
    made = found.numpy()
    made[taken != DRAWN] = array[taken[taken != DRAWN]]
    return made


def _names_by_token(encoder: EncoderWeights) -> set[str]:
    """Return the names of the head's weights that have a row for each token: those that grow with the vocabulary."""
    import torch
    from transformers import AutoModelForMaskedLM

    settings = {**encoder.config, **family_in(encoder.config, CONFIG).head_settings}
    longer = model_config({**settings, "vocab_size": len(encoder.state[word_table(encoder.config)]) + 1})
    with torch.device("meta"):
        whole = AutoModelForMaskedLM.from_config(longer)
    shapes = {name: parameter.shape for name, parameter in whole.named_parameters(remove_duplicate=False)}
    return {name for name, array in encoder.head.items() if name in shapes and shapes[name] != array.shape}
