"""View: the rows as one trial or stage reads them. Those with an equal view share its arrays."""

from dataclasses import dataclass

from gridsearch.recipe.evaluation_knobs import PredictionOrder
from gridsearch.stage import Stage, Vocabulary
from gridsearch.trial import Trial


@dataclass(frozen=True, order=True)
class View:
    """A task by its fingerprint, a fold, what turns texts into tokens, a longest length, the orders of a pair."""

    task: str
    fold: int
    vocabulary: Vocabulary
    max_length: int
    prediction_order: PredictionOrder = "as_is"


def view_of(trial: Trial) -> View:
    """Return what a trial reads: the only place where that is said."""
    vocabulary = Vocabulary(trial.encoder) if trial.stage is None else trial.stage.vocabulary
    recipe = trial.recipe
    return View(trial.task, trial.fold, vocabulary, recipe.max_length, recipe.prediction_order)


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
