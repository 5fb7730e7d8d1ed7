"""The settings of a search: sampler, pruner, objectives, budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridsearch.errors import RequestError, one_of
from gridsearch.study.objectives import METRIC, OBJECTIVES


@dataclass(frozen=True)
class Search:
    """How Optuna is to search. ``n_trials`` is all that the ledger may hold in the end; ``hours`` count from now on."""

    sampler: str = "tpe"
    pruner: str = "none"
    objectives: tuple[str, ...] = (METRIC,)
    n_trials: int | None = None
    hours: float | None = None


def parse_search(sampler: str, pruner: str, objectives: str, n_trials: int | None, hours: float | None) -> Search:
    """Read the words of the command. Raises RequestError for a budget that is none, and for unknown objectives."""
    if n_trials is None and hours is None:
        raise RequestError("a search needs an end: --trials N, or --hours H")
    if n_trials is not None and n_trials < 1:
        raise RequestError(f"--trials must be at least 1, but is {n_trials}")
    if hours is not None and not 0 < hours < float("inf"):
        raise RequestError(f"--hours must be more than 0, but is {hours:g}")
    return Search(sampler, pruner, _objectives(objectives.split(",")), n_trials, hours)


def _objectives(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in OBJECTIVES:
            raise RequestError(f"--objectives: {one_of('objective', name, OBJECTIVES)}")
    if len(set(names)) < len(names):
        raise RequestError(f"--objectives must differ, but are {', '.join(names)}")
    return tuple(names)
