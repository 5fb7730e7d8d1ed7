"""View: the rows as one trial or stage reads them. Views are made of pieces, which are there once for all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gridsearch.recipe.augmentation_knobs import PairSwap
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
class View:
    """The tokens of a task, which of the rows judge, and in which orders pairs are read."""

    tokens: Tokens
    fold: int
    division: Division | None
    prediction_order: PredictionOrder = "as_is"
    pair_swap: PairSwap = "off"

    @property
    def pieces(self) -> tuple["Piece", ...]:
        """The pieces that it is made of, by the names under which they are there once for all views."""
        in_both = self.prediction_order == "both" or self.pair_swap != "off"
        turned = (replace(self.tokens, turned=True),) if in_both else ()
        return (self.tokens, *turned, *((self.division,) if self.division else ()))

    def made_of(self, piece: Callable[["Piece"], Any]) -> "EncodedTask":
        """Return the rows, given the pieces: copies where the view is not the task as it stands."""
        data: EncodedTask = piece(self.tokens)
        for turned in self.pieces[1:]:
            if isinstance(turned, Tokens):
                data = data.with_turned(piece(turned))
        if self.division is not None:
            data = data.of_fold(piece(self.division), self.fold)
        return data.in_orders(train=self.pair_swap != "off", judged=self.prediction_order == "both")


Piece = Tokens | Division
"""What a view is made of: the tokens of a task, and the fold of each of its rows."""


def view_of(trial: Trial) -> View:
    """Return what a trial reads: the only place where that is said."""
    vocabulary = Vocabulary(trial.encoder) if trial.stage is None else trial.stage.vocabulary
    recipe = trial.recipe
    tokens = Tokens(trial.task, vocabulary, recipe.max_length)
    return View(tokens, trial.fold, trial.division, recipe.prediction_order, recipe.pair_swap)


@dataclass(frozen=True, order=True)
class CorpusView:
    """Texts by their fingerprint, what turns them into tokens, and the knobs that say in which form they are read.

    ``mask`` is the one whose words are marked in the texts, or the neutral one where no words are. ``labels`` is the
    fingerprint of the labels that are read with them, empty where none are.
    """

    corpus: str
    vocabulary: Vocabulary
    max_length: int
    form: str
    pair_order: str
    token_types: str
    mask: str
    labels: str = ""


def corpus_view_of(stage: Stage) -> CorpusView:
    """Return what a pretraining reads: the only place where that is said."""
    recipe = stage.recipe
    return CorpusView(
        corpus=stage.corpus,
        vocabulary=stage.vocabulary,
        max_length=recipe.max_length,
        form=recipe.form,
        pair_order=recipe.pair_order,
        token_types=recipe.token_types,
        mask=recipe.mask_of_words,
        labels=stage.labels,
    )
