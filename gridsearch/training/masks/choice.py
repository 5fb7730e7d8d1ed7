"""Choosing the tokens to hide: by which mask, and with which number.

Published rules draw with a number that is not the share of tokens that they hide. Where that share is asked for
(``rate_is = "realised"``), the number is found once, on a fixed sample of the corpus and with a fixed stream: every
worker that reads the corpus finds the same.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.randomness import numpy_stream
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.tasks.corpus import CorpusRows, EncodedCorpus
from gridsearch.training.masks.ngrams import daniellibin, rank18, rank18_of_any_rate, seed000, seed002
from gridsearch.training.masks.words import words

Rule = Callable[[CorpusRows, float, np.random.Generator], np.ndarray]
"""From some rows, a number and a stream to the tokens that are chosen: bool, one a token. The higher, the more."""
Choice = Callable[[CorpusRows, np.random.Generator], np.ndarray]
"""A rule with its number."""

N_SAMPLED = 2**18
"""Tokens that the realised share is measured on: it is known to about .002. A small corpus is read several times."""
N_HALVED = 12
"""So often is the interval of a rule's number cut into halves."""


def bernoulli(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Choose each token by itself with the same probability."""
    chosen: np.ndarray = (stream.random(len(rows.tokens)) < rate) & rows.may_be_chosen
    return chosen


MASKS: Mapping[str, Rule] = {"bernoulli": bernoulli, "whole_word": words, "statistical_word": words}
"""The values of the knob mask, but for ngram."""
NGRAMS: Mapping[str, Rule] = {"daniellibin": daniellibin, "rank18": rank18, "seed002": seed002, "seed000": seed000}
"""The values of the knob ngram."""
OF_ANY_RATE: Mapping[str, Rule] = {**NGRAMS, "rank18": rank18_of_any_rate}
"""The same, where a share is to be met: numbers that are rounded to whole tokens would not meet it."""


def choice_of(recipe: PretrainingRecipe, corpus: EncodedCorpus) -> Choice:
    """Return how a recipe chooses tokens of a corpus. Raises RequestError for a share that its mask cannot hide."""
    is_realised = recipe.rate_is == "realised"
    ngrams = OF_ANY_RATE if is_realised else NGRAMS
    rule = ngrams[recipe.ngram] if recipe.mask == "ngram" else MASKS[recipe.mask]
    return partial(_choose, rule, _number_for(rule, recipe, corpus) if is_realised else recipe.rate)


def _choose(rule: Rule, number: float, rows: CorpusRows, stream: np.random.Generator) -> np.ndarray:
    return rule(rows, number, stream)


def _number_for(rule: Rule, recipe: PretrainingRecipe, corpus: EncodedCorpus) -> float:
    """Return the number with which a rule hides the share of a corpus that a recipe asks for."""
    n_times = -(-N_SAMPLED // int(corpus.lengths.sum()))
    sample = np.tile(numpy_stream(0, "sampled rows").permutation(len(corpus)), n_times)
    n_rows = 1 + int(np.searchsorted(np.cumsum(corpus.lengths[sample]), N_SAMPLED))
    rows = corpus.read(corpus.row_texts[sample[:n_rows]])
    n_may = max(1, int(rows.may_be_chosen.sum()))

    def share(number: float) -> float:
        return float(rule(rows, number, numpy_stream(0, "sampled masks")).sum()) / n_may

    if (most := share(1.0)) < recipe.rate:
        name = f"ngram = {recipe.ngram!r}" if recipe.mask == "ngram" else f"mask = {recipe.mask!r}"
        raise RequestError(
            f"pretraining.{name} hides {most:.2f} of these texts at most, but a pretraining.rate of {recipe.rate:g} is "
            "to be realised"
        )
    low, high = 0.0, 1.0
    for _ in range(N_HALVED):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) < recipe.rate else (low, middle)
    return (low + high) / 2
