"""Whether learning rates far from what is usual are the likely reason why runs did not learn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gridsearch.optimizers.usual_rates import FINE_TUNING, UnusualRate, unusual_rate
from reports.statistics.results import Run
from reports.study.view import CellRow


@dataclass(frozen=True)
class LikelyReason:
    """The learning rates of the runs that did not learn; the ``n_usual`` runs with others all learned."""

    rates: tuple[UnusualRate, ...]
    n_usual: int


def likely_reason(cells: Iterable[CellRow], runs: Iterable[Run]) -> LikelyReason | None:
    """Return the rates where every run that did not learn had such a one, and of those that had, half did not learn."""
    recipes = {tuple(cell.levels.items()): cell.recipe for cell in cells}
    known = [(_unusual(recipes[tuple(run.levels.items())]), run.learned) for run in runs]
    failed = [rate for rate, learned in known if not learned]
    n_usual = sum(rate is None for rate, _ in known)
    rates = {rate for rate in failed if rate is not None}
    if not rates or None in failed or 2 * len(failed) < len(known) - n_usual:
        return None
    return LikelyReason(tuple(sorted(rates)), n_usual)


def _unusual(recipe: Mapping[str, Any]) -> UnusualRate | None:
    """Return a recipe's rate where it is not usual, and all layers train: of a frozen encoder, a head takes others."""
    if recipe["frozen_layers"] not in (0, "embeddings"):
        return None
    return unusual_rate(FINE_TUNING, recipe[FINE_TUNING])
