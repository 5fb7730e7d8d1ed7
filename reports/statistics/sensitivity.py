"""Sensitivity: what more seeds, or other cells for as many runs, would see; before a sweep, or after a page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from reports.statistics.design_table import Table, make_table
from reports.statistics.error_terms import ENOUGH_DF
from reports.statistics.planning import planned
from reports.statistics.power import least_to_find
from reports.statistics.results import ErrorKind, ErrorTerm, Factor, PlannedTerm, PlannedTests

MOST_SEEDS = 10_000


def _worst(plan: PlannedTests) -> PlannedTerm | None:
    """The main effect that is estimated least well: the plan's smallest detectable effect is its."""
    main = [term for term in plan.terms if len(term.factors) == 1]
    return max(main, key=lambda term: term.smallest_effect_in_sd, default=None)


def seeds_needed(
    factors: Sequence[Factor],
    cells: Sequence[Mapping[str, str]],
    effect_in_sd: float,
    inert: Sequence[str] = (),
) -> int | None:
    """Return the least number of shared seeds that finds such an effect in 80 %; None if no number up to 10,000."""
    table = make_table(factors, cells, [None] * len(cells), inert)
    if not table.factors or not effect_in_sd > 0:
        return None

    def enough(n_seeds: int) -> bool:
        smallest = _smallest(table, n_seeds)
        return smallest is not None and smallest <= effect_in_sd

    upper = 1
    while not enough(upper):
        upper *= 2
        if upper > MOST_SEEDS:
            return None
    lower = upper // 2
    while upper - lower > 1:
        middle = (lower + upper) // 2
        lower, upper = (lower, middle) if enough(middle) else (middle, upper)
    return upper


def _smallest(table: Table, n_seeds: int) -> float | None:
    """Plan for few seeds; for more, scale the variances of the first plan that has pure error enough."""
    if not table.n_runs:
        return None
    least = next(number for number in count(1) if number == n_seeds or _pure_df(table, number) >= ENOUGH_DF)
    plan, _ = planned(table.repeated(least))
    worst = _worst(plan)
    if least == n_seeds or worst is None:
        return plan.smallest_effect_in_sd
    error = ErrorTerm(
        ErrorKind.REPLICATES,
        _pure_df(table, n_seeds),
        learns_likeness=plan.error is not None and plan.error.learns_likeness,
    )
    return worst.standard_error_in_sd * math.sqrt(least / n_seeds) * least_to_find(error, plan.n_contrasts)


def _pure_df(table: Table, n_seeds: int) -> int:
    """Runs less cells less seeds, all cells having all seeds."""
    return table.n_runs * n_seeds - table.n_cells - (n_seeds - 1)


@dataclass(frozen=True)
class Budget:
    """One way to spend a number of runs: ``n_cells`` x ``n_seeds``, and what it can test."""

    n_cells: int
    n_seeds: int
    plan: PlannedTests


def same_budget(
    factors: Sequence[Factor], cells: Sequence[Mapping[str, str]], n_seeds: int = 1, inert: Sequence[str] = ()
) -> tuple[Budget, ...]:
    """Compare a full factorial of two-level factors with its half of highest resolution, run with twice the seeds.

    The half keeps the cells in which the number of factors off their baseline is even. Only the cells as given where
    they are not such a factorial. With one seed the error is a guess about interactions; with two it is measured.
    """
    asked = _budget(factors, cells, n_seeds, inert)
    varied = [factor for factor in factors if len({cell[factor.name] for cell in cells}) > 1]
    distinct = {tuple(cell[factor.name] for factor in varied) for cell in cells}
    is_factorial = all(len(factor.labels) == 2 for factor in varied) and len(distinct) == len(cells) == 2 ** len(varied)
    if not is_factorial or len(varied) < 4:
        return (asked,)
    half = [cell for cell in cells if sum(cell[factor.name] != factor.baseline for factor in varied) % 2 == 0]
    return asked, _budget(factors, half, 2 * n_seeds, inert)


def _budget(
    factors: Sequence[Factor], cells: Sequence[Mapping[str, str]], n_seeds: int, inert: Sequence[str]
) -> Budget:
    table = make_table(factors, cells, [None] * len(cells), inert)
    return Budget(len(cells), n_seeds, planned(table.repeated(n_seeds))[0])
