"""Which trials' weights are kept: none, the best, the best three, or all."""

import shutil
from collections.abc import Mapping

from gridsearch.errors import RequestError, one_of
from gridsearch.ledger import Ledger
from gridsearch.metrics import LOWER_IS_BETTER
from gridsearch.plan import Plan
from gridsearch.study import Study
from gridsearch.trial import PART, Outcome, Trial
from gridsearch.weights import save_weights
from runners.contract import Stock

KEEP = {"none": 0, "best": 1, "top-3": 3, "all": None}


def n_kept(keep: str) -> int | None:
    """Return how many trials a choice keeps; None is all of them."""
    if keep not in KEEP:
        raise RequestError(f"--keep: {one_of('choice', keep, list(KEEP))}")
    return KEEP[keep]


class Keeper:
    """Saves the weights of trials that rank high enough, and deletes those that no longer do."""

    def __init__(self, study: Study, ledger: Ledger, plan: Plan, keep: str) -> None:
        self._study, self._ledger, self._plan = study, ledger, plan
        self._metric = plan.task.metric
        self._limit = n_kept(keep)

    def save(self, trial: Trial, outcome: Outcome, stock: Stock) -> None:
        """Write a trial's weights if it ranks among those to keep."""
        if outcome.weights is None or not self._is_wanted(outcome):
            return
        task = self._plan.task
        folder = self._study.weights_of(trial.id)
        save_weights(folder, trial, outcome.weights, stock.encoders[trial.encoder], task.kind, task.label_names)

    def prune(self) -> None:
        """Delete weights that are no longer wanted."""
        # "none" keeps nothing new, and "all" everything: neither deletes what an earlier command kept.
        if not self._limit or not self._study.weights_folder.is_dir():
            return
        wanted = {trial_id for _, trial_id in ranking(self._ledger, self._metric)[: self._limit]}
        for folder in self._study.weights_folder.iterdir():
            if folder.name not in wanted:
                shutil.rmtree(folder)

    def _is_wanted(self, outcome: Outcome) -> bool:
        if self._limit is None:
            return True
        best = ranking(self._ledger, self._metric)[: self._limit]
        return len(best) < self._limit or _goodness(self._metric, outcome.parts[PART].dev) > best[-1][0]


def ranking(ledger: Ledger, metric: str) -> list[tuple[float, str]]:
    """Return (goodness, trial) of every finished trial by its dev metric, best first, ties to the earlier one."""
    rows = [(_goodness(metric, dev), trial_id) for trial_id, dev in ledger.dev_scores()]
    return sorted(rows, key=lambda row: -row[0])


def best_so_far(ledger: Ledger, metric: str) -> tuple[float, str] | None:
    """Return the best dev metric with its trial; None before any is finished."""
    scores = dict(ledger.dev_scores())
    return next(((scores[trial_id][metric], trial_id) for _, trial_id in ranking(ledger, metric)), None)


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
