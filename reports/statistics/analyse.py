"""The analysis of effects, from runs to estimates with their errors; what the data forbid is a reason, no exception."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reports.statistics.conditional import comparisons, conditional_effects, level_means
from reports.statistics.design_table import Table, make_table
from reports.statistics.duplicate_runs import are_copies, least_changing
from reports.statistics.error_terms import Choice
from reports.statistics.fitting import Fit, fit, tested_effects
from reports.statistics.planning import planned
from reports.statistics.results import Array, Correction, EffectAnalysis, Factor, Reason, Run

EXACT = 1e-9


def analyse_effects(factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str] = ()) -> EffectAnalysis:
    """Test main effects and interactions against the error that the design allows.

    ``inert`` names factors that cannot act: their levels are replicates. Runs without a finite value are dropped and
    counted; so are the copies of others that a factor makes that changes next to nothing. Family-wise error rate 5 %:
    the studentized maximum modulus where all factors have two levels (exact for orthogonal designs, conservative
    otherwise), simulated critical values with Lenth's method, Holm's for F tests.
    """
    known = [run for run in runs if run.value is not None and math.isfinite(run.value)]
    kept, n_copies = _without_copies(factors, known, inert)
    table, values = _arrays(factors, kept, inert)
    plan, choice = planned(table)
    analysis = EffectAnalysis(plan, plan.why_not, len(runs) - len(known), n_copies)
    if len(values):
        analysis = replace(analysis, mean=float(values.mean()))
    if choice is None:
        return analysis
    if _is_constant(values):
        return replace(analysis, why_not=Reason.ALL_SAME)
    if (without := _without_least_changing(factors, kept, inert, analysis)) is not None:
        return without
    fitted = fit(table, choice, values)
    if fitted.sd <= EXACT * float(np.ptp(values)):
        return replace(analysis, why_not=Reason.NO_NOISE)
    return _filled(analysis, table, choice, fitted)


def _without_least_changing(
    factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str], analysis: EffectAnalysis
) -> EffectAnalysis | None:
    """Analyse without a factor that changes next to nothing; None where there is none, or too little is left."""
    groups = least_changing([factor for factor in factors if factor.name not in inert], runs)
    if groups is None:
        return None
    others = [factor for factor in factors if factor.name != groups.factor.name]
    rest = analyse_effects(others, groups.kept, inert)
    if not are_copies(groups, rest):
        return None
    return replace(
        rest,
        n_dropped=analysis.n_dropped,
        n_copies=analysis.n_copies + rest.n_copies,
        copied=(groups.told(), *rest.copied),
    )


def _filled(analysis: EffectAnalysis, table: Table, choice: Choice, fitted: Fit) -> EffectAnalysis:
    plan = analysis.plan
    effects = tested_effects(plan, table, choice, fitted)
    return replace(
        analysis,
        sd=fitted.sd,
        effects=effects,
        means=level_means(table, choice, fitted),
        # With two levels a comparison is the main effect itself.
        comparisons=comparisons(table, choice, fitted) if plan.correction is Correction.HOLM else (),
        conditional=conditional_effects(table, choice, fitted, effects),
        smallest_effect=None if plan.smallest_effect_in_sd is None else plan.smallest_effect_in_sd * fitted.sd,
    )


def _arrays(factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str]) -> tuple[Table, Array]:
    table = make_table(factors, [run.levels for run in runs], [run.block for run in runs], inert)
    return table, np.array([run.value for run in runs], dtype=float)


def _is_constant(values: Array) -> bool:
    return bool(np.ptp(values) <= EXACT * np.abs(values).max(initial=0.0))


def _without_copies(factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str]) -> tuple[list[Run], int]:
    """Keep one run of each cell when all that a cell holds are equal: copies of one trial, no replicates."""
    table, values = _arrays(factors, runs, inert)
    if table.n_runs == table.n_cells or _is_constant(values):
        return list(runs), 0
    inside = table.within_cells(values[:, None])
    if np.abs(inside).max() > EXACT * np.ptp(values):
        return list(runs), 0
    return [runs[row] for row in table.first_rows], table.n_runs - table.n_cells
