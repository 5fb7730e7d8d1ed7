"""Coefficients, the noise, and a statement of every contrast of every term."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from reports.statistics import maximum
from reports.statistics.design_table import Table
from reports.statistics.error_terms import Choice
from reports.statistics.family import Family, Statement
from reports.statistics.models import Model, Term, level_codes, term_columns
from reports.statistics.noise.draws import draw_noise
from reports.statistics.noise.frame import layers_of
from reports.statistics.noise.noise import IndependentNoise, Noise, SeparableNoise
from reports.statistics.noise.unequal import Scales
from reports.statistics.results import ALPHA, Array, Effect, ErrorKind, Indexes, PlannedTerm, PlannedTests


@dataclass(frozen=True)
class Fit:
    """The model of a table with its coefficients, and the noise of the runs.

    Where noise was found to be unequal, ``scales`` tells how: statements about parts of the rows are held against the
    noise of these, those about all rows against its mean, which then rests on fewer degrees of freedom.
    """

    table: Table
    model: Model
    coefficients: Array
    values: Array
    noise: Noise
    family: Family
    scales: Scales | None = None

    @cached_property
    def of_runs(self) -> Array:
        """Coefficients as linear combinations of the runs, shape (coefficients, runs)."""
        return np.asarray(self.model.covariance @ self.model.matrix.T)

    def standard_errors(self, weights: Array, *, of_part: bool = False) -> Array:
        """Return those of combinations of coefficients, shape (accounts, statements)."""
        runs = weights @ self.of_runs
        return self.noise.standard_errors(runs * self.scales.of_runs if of_part and self.scales is not None else runs)

    def cell_means(self) -> tuple[Array, Array]:
        """Return the mean of every cell, adjusted for the seeds that it ran with, and the covariance of these means."""
        table = self.table
        means = table.adjusted_means(self.values)
        covariance = self.noise.cell_covariance(table.levels[table.first_rows])
        # Runs of different seeds share no noise.
        layers = np.zeros((table.n_cells, int(self.layers.max()) + 1))
        np.add.at(layers, (table.cells, self.layers), 1.0)
        layers /= table.runs_per_cell[:, None]
        covariance = covariance * (layers @ layers.T)
        if self.scales is not None:
            scales = self.scales.of_runs[table.first_rows]
            covariance = covariance * np.outer(scales, scales)
        return means, covariance

    @cached_property
    def layers(self) -> Indexes:
        """The seed of each run, as a number; runs of one cell and seed count as of two."""
        return self.noise.frame.layers if isinstance(self.noise, SeparableNoise) else layers_of(self.table)

    def state(self, weights: Array, *, share: int = 1, of_part: bool = False) -> list[Statement]:
        """Make statements on combinations of coefficients; weights have shape (statements, coefficients)."""
        errors = self.standard_errors(weights, of_part=of_part)
        family = replace(self.family, df=self.df(of_part=of_part))
        return family.state(weights @ self.coefficients, errors, share)

    def df(self, *, of_part: bool = False) -> float:
        """Return the degrees of freedom of errors."""
        if self.scales is None:
            return self.family.df
        return min(self.family.df, self.scales.least_df if of_part else self.scales.df)


def fit(table: Table, choice: Choice, values: Array) -> Fit:
    """Fit the model by least squares, and estimate the noise as the design has chosen."""
    model = choice.model
    coefficients = _orthogonal(model, values) if model.orthogonal else _least_squares(model, values)
    noise = _noise(table, choice, values)
    size = sum(span.stop - span.start for span in model.spans.values())
    return Fit(table, model, coefficients, values, noise, Family(size, noise.df, level_of(choice)))


LEVEL_DF = 40.0
LEVEL_SPARSE = 0.7


def level_of(choice: Choice) -> float:
    """Return the error rate to aim at: the less tells how alike runs are, the smaller (docs/decisions/0022)."""
    if choice.frame is None:
        return ALPHA
    if choice.error.kind is ErrorKind.SPARSE:
        return ALPHA * LEVEL_SPARSE
    return ALPHA * choice.error.df / (choice.error.df + LEVEL_DF)


def _noise(table: Table, choice: Choice, values: Array) -> Noise:
    if choice.frame is not None:
        return SeparableNoise(choice.frame, draw_noise(choice.frame, values))
    if choice.error.kind in (ErrorKind.REPLICATES, ErrorKind.INERT):
        return IndependentNoise(table.pure_squares(values) / choice.error.df, choice.error.df)
    return IndependentNoise(choice.model.squares(values) / choice.error.df, choice.error.df)


def _orthogonal(model: Model, values: Array) -> Array:
    return np.asarray(model.covariance @ (model.matrix.T @ values))


def _least_squares(model: Model, values: Array) -> Array:
    # Half a second of import, which most pages need not wait for.
    from statsmodels.regression.linear_model import OLS

    return np.asarray(OLS(values, model.matrix).fit().params)


def contrast_weights(table: Table, model: Model, term: Term) -> Array:
    """Weigh the coefficients for each contrast of a term; shape (contrasts, coefficients).

    Of a main effect these are the levels less the reference; of an interaction the differences of differences, halved
    for every factor but the first.
    """
    codes = [level_codes(len(table.factors[position].labels)) for position in term]
    weights = []
    for levels in product(*(range(len(code) - 1) for code in codes)):
        steps = {
            position: (code[level] - code[-1])[None] for position, code, level in zip(term, codes, levels, strict=True)
        }
        row = np.zeros(model.matrix.shape[1])
        row[model.spans[term]] = term_columns(steps, term)[0] / 2 ** (len(term) - 1)
        weights.append(row)
    return np.array(weights)


def tested_effects(plan: PlannedTests, fitted: Fit) -> tuple[tuple[Effect, ...], dict[Term, list[Statement]]]:
    """Test every term of the family, in order; and return the statements behind each."""
    table, model = fitted.table, fitted.model
    weights = [contrast_weights(table, model, term) for term in model.spans]
    statements = iter(fitted.state(np.vstack(weights)))
    by_term = {term: [next(statements) for _ in part] for term, part in zip(model.spans, weights, strict=True)}
    levels = {factor.name: factor.labels[0] for factor in table.factors}
    effects = (_effect(planned, levels, by_term[term]) for planned, term in zip(plan.terms, model.spans, strict=True))
    return tuple(effects), by_term


def _effect(term: PlannedTerm, levels: dict[str, str], statements: list[Statement]) -> Effect:
    surest = min(statements, key=lambda one: (one.p, -abs(one.statistic)))
    is_one = len(statements) == 1
    return Effect(
        term.factors,
        tuple(levels[name] for name in term.factors) if is_one else (),
        term.df,
        surest.estimate if is_one else None,
        surest.standard_error if is_one else None,
        surest.interval if is_one else None,
        surest.statistic,
        # Of several contrasts, one may be as sure by chance as often as they are many (Sidak 1967).
        min(surest.adjusted_p, float(maximum.any_of(np.array(surest.p), len(statements)))),
        surest.adjusted_p,
        surest.found,
        term.aliases,
    )
