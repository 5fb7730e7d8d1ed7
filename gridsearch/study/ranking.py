"""The trials of a ledger by their result on dev, the best first."""

from gridsearch.errors import RequestError
from gridsearch.study.ledger import Ledger
from gridsearch.tasks.target import Target
from gridsearch.trial import Trial


def ranking(ledger: Ledger, selected: Target) -> list[tuple[float, str]]:
    """Return (target on dev, trial) of every finished trial, the best first, ties to the earlier one."""
    rows = [(selected.of(dev), trial_id) for trial_id, dev in ledger.dev_results().items()]
    return sorted(rows, key=lambda row: -selected.goodness(row[0]))


def best_so_far(ledger: Ledger, selected: Target) -> tuple[float, str] | None:
    """Return the best target on dev with its trial; None before any is finished."""
    return next(iter(ranking(ledger, selected)), None)


def trial_named(ledger: Ledger, asked: str) -> Trial:
    """Return the trial whose id starts so; ``best`` is the one that is best on dev."""
    selected = ledger.trials_manifest().target
    if asked != "best":
        return ledger.trial(asked)
    if not (ranked := ranking(ledger, selected)):
        raise RequestError("no trial of this study is finished yet")
    return ledger.trial(ranked[0][1])
