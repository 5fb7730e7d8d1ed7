"""From an analysis of effects to what its figures are drawn from."""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist, median

from reports.figures.figure import EffectPoint, EffectPoints, FactorMeans, LevelPoint, Scale
from reports.statistics.results import Comparison, Effect, EffectAnalysis, Factor, LevelMean

SAME = 1e-6
"""Standard errors that differ by less, relatively, are one."""
SMALLEST_P = 1e-300


def effect_points(analysis: EffectAnalysis, columns: Mapping[str, str] | None = None) -> EffectPoints | None:
    """Put the tested terms on one scale; None when nothing was tested. ``columns`` renames factors."""
    effects = analysis.effects
    if not effects:
        return None
    errors = [effect.standard_error for effect in effects if effect.estimate is not None and effect.standard_error]
    df = analysis.plan.error.df if analysis.plan.error else math.inf
    if len(errors) < len(effects):
        scores = [_score(effect.p) for effect in effects]
        return EffectPoints(_points(effects, scores, columns), Scale.SCORE, 1.0, None, df)
    estimates = [effect.estimate or 0.0 for effect in effects]
    halves = [(effect.interval[1] - effect.interval[0]) / 2 for effect in effects if effect.interval is not None]
    if max(errors) - min(errors) <= SAME * max(errors):
        return EffectPoints(_points(effects, estimates, columns), Scale.EFFECT, errors[0], max(halves), df)
    ratios = [estimate / error for estimate, error in zip(estimates, errors, strict=True)]
    # What is not known of the noise widens some intervals more than others: the limit is a typical one.
    limit = median(half / error for half, error in zip(halves, errors, strict=True))
    return EffectPoints(_points(effects, ratios, columns), Scale.T, 1.0, limit, df)


def _points(
    effects: Sequence[Effect], values: Sequence[float], columns: Mapping[str, str] | None
) -> tuple[EffectPoint, ...]:
    return tuple(
        EffectPoint(term_text(effect.factors, columns or {}), value, effect.found)
        for effect, value in zip(effects, values, strict=True)
    )


def term_text(factors: Sequence[str], columns: Mapping[str, str]) -> str:
    """Spell a main effect or an interaction with the names of columns."""
    return " × ".join(columns.get(factor, factor) for factor in factors)


def _score(p: float) -> float:
    """Return the size that a normal deviate has with this two-sided p: any kind of test on one scale."""
    return -NormalDist().inv_cdf(max(p, SMALLEST_P) / 2)


def factor_means(
    analysis: EffectAnalysis, factors: Sequence[Factor], columns: Mapping[str, str] | None = None
) -> tuple[FactorMeans, ...]:
    """Gather the level means of every factor that was analysed, in declared order."""
    found = {effect.factors[0] for effect in analysis.effects if effect.found and len(effect.factors) == 1}
    means = {(mean.factor, mean.level): mean for mean in analysis.means}
    gathered = []
    for factor in factors:
        known = [means[factor.name, level] for level in factor.labels if (factor.name, level) in means]
        if known:
            name = (columns or {}).get(factor.name, factor.name)
            levels = tuple(
                LevelPoint(mean.level, mean.mean, _half_width(mean, analysis), mean.level == factor.baseline)
                for mean in known
            )
            gathered.append(FactorMeans(name, levels, factor.name in found))
    return tuple(gathered)


def _half_width(mean: LevelMean, analysis: EffectAnalysis) -> float | None:
    """Return half of the interval of a difference: then bars that do not overlap are a difference found.

    Of two levels, exactly; of more, by the standard error of a difference of two such means. Source: Andrews, Snee &
    Sarner 1980, Technometrics 22, 85-92.
    """
    effect = next((effect for effect in analysis.effects if effect.factors == (mean.factor,)), None)
    if effect is not None and effect.interval is not None:
        return (effect.interval[1] - effect.interval[0]) / 4
    critical = next((_critical(one) for one in analysis.comparisons if one.standard_error > 0), None)
    return None if critical is None else critical * mean.standard_error / math.sqrt(2)


def _critical(comparison: Comparison) -> float:
    return (comparison.interval[1] - comparison.estimate) / comparison.standard_error
