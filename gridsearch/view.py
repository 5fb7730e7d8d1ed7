"""View: the rows as one trial reads them. Trials with an equal view share its arrays."""

from dataclasses import dataclass

from gridsearch.trial import Trial


@dataclass(frozen=True, order=True)
class View:
    """A task by its fingerprint, a fold, an encoder by its identity (it stands for its tokenizer), a longest length."""

    task: str
    fold: int
    encoder: str
    max_length: int


def view_of(trial: Trial) -> View:
    """Return what a trial reads: the only place where that is said."""
    return View(trial.task, trial.fold, trial.encoder, trial.recipe.max_length)
