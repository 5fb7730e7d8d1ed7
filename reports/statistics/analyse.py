"""The analysis of effects, from runs to estimates with their errors; what the data forbid is a reason, no exception."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reports.statistics.conditional import comparisons, conditional_effects, effects_at_baseline, level_means
from reports.statistics.design_table import Table, make_table
from reports.statistics.error_terms import Choice
from reports.statistics.fitting import Fit, fit, tested_effects
from reports.statistics.noise.folds import one_run_a_fold
from reports.statistics.noise.likeness import likeness_of
from reports.statistics.noise.unequal import unequal_noise
from reports.statistics.planning import planned
from reports.statistics.power import least_to_find
from reports.statistics.results import Array, EffectAnalysis, Factor, Reason, Run
from reports.statistics.ruined import ruined_interactions, without_ruined

EXACT = 1e-9
NO_NOISE = 1e-6
"""A standard deviation of this share of the range is no noise but rounding."""


def analyse_effects(factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str] = ()) -> EffectAnalysis:
    """Test main effects and interactions against the noise that the runs show.

    ``inert`` names factors that cannot act: their levels are replicates. Runs without a finite value, those that did
    not learn, and copies are left out and counted. All that is stated is one family of simultaneous statements, of
    which none is wrong with 95 % chance; runs of one seed may be alike to any degree, factor by factor.
    """
    return analysed(factors, runs, inert)[0]


def analysed(
    factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str] = ()
) -> tuple[EffectAnalysis, Fit | None]:
    """Return the analysis, and the fit behind it; None where nothing could be tested."""
    finite = [run for run in runs if run.value is not None and math.isfinite(run.value)]
    known = [run for run in finite if run.learned]
    sound, ruined = without_ruined(factors, known, inert)
    distinct, n_copies = _without_copies(factors, sound, inert)
    kept = one_run_a_fold(factors, distinct, inert)
    table, values = _arrays(factors, kept, inert)
    plan, choice = planned(table)
    analysis = EffectAnalysis(
        plan,
        plan.why_not,
        len(runs) - len(finite),
        n_copies,
        n_not_learned=len(finite) - len(known),
        ruined=ruined,
        n_averaged=len(distinct) - len(kept),
    )
    if len(values):
        analysis = replace(analysis, mean=float(values.mean()))
    if choice is None:
        return analysis, None
    if _is_constant(values):
        return replace(analysis, why_not=Reason.ALL_SAME), None
    fitted = fit(table, choice, values)
    if fitted.noise.sd <= NO_NOISE * float(np.ptp(values)):
        return replace(analysis, why_not=Reason.NO_NOISE), None
    return _filled(analysis, choice, fitted, kept, values)


def _filled(
    analysis: EffectAnalysis, choice: Choice, fitted: Fit, runs: Sequence[Run], values: Array
) -> tuple[EffectAnalysis, Fit]:
    if (scales := unequal_noise(fitted.table, values, fitted.noise)) is not None:
        fitted = replace(fitted, scales=scales)
    effects, statements = tested_effects(analysis.plan, fitted)
    main = [one.standard_error for term, stated in statements.items() if len(term) == 1 for one in stated]
    least = least_to_find(choice.error, fitted.family.size)
    filled = replace(
        analysis,
        sd=fitted.noise.sd,
        effects=effects,
        ruined=(*analysis.ruined, *ruined_interactions(fitted, effects)),
        means=level_means(fitted),
        comparisons=comparisons(fitted, statements),
        conditional=conditional_effects(fitted, effects),
        at_baseline=effects_at_baseline(fitted, effects),
        smallest_effect=least * max(main) if main else None,
        likeness=likeness_of(fitted.table, runs, fitted.noise),
        unequal=None if scales is None else scales.told,
    )
    return filled, fitted


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
