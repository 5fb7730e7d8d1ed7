"""Which trials' weights are kept: none, the best, the best three, or all."""

import shutil
from collections.abc import Mapping

from gridsearch.errors import RequestError, one_of
from gridsearch.plan.plan import Plan
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.tasks.metrics import LOWER_IS_BETTER
from gridsearch.training.kept_weights import HALF_MADE, is_kept, save_weights
from gridsearch.trial import PART, Outcome, Trial
from runners.contract import Stock

KEEP = {"none": 0, "best": 1, "top-3": 3, "all": None}


def n_kept(keep: str) -> int | None:
    """Return how many trials a choice keeps; None is all of them."""
    if keep not in KEEP:
        raise RequestError(f"--keep: {one_of('choice', keep, list(KEEP))}")
    return KEEP[keep]


class Keeper:
    """Saves the weights of trials that rank high enough, and deletes those that no longer do.

    The ranking is read once and kept up from then on: to read it after every trial would cost the square of a sweep.
    """

    def __init__(self, study: Study, ledger: Ledger, plan: Plan, keep: str) -> None:
        self._study, self._ledger, self._plan = study, ledger, plan
        self._metric = plan.task.metric
        self._limit = n_kept(keep)
        self._best = ranking(ledger, self._metric)[: self._limit] if self._limit else []
        if self._limit != 0:
            study.weights_folder.mkdir(exist_ok=True)  # what cannot be made shows before anything is trained

    def save(self, trial_id: str, outcome: Outcome, stock: Stock) -> None:
        """Write a trial's weights if it ranks among those to keep."""
        if outcome.weights is None or not self._is_wanted(outcome):
            return
        trial, task = self._ledger.trial(trial_id), self._plan.task
        folder = self._study.weights_of(trial.id)
        save_weights(folder, trial, outcome.weights, stock.encoders[trial.encoder], task.kind, task.label_names)

    def finished(self, trial_id: str, outcome: Outcome) -> None:
        """Rank a trial, and delete the weights of those that are no longer wanted."""
        # "none" keeps nothing new, and "all" everything: neither deletes what an earlier command kept.
        if not self._limit:
            return
        mine = (_goodness(self._metric, outcome.parts[PART].dev), trial_id)
        self._best = sorted([*self._best, mine], key=lambda row: -row[0])[: self._limit]
        self._prune({one for _, one in self._best})

    def _prune(self, wanted: set[str]) -> None:
        """Delete what is a kept trial of this study, whole or half made, and nothing else that lies in the folder."""
        for folder in self._study.weights_folder.iterdir():
            trial_id = folder.name.removesuffix(HALF_MADE)
            if trial_id not in wanted and self._ledger.knows(trial_id) and is_kept(folder, trial_id):
                # What cannot be deleted stays, and is no reason to end a sweep.
                shutil.rmtree(folder, ignore_errors=True)

    def _is_wanted(self, outcome: Outcome) -> bool:
        if self._limit is None or len(self._best) < self._limit:
            return True
        return _goodness(self._metric, outcome.parts[PART].dev) > self._best[-1][0]


def ranking(ledger: Ledger, metric: str) -> list[tuple[float, str]]:
    """Return (goodness, trial) of every finished trial by its dev metric, best first, ties to the earlier one."""
    rows = [(_goodness(metric, dev), trial_id) for trial_id, dev in ledger.dev_scores()]
    return sorted(rows, key=lambda row: -row[0])


def best_so_far(ledger: Ledger, metric: str) -> tuple[float, str] | None:
    """Return the best dev metric with its trial; None before any is finished."""
    goodness, trial_id = next(iter(ranking(ledger, metric)), (None, ""))
    return None if goodness is None else (_goodness(metric, {metric: goodness}), trial_id)


def trial_named(ledger: Ledger, asked: str) -> Trial:
    """Return the trial whose id starts so; ``best`` is the one that is best on dev."""
    if not ledger.trial_ids():
        raise RequestError(f"{ledger.path.parent} is an imported table: there are no trials in it")
    if asked != "best":
        return ledger.trial(asked)
    if not (ranked := ranking(ledger, ledger.facts()["metric"])):
        raise RequestError("no trial of this study is finished yet")
    return ledger.trial(ranked[0][1])


def _goodness(metric: str, dev: Mapping[str, float]) -> float:
    return -dev[metric] if metric in LOWER_IS_BETTER else dev[metric]
