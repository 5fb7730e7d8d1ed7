"""Means of levels, and what a factor does at given levels of others: linear combinations of the coefficients.

With sum coding, the mean over all levels of a factor that is not named is the combination without its columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations, product

import numpy as np

from reports.statistics import maximum
from reports.statistics.design_table import Table
from reports.statistics.error_terms import Choice
from reports.statistics.fitting import Fit
from reports.statistics.models import Model, Term, level_codes, term_columns
from reports.statistics.results import ALPHA, Array, Comparison, Effect, LevelMean


def level_means(table: Table, choice: Choice, fitted: Fit) -> tuple[LevelMean, ...]:
    """Estimate the mean at every level of every factor, with its standard error."""
    means = []
    for position, factor in enumerate(table.factors):
        for level, label in enumerate(factor.labels if (position,) in choice.model.spans else ()):
            weights = _mean_weights(table, choice.model, {position: level})
            error = fitted.sd * _root_variance(weights, choice.model)
            means.append(LevelMean(factor.name, label, float(weights @ fitted.coefficients), error))
    return tuple(means)


def comparisons(table: Table, choice: Choice, fitted: Fit) -> tuple[Comparison, ...]:
    """Compare each level of each factor with its reference, intervals simultaneous over all factors.

    The critical value is that of the studentized maximum modulus, too large rather than too small for comparisons that
    share their reference (Hochberg's GT2; Stoline & Ury 1979).
    """
    asked: list[tuple[int, int, dict[int, int]]] = [
        (position, level, {})
        for position, factor in enumerate(table.factors)
        for level in range(len(factor.labels) - 1)
        if (position,) in choice.model.spans
    ]
    return tuple(_comparison(table, choice, fitted, *one, n_comparisons=len(asked)) for one in asked)


def conditional_effects(table: Table, choice: Choice, fitted: Fit, effects: Sequence[Effect]) -> tuple[Comparison, ...]:
    """Split every factor of a found interaction by the levels of the interaction's other factors.

    Intervals are simultaneous over all splits that interactions of this size could have asked for, found or not.
    """
    found = [term for term, effect in zip(choice.model.terms, effects, strict=True) if effect.found]
    largest = [term for term in found if not any(set(term) < set(other) for other in found)]
    return tuple(
        _comparison(table, choice, fitted, *one, n_comparisons=_n_splits(table, choice.model, len(term)))
        for term in largest
        if len(term) > 1 and _is_hierarchical(term, choice.model)
        for one in _splits(table, term)
    )


def _splits(table: Table, term: Term) -> Iterator[tuple[int, int, dict[int, int]]]:
    """Yield a factor, a level of it, and levels of the term's other factors."""
    for position in term:
        others = [other for other in term if other != position]
        for given in product(*(range(len(table.factors[other].labels)) for other in others)):
            for level in range(len(table.factors[position].labels) - 1):
                yield position, level, dict(zip(others, given, strict=True))


def _n_splits(table: Table, model: Model, size: int) -> int:
    return sum(
        1 for term in model.terms if len(term) == size and _is_hierarchical(term, model) for _ in _splits(table, term)
    )


def _is_hierarchical(term: Term, model: Model) -> bool:
    """Tell whether all terms within a term are estimated: without them it cannot be split."""
    parts = chain.from_iterable(combinations(term, size) for size in range(1, len(term)))
    return all(part in model.spans for part in parts)


def _comparison(
    table: Table,
    choice: Choice,
    fitted: Fit,
    position: int,
    level: int,
    given: Mapping[int, int],
    *,
    n_comparisons: int,
) -> Comparison:
    factor = table.factors[position]
    weights = _mean_weights(table, choice.model, {**given, position: level}) - _mean_weights(
        table, choice.model, {**given, position: len(factor.labels) - 1}
    )
    estimate = float(weights @ fitted.coefficients)
    error = fitted.sd * _root_variance(weights, choice.model)
    critical = maximum.critical_value(n_comparisons, choice.error.df)
    adjusted = float(maximum.adjusted_p(np.array(estimate / error), n_comparisons, choice.error.df))
    return Comparison(
        factor.name,
        factor.labels[level],
        factor.labels[-1],
        {table.factors[other].name: table.factors[other].labels[number] for other, number in given.items()},
        estimate,
        error,
        (estimate - critical * error, estimate + critical * error),
        adjusted,
        adjusted <= ALPHA,
    )


def _mean_weights(table: Table, model: Model, levels: Mapping[int, int]) -> Array:
    """Weigh the coefficients so that they add up to the mean at these levels, over all levels of other factors."""
    weights = np.zeros(model.matrix.shape[1])
    weights[0] = 1.0
    codes = {position: level_codes(len(table.factors[position].labels))[[level]] for position, level in levels.items()}
    for size in range(1, len(levels) + 1):
        for term in combinations(sorted(levels), size):
            if term in model.spans:
                weights[model.spans[term]] = term_columns(codes, term)[0]
    return weights


def _root_variance(weights: Array, model: Model) -> float:
    return float(np.sqrt(weights @ model.covariance @ weights))
