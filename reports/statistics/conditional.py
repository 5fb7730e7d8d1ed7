"""Means of levels, and what a factor does at given levels of others: linear combinations of the coefficients.

With sum coding, the mean over all levels of a factor that is not named is the combination without its columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations, product

import numpy as np

from reports.statistics.design_table import Table
from reports.statistics.family import Statement
from reports.statistics.fitting import Fit
from reports.statistics.models import Model, Term, level_codes, term_columns
from reports.statistics.results import Array, Comparison, Effect, LevelMean

Step = tuple[int, int, dict[int, int]]
"""A factor, a level of it, and levels of others."""


def level_means(fitted: Fit) -> tuple[LevelMean, ...]:
    """Estimate the mean at every level of every factor, with its standard error."""
    table, model = fitted.table, fitted.model
    asked = [
        (position, level)
        for position, factor in enumerate(table.factors)
        for level in range(len(factor.labels) if (position,) in model.spans else 0)
    ]
    if not asked:
        return ()
    weights = np.array([_mean_weights(table, model, {position: level}) for position, level in asked])
    errors = np.sqrt((fitted.standard_errors(weights, of_part=True) ** 2).mean(axis=0))
    return tuple(
        LevelMean(table.factors[position].name, table.factors[position].labels[level], float(mean), float(error))
        for (position, level), mean, error in zip(asked, weights @ fitted.coefficients, errors, strict=True)
    )


def comparisons(fitted: Fit, statements: Mapping[Term, Sequence[Statement]]) -> tuple[Comparison, ...]:
    """Compare each level of the factors of more than two levels with the reference: statements of the family."""
    return tuple(
        _comparison(fitted.table, (position, level, {}), one)
        for position, factor in enumerate(fitted.table.factors)
        if len(factor.labels) > 2
        for level, one in enumerate(statements.get((position,), ()))
    )


def conditional_effects(fitted: Fit, effects: Sequence[Effect]) -> tuple[Comparison, ...]:
    """Split every factor of a found interaction by the levels of the interaction's other factors.

    The splits of an interaction divide its part of the error rate.
    """
    told = []
    for term in _largest(fitted, effects):
        splits = list(_splits(fitted.table, term))
        told += _stated(fitted, splits, len(splits))
    return tuple(told)


def effects_at_baseline(fitted: Fit, effects: Sequence[Effect]) -> tuple[Comparison, ...]:
    """Say what the factors of found interactions do where those that they act together with are at their baseline."""
    table = fitted.table
    beside: dict[int, set[int]] = {}
    for term in _largest(fitted, effects):
        for position in term:
            beside.setdefault(position, set()).update(set(term) - {position})
    asked: list[Step] = [
        (position, level, {other: len(table.factors[other].labels) - 1 for other in sorted(others)})
        for position, others in sorted(beside.items())
        for level in range(len(table.factors[position].labels) - 1)
    ]
    return tuple(_stated(fitted, asked, len(asked)))


def _largest(fitted: Fit, effects: Sequence[Effect]) -> list[Term]:
    """The found interactions that are in no larger one, of those that can be split."""
    found = [term for term, effect in zip(fitted.model.terms, effects, strict=True) if effect.found]
    largest = [term for term in found if not any(set(term) < set(other) for other in found)]
    return [term for term in largest if len(term) > 1 and _is_hierarchical(term, fitted.model)]


def _splits(table: Table, term: Term) -> Iterator[Step]:
    """Yield a factor, a level of it, and levels of the term's other factors."""
    for position in term:
        others = [other for other in term if other != position]
        for given in product(*(range(len(table.factors[other].labels)) for other in others)):
            for level in range(len(table.factors[position].labels) - 1):
                yield position, level, dict(zip(others, given, strict=True))


def _is_hierarchical(term: Term, model: Model) -> bool:
    """Tell whether all terms within a term are estimated: without them it cannot be split."""
    parts = chain.from_iterable(combinations(term, size) for size in range(1, len(term)))
    return all(part in model.spans for part in parts)


def _stated(fitted: Fit, asked: Sequence[Step], share: int) -> list[Comparison]:
    if not asked:
        return []
    table, model = fitted.table, fitted.model
    weights = np.array(
        [
            _mean_weights(table, model, {**given, position: level})
            - _mean_weights(table, model, {**given, position: len(table.factors[position].labels) - 1})
            for position, level, given in asked
        ]
    )
    statements = fitted.state(weights, share=share, of_part=True)
    return [_comparison(table, step, one) for step, one in zip(asked, statements, strict=True)]


def _comparison(table: Table, step: Step, stated: Statement) -> Comparison:
    position, level, given = step
    factor = table.factors[position]
    return Comparison(
        factor.name,
        factor.labels[level],
        factor.labels[-1],
        {table.factors[other].name: table.factors[other].labels[number] for other, number in given.items()},
        stated.estimate,
        stated.standard_error,
        stated.interval,
        stated.adjusted_p,
        stated.found,
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
