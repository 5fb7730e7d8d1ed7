"""The trials of a ledger by their result on dev, the best first."""

from collections.abc import Mapping

from gridsearch.errors import RequestError
from gridsearch.study.ledger import Ledger
from gridsearch.tasks.metrics import LOWER_IS_BETTER
from gridsearch.trial import Trial


def ranking(ledger: Ledger, metric: str) -> list[tuple[float, str]]:
    """Return (goodness, trial) of every finished trial by its dev metric, best first, ties to the earlier one."""
    rows = [(goodness(metric, dev), trial_id) for trial_id, dev in ledger.dev_scores()]
    return sorted(rows, key=lambda row: -row[0])


def best_so_far(ledger: Ledger, metric: str) -> tuple[float, str] | None:
    """Return the best dev metric with its trial; None before any is finished."""
    best, trial_id = next(iter(ranking(ledger, metric)), (None, ""))
    return None if best is None else (goodness(metric, {metric: best}), trial_id)


def trial_named(ledger: Ledger, asked: str) -> Trial:
    """Return the trial whose id starts so; ``best`` is the one that is best on dev."""
    if not ledger.trial_ids():
        raise RequestError(f"{ledger.path.parent} is an imported table: there are no trials in it")
    if asked != "best":
        return ledger.trial(asked)
    if not (ranked := ranking(ledger, ledger.facts()["metric"])):
        raise RequestError("no trial of this study is finished yet")
    return ledger.trial(ranked[0][1])


def goodness(metric: str, dev: Mapping[str, float]) -> float:
    """Return a result as a number of which more is better; twice is the result again."""
    return -dev[metric] if metric in LOWER_IS_BETTER else dev[metric]
