"""Coefficients, the noise, and a test of every term."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from reports.statistics import lenth, maximum
from reports.statistics.design_table import Table
from reports.statistics.error_terms import Choice
from reports.statistics.models import Model, coded, term_columns
from reports.statistics.results import ALPHA, Array, Correction, Effect, ErrorKind, PlannedTerm, PlannedTests


@dataclass(frozen=True)
class Fit:
    """Coefficients of a model's columns, and the standard deviation of a single run."""

    coefficients: Array
    sd: float


def fit(table: Table, choice: Choice, values: Array) -> Fit:
    """Fit the model by least squares, and estimate the noise as the design has chosen."""
    model = choice.model
    coefficients = _orthogonal(model, values) if model.orthogonal else _least_squares(model, values)
    if choice.error.kind is ErrorKind.LENTH:
        contrasts = _all_contrasts(table, values, coefficients, model)
        # A contrast's standard error is 2 sd / sqrt(runs).
        sd = float(lenth.pseudo_standard_error(contrasts)) * np.sqrt(table.n_runs) / 2
    elif choice.error.kind in (ErrorKind.REPLICATES, ErrorKind.INERT):
        sd = np.sqrt(table.pure_squares(values) / choice.error.df)
    else:
        sd = np.sqrt(model.squares(values) / choice.error.df)
    return Fit(coefficients, float(sd))


def _orthogonal(model: Model, values: Array) -> Array:
    return np.asarray(model.covariance @ (model.matrix.T @ values))


def _least_squares(model: Model, values: Array) -> Array:
    # Half a second of import, which most pages need not wait for.
    from statsmodels.regression.linear_model import OLS

    return np.asarray(OLS(values, model.matrix).fit().params)


def _all_contrasts(table: Table, values: Array, coefficients: Array, model: Model) -> Array:
    """Estimate all contrasts of a saturated two-level design: tested ones first, then the other products."""
    tested = 2 * coefficients[1:]
    codes, independent = coded(table), _independent(table)
    products = [
        term_columns(codes, term)[:, 0]
        for size in range(1, len(independent) + 1)
        for term in combinations(independent, size)
    ]
    columns = np.column_stack(products)
    known = np.abs(model.matrix[:, 1:].T @ columns).max(axis=0) > table.n_runs / 2
    return np.concatenate([tested, 2 * columns[:, ~known].T @ values / table.n_runs])


def _independent(table: Table) -> list[int]:
    """Choose factors whose combinations all occur, as many as it takes to make up the cells."""
    chosen: list[int] = []
    for position in range(len(table.factors)):
        n_combinations = len(np.unique(table.levels[:, [*chosen, position]], axis=0))
        if n_combinations == 2 ** (len(chosen) + 1):
            chosen.append(position)
    return chosen


def tested_effects(plan: PlannedTests, table: Table, choice: Choice, fitted: Fit) -> tuple[Effect, ...]:
    """Test every term of the family, in order."""
    statistics = _statistics(choice, fitted)
    p, adjusted = _p_values(plan, choice, statistics)
    critical = plan.critical_value or maximum.critical_value(plan.n_tests, choice.error.df)
    levels = {factor.name: factor.labels[0] for factor in table.factors} if table.two_level else {}
    return tuple(
        _effect(term, levels, choice.model, span.start, fitted, critical, *numbers)
        for term, span, *numbers in zip(plan.terms, choice.model.spans.values(), statistics, p, adjusted, strict=True)
    )


def _effect(
    term: PlannedTerm,
    levels: dict[str, str],
    model: Model,
    column: int,
    fitted: Fit,
    critical: float,
    statistic: float,
    p: float,
    adjusted_p: float,
) -> Effect:
    estimate = error = interval = None
    if levels:
        # Codes are -1 and +1: from one to the other is two coefficients.
        estimate = 2 * float(fitted.coefficients[column])
        error = 2 * fitted.sd * float(np.sqrt(model.covariance[column, column]))
        interval = (estimate - critical * error, estimate + critical * error)
    return Effect(
        term.factors,
        tuple(levels[name] for name in term.factors) if levels else (),
        term.df,
        estimate,
        error,
        interval,
        float(statistic),
        float(p),
        float(adjusted_p),
        bool(adjusted_p <= ALPHA),
        term.aliases,
    )


def _statistics(choice: Choice, fitted: Fit) -> Array:
    """Return t for each term if all have one degree of freedom, else F: type III, as all columns are sum-coded."""
    model = choice.model
    spans = list(model.spans.values())
    if all(span.stop - span.start == 1 for span in spans):
        columns = [span.start for span in spans]
        errors = fitted.sd * np.sqrt(np.diag(model.covariance)[columns])
        return np.asarray(fitted.coefficients[columns] / errors)
    squares = []
    for span in spans:
        part = fitted.coefficients[span]
        squares.append(part @ np.linalg.solve(model.covariance[span, span], part) / (span.stop - span.start))
    return np.asarray(squares) / fitted.sd**2


def _p_values(plan: PlannedTests, choice: Choice, statistics: Array) -> tuple[Array, Array]:
    df = choice.error.df
    if plan.correction is Correction.LENTH:
        return (
            lenth.adjusted_p(statistics, choice.error.n_contrasts, 1),
            lenth.adjusted_p(statistics, choice.error.n_contrasts, plan.n_tests),
        )
    if plan.correction is Correction.MAXIMUM:
        p = 2 * t_distribution.sf(np.abs(statistics), df)
        return p, np.maximum(p, maximum.adjusted_p(statistics, plan.n_tests, df))
    p = f_distribution.sf(statistics, [term.df for term in plan.terms], df)
    return p, holm(p)


def holm(p: Array) -> Array:
    """Adjust p values for a family: the smallest times n, the next times n - 1, ... (Holm 1979, Scand. J. Stat. 6).

    As statsmodels' multipletests does, which takes 0.2 s to collect garbage at every call.
    """
    order = p.argsort()
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted
