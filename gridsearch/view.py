"""View: the rows as one trial or stage reads them. Views are made of pieces, which are there once for all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gridsearch.recipe.augmentation_knobs import Augmentation, PairSwap, augmentation_of
from gridsearch.recipe.evaluation_knobs import PredictionOrder
from gridsearch.repetition import Division
from gridsearch.stage import Stage, Vocabulary
from gridsearch.trial import Trial

if TYPE_CHECKING:
    from gridsearch.tasks.encode import EncodedTask


@dataclass(frozen=True, order=True)
class Tokens:
    """A task by its fingerprint, what turns texts into tokens, a longest length; ``turned``: with pairs turned round.

    They are all rows of the task: views of any fold and in any order are made of them.
    """

    task: str
    vocabulary: Vocabulary
    max_length: int
    turned: bool = False


@dataclass(frozen=True)
class AddedTokens:
    """The pairs that an augmentation adds to the training rows of a fold, read as the ``tokens`` of the task are."""

    tokens: Tokens
    fold: int
    division: Division | None
    augmentation: Augmentation


@dataclass(frozen=True)
class View:
    """The tokens of a task, which of the rows judge, in which orders pairs are read, and which are added to train."""

    tokens: Tokens
    fold: int
    division: Division | None
    prediction_order: PredictionOrder = "as_is"
    pair_swap: PairSwap = "off"
    augmentation: Augmentation | None = None

    @property
    def pieces(self) -> tuple["Piece", ...]:
        """The pieces that it is made of, by the names under which they are there once for all views."""
        return (*self._in_orders, *((self.division,) if self.division else ()), *self._added)

    @property
    def _in_orders(self) -> tuple[Tokens, ...]:
        """The tokens of the pairs as they stand and, where they are read so, in the other order."""
        in_both = self.prediction_order == "both" or self.pair_swap != "off"
        return (self.tokens, *((replace(self.tokens, turned=True),) if in_both else ()))

    @property
    def _added(self) -> tuple[AddedTokens, ...]:
        """The tokens of added pairs, in the same orders."""
        if self.augmentation is None:
            return ()
        return tuple(AddedTokens(one, self.fold, self.division, self.augmentation) for one in self._in_orders)

    def made_of(self, piece: Callable[["Piece"], Any]) -> "EncodedTask":
        """Return the rows, given the pieces: copies where the view is not the task as it stands."""
        data: EncodedTask = piece(self.tokens)
        for turned in self._in_orders[1:]:
            data = data.with_turned(piece(turned))
        if self.division is not None:
            data = data.of_fold(piece(self.division), self.fold)
        if self.augmentation is not None:
            added, *turned_too = map(piece, self._added)
            data = data.with_added(replace(added, turned=turned_too[0] if turned_too else None))
        return data.in_orders(train=self.pair_swap != "off", judged=self.prediction_order == "both")


Piece = Tokens | Division | AddedTokens
"""What a view is made of: the tokens of a task, the fold of each of its rows, and the tokens of added pairs."""


def view_of(trial: Trial) -> View:
    """Return what a trial reads: the only place where that is said."""
    vocabulary = Vocabulary(trial.encoder) if trial.stage is None else trial.stage.vocabulary
    recipe = trial.recipe
    tokens = Tokens(trial.task, vocabulary, int(recipe.max_length))
    orders = recipe.prediction_order, recipe.pair_swap
    return View(tokens, trial.fold, trial.division, *orders, augmentation_of(recipe))


@dataclass(frozen=True, order=True)
class CorpusView:
    """Texts by their fingerprint, what turns them into tokens, and the knobs that say in which form they are read.

    ``mask`` is the one whose words are marked in the texts, or the neutral one where no words are. ``labels`` is the
    fingerprint of the labels that are read with them, empty where none are; ``augmentation`` says which pairs are among
    them that a recipe adds to the training rows.
    """

    corpus: str
    vocabulary: Vocabulary
    max_length: int
    form: str
    pair_order: str
    token_types: str
    mask: str
    labels: str = ""
    augmentation: Augmentation | None = None


def corpus_view_of(stage: Stage) -> CorpusView:
    """Return what a pretraining reads: the only place where that is said."""
    recipe = stage.recipe
    return CorpusView(
        corpus=stage.corpus,
        vocabulary=stage.vocabulary,
        max_length=int(recipe.max_length),
        form=recipe.form,
        pair_order=recipe.pair_order,
        token_types=recipe.token_types,
        mask=recipe.mask_of_words,
        labels=stage.labels,
        augmentation=stage.augmentation,
    )
