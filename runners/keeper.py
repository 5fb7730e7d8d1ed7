"""Which trials' weights are kept: none, the best, the best three, or all."""

import shutil
from collections.abc import Iterable, Set
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.study.ledger import Ledger
from gridsearch.study.ranking import ranking
from gridsearch.study.study import Study
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.training.kept_weights import HALF_MADE, is_kept, save_weights
from gridsearch.training.materials import Materials
from gridsearch.trial import Outcome

KEEP = {"none": 0, "best": 1, "top-3": 3, "all": None}


def n_kept(keep: str) -> int | None:
    """Return how many trials a choice keeps; None is all of them."""
    if keep not in KEEP:
        raise RequestError(f"--keep: {one_of('choice', keep, list(KEEP))}")
    return KEEP[keep]


def clear_half_made(study: Study, ledger: Ledger) -> None:
    """Delete the weights that a killed driver was writing."""
    _delete(study.weights_folder.glob(f"*{HALF_MADE}"), ledger)


def _delete(folders: Iterable[Path], ledger: Ledger, wanted: Set[str] = frozenset()) -> None:
    """Delete what is a kept trial of this study, whole or half made, and not wanted; and nothing else."""
    for folder in folders:
        trial_id = folder.name.removesuffix(HALF_MADE)
        if trial_id not in wanted and ledger.knows(trial_id) and is_kept(folder, trial_id):
            # What cannot be deleted stays, and is no reason to end a sweep.
            shutil.rmtree(folder, ignore_errors=True)


class Keeper:
    """Saves the weights of trials that rank high enough, and deletes those that no longer do.

    The ranking is read once and kept up from then on: to read it after every trial would cost the square of a sweep.
    """

    def __init__(self, study: Study, ledger: Ledger, task: AnyTask, keep: str) -> None:
        self._study, self._ledger, self._task = study, ledger, task
        self._target = task.target
        self._limit = n_kept(keep)
        self._best = (
            [(self._target.goodness(value), one) for value, one in ranking(ledger, self._target)[: self._limit]]
            if self._limit
            else []
        )
        if self._limit != 0:
            study.weights_folder.mkdir(exist_ok=True)  # what cannot be made shows before anything is trained

    def save(self, trial_id: str, outcome: Outcome, materials: Materials) -> None:
        """Write a trial's weights if it ranks among those to keep."""
        if outcome.weights is None or not self._is_wanted(outcome):
            return
        trial = self._ledger.trial(trial_id)
        folder = self._study.weights_of(trial.id)
        save_weights(folder, trial, outcome.weights, materials.encoder_of(trial), self._task)

    def finished(self, trial_id: str, outcome: Outcome) -> None:
        """Rank a trial, and delete the weights of those that are no longer wanted."""
        # "none" keeps nothing new, and "all" everything: neither deletes what an earlier command kept.
        if not self._limit:
            return
        mine = (self._target.goodness(self._target.of(outcome.dev)), trial_id)
        self._best = sorted([*self._best, mine], key=lambda row: -row[0])[: self._limit]
        _delete(self._study.weights_folder.iterdir(), self._ledger, wanted={one for _, one in self._best})

    def _is_wanted(self, outcome: Outcome) -> bool:
        if self._limit is None or len(self._best) < self._limit:
            return True
        return self._target.goodness(self._target.of(outcome.dev)) > self._best[-1][0]
