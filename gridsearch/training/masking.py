"""What is hidden in a step of masked language modelling, and what stands in its place (arXiv:1810.04805, section 3.1).

All of it follows from a seed and the step alone, so that a run that was killed and goes on hides the same. Arrays of
tokens are flat: row by row, without padding.
"""

from dataclasses import dataclass

import numpy as np

from gridsearch.randomness import numpy_stream
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.tasks.encode import UNLABELLED, EncodedSplit
from gridsearch.training.masks.choice import Choice, choice_of

BELONGS_TOGETHER, IS_RANDOM, NO_ANSWER = 0, 1, -100
"""Answers about a pair, as transformers' models for it count them; a row of one text has none."""


@dataclass(frozen=True)
class MaskedRows:
    """The rows of a step as the model reads them, and what it is to tell.

    ``rows`` have what stands for the chosen tokens; ``originals`` (int64) and ``chosen`` (bool) are laid out as their
    ids: some of the ``n_eligible`` tokens that may be hidden, or none. ``labels`` (int64, one a row) are what is to be
    told at a row's first token, ``UNLABELLED`` where nothing is. ``follows`` (int64, one a row) are the answers about
    pairs, None where nobody asks.
    """

    rows: EncodedSplit
    originals: np.ndarray
    chosen: np.ndarray
    n_eligible: int
    labels: np.ndarray
    follows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def targets(self) -> np.ndarray:
        """The ids to be predicted, in the order of :meth:`positions`: int64."""
        targets: np.ndarray = self.originals[self.chosen]
        return targets

    @property
    def labelled(self) -> np.ndarray:
        """The rows whose label is to be told."""
        return np.flatnonzero(self.labels != UNLABELLED)

    def positions(self, width: int | None = None) -> np.ndarray:
        """Return where the chosen tokens lie among those of all rows, padded as ``collate`` does, laid end to end."""
        lengths = self.rows.lengths
        n_padded = int(lengths.max()) if width is None else width
        shifts = np.arange(len(lengths)) * n_padded - self.rows.starts[:-1]
        positions: np.ndarray = (np.arange(len(self.chosen)) + np.repeat(shifts, lengths))[self.chosen]
        return positions

    def take(self, rows: np.ndarray) -> "MaskedRows":
        """Copy some of the rows, in the order given: a part of a step that is too large for the memory."""
        tokens = self.rows.tokens_of(rows)
        follows = None if self.follows is None else self.follows[rows]
        taken = self.rows.take(rows), self.originals[tokens], self.chosen[tokens]
        return MaskedRows(*taken, self.n_eligible, self.labels[rows], follows)


def masked_rows(
    corpus: EncodedCorpus,
    rows: np.ndarray,
    recipe: PretrainingRecipe,
    *,
    seed: int,
    step: int,
    choose: Choice | None = None,
) -> MaskedRows:
    """Read some rows of a corpus for a step: join pairs in the order drawn, hide tokens.

    A pair has its label in either order, and none with a random second text. Who takes many steps makes ``choose`` once
    (:func:`choice_of`).
    """
    row_texts, follows = _texts_of(corpus, rows, recipe, seed, step)
    read = corpus.read(row_texts)
    chosen = (choose or choice_of(recipe, corpus))(read, numpy_stream(seed, "masks", step))
    ids = _corrupted(read.rows.ids, chosen, corpus, recipe, numpy_stream(seed, "corruption", step))
    split = EncodedSplit(ids, read.rows.types, read.rows.starts, None)
    labels = corpus.labels_of(rows)
    if follows is not None:
        labels = np.where(follows == IS_RANDOM, UNLABELLED, labels)
    return MaskedRows(split, read.rows.ids.astype(np.int64), chosen, int(read.may_be_chosen.sum()), labels, follows)


def _corrupted(
    ids: np.ndarray, chosen: np.ndarray, corpus: EncodedCorpus, recipe: PretrainingRecipe, stream: np.random.Generator
) -> np.ndarray:
    """Return the ids with a mask or a random word for some of the chosen ones; the rest stay, and are predicted too."""
    places = np.flatnonzero(chosen)
    shares = stream.random(len(places))
    drawn = corpus.words[stream.integers(len(corpus.words), size=len(places))]
    seen = np.where(shares < recipe.mask_share + recipe.random_share, drawn, ids[places])
    corrupted = ids.copy()
    corrupted[places] = np.where(shares < recipe.mask_share, corpus.mask_id, seen)
    return corrupted


def _texts_of(
    corpus: EncodedCorpus, rows: np.ndarray, recipe: PretrainingRecipe, seed: int, step: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the texts of rows in the order drawn, and with random second texts where these are asked for."""
    row_texts, turned = corpus.row_texts[rows], corpus.are_turned(rows)
    is_pair = row_texts[:, 1] >= 0
    if recipe.pair_order == "random":
        turned = is_pair & (numpy_stream(seed, "pair order", step).random(len(rows)) < 0.5)
        row_texts[turned] = row_texts[turned, ::-1]
    if not recipe.next_sentence:
        return row_texts, None
    follows = np.where(is_pair, BELONGS_TOGETHER, NO_ANSWER)
    draws = numpy_stream(seed, "next sentence", step).random((2, len(rows)))
    broken = np.flatnonzero(is_pair & (draws[0] < 0.5))
    for is_turned in (False, True):
        some = broken[turned[broken] == is_turned]
        another, exists = _another(corpus.others[int(is_turned)], row_texts[some, 1], draws[1, some])
        row_texts[some[exists], 1] = another[exists]
        follows[some[exists]] = IS_RANDOM
    return row_texts, follows


def _another(pool: np.ndarray, own: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw from a sorted pool an element that is not one's own, each of the others with the same chance.

    ``draws`` are between 0 and 1. Also returned is where there is another at all: elsewhere, nothing is meant.
    """
    begin, end = np.searchsorted(pool, own, side="left"), np.searchsorted(pool, own, side="right")
    n_others = len(pool) - (end - begin)
    place = (draws * n_others).astype(np.int64)
    place += np.where(place >= begin, end - begin, 0)
    exists = n_others > 0
    return pool[np.where(exists, place, 0)], exists
