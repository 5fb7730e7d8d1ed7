"""The linear model of a table: sum-coded columns of every term that the rows can estimate.

Sum coding makes the intercept the mean over all combinations of levels, each weighted alike, and a test of one term's
columns given all others a type III test. For two levels the code is +1 and -1 (the reference).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from scipy.linalg import solve_triangular

from reports.statistics.design_table import Table
from reports.statistics.results import Array

Term = tuple[int, ...]
"""Positions of factors in the table: one for a main effect, several for an interaction."""

ROUNDING = 1e-8
MOST_COLUMNS = 1500
"""Three-factor interactions beyond so many columns are left out: nobody reads them."""


@dataclass(frozen=True)
class Model:
    """Columns of the terms that can be estimated, and (X'X)^-1: variances of coefficients in units of sd squared.

    The first column is the intercept, columns of blocks come last. ``spans`` tells the columns of each term. ``merged``
    maps an estimable term to those that share its columns up to a sign; ``lost`` maps the others to the terms that
    they depend on.
    """

    terms: tuple[Term, ...]
    spans: Mapping[Term, slice]
    matrix: Array
    covariance: Array
    orthogonal: bool
    merged: Mapping[Term, tuple[tuple[Term, int], ...]] = field(default_factory=dict)
    lost: Mapping[Term, tuple[Term, ...]] = field(default_factory=dict)

    @property
    def residual_df(self) -> int:
        """Runs less coefficients."""
        return int(self.matrix.shape[0] - self.matrix.shape[1])

    def squares(self, values: Array) -> float:
        """Sum the squares that the model leaves."""
        residuals = values - self.matrix @ (self.covariance @ (self.matrix.T @ values))
        return float(residuals @ residuals)


def level_codes(n_levels: int) -> Array:
    """Return the sum-coding rows of all levels, shape (levels, levels - 1); the reference, last, is all -1."""
    return np.vstack([np.eye(n_levels - 1), -np.ones(n_levels - 1)])


def candidate_terms(table: Table, order: int) -> Iterator[Term]:
    """Yield main effects, then interactions of up to ``order`` factors."""
    for size in range(1, min(order, len(table.factors)) + 1):
        yield from combinations(range(len(table.factors)), size)


def term_columns(codes: Mapping[int, Array], term: Term) -> Array:
    """Multiply the columns of a term's factors with each other, row by row; shape (rows, degrees of freedom)."""
    columns = codes[term[0]]
    for factor in term[1:]:
        columns = (columns[:, :, None] * codes[factor][:, None, :]).reshape(len(columns), -1)
    return columns


def coded(table: Table) -> dict[int, Array]:
    """Code the levels of every factor, each of shape (runs, levels - 1)."""
    return {
        position: level_codes(len(factor.labels))[table.levels[:, position]]
        for position, factor in enumerate(table.factors)
    }


def orthogonal_model(table: Table, order: int) -> Model | None:
    """Model two-level factors in which terms are either orthogonal or the same; None where they are not.

    So are full factorials and regular fractions of which no run is missing.
    """
    if not (table.factors and table.two_level and table.balanced):
        return None
    codes, terms = coded(table), list(candidate_terms(table, order))
    columns = np.column_stack([np.ones(table.n_runs), *(term_columns(codes, term) for term in terms)])
    likeness = columns.T @ columns / table.n_runs
    if (np.abs(np.abs(likeness) - np.round(np.abs(likeness))) > ROUNDING).any():
        return None
    first = np.abs(likeness).argmax(axis=0)
    kept = [position for position in range(1, len(terms) + 1) if first[position] == position]
    merged: dict[Term, tuple[tuple[Term, int], ...]] = {}
    for position, leader in enumerate(first):
        if 0 < leader < position:
            sign = int(np.round(likeness[leader, position]))
            merged[terms[leader - 1]] = (*merged.get(terms[leader - 1], ()), (terms[position - 1], sign))
    n_coefficients = len(kept) + table.n_blocks
    # Blocks are balanced, so their columns are orthogonal to all terms but need not be so to each other.
    matrix = np.column_stack([columns[:, [0, *kept]], table.block_columns])
    covariance = np.zeros((n_coefficients, n_coefficients))
    n_terms = len(kept) + 1
    covariance[:n_terms, :n_terms] = np.eye(n_terms) / table.n_runs
    covariance[n_terms:, n_terms:] = np.linalg.inv(table.block_columns.T @ table.block_columns)
    estimable = tuple(terms[position - 1] for position in kept)
    spans = {term: slice(number + 1, number + 2) for number, term in enumerate(estimable)}
    return Model(estimable, spans, matrix, covariance, True, merged)


def linear_model(table: Table, order: int) -> Model:
    """Model any rows: a term is kept when it is no combination of the blocks and the terms before it."""
    codes = coded(table)
    independent = _Independent(np.column_stack([np.ones(table.n_runs), table.block_columns]))
    kept: dict[Term, Array] = {}
    lost = []
    most = min(MOST_COLUMNS, table.n_cells + table.n_blocks - 1)
    for term in candidate_terms(table, order):
        columns = term_columns(codes, term)
        is_left_out = bool(term[2:]) and len(independent) + columns.shape[1] > most
        if is_left_out or not independent.add(columns):
            lost.append(term)
        else:
            kept[term] = columns
    matrix = np.column_stack([np.ones(table.n_runs), *kept.values(), table.block_columns])
    spans, start = {}, 1
    for term, columns in kept.items():
        spans[term] = slice(start, start + columns.shape[1])
        start += columns.shape[1]
    depends = {term: _depends_on(term_columns(codes, term), matrix, spans) for term in lost if len(term) < 3}
    covariance = np.linalg.inv(matrix.T @ matrix)
    return Model(tuple(kept), spans, matrix, covariance, _is_orthogonal(covariance, spans), {}, depends)


class _Independent:
    """Columns of which none is a combination of the others, with the Cholesky factor of their products.

    Products of codes are whole numbers, so that forming them loses nothing, and thousands of rows cost little.
    """

    def __init__(self, columns: Array) -> None:
        self._parts = [columns]
        self._factor = np.linalg.cholesky(columns.T @ columns)

    def __len__(self) -> int:
        return len(self._factor)

    def add(self, columns: Array) -> bool:
        """Take columns in, unless any direction of theirs is a combination of those at hand."""
        products = columns.T @ columns
        shared = solve_triangular(self._factor, np.vstack([part.T @ columns for part in self._parts]), lower=True)
        rest = products - shared.T @ shared
        if np.linalg.eigvalsh(rest)[0] <= ROUNDING * np.trace(products):
            return False
        self._parts.append(columns)
        upper = np.zeros((len(self), columns.shape[1]))
        self._factor = np.block([[self._factor, upper], [shared.T, np.linalg.cholesky(rest)]])
        return True


def _is_orthogonal(covariance: Array, spans: Mapping[Term, slice]) -> bool:
    rest = covariance.copy()
    for span in spans.values():
        rest[span, span] = 0
    stop = max((span.stop for span in spans.values()), default=1)
    return bool(np.abs(rest[1:stop, 1:stop]).max(initial=0.0) < ROUNDING)


def _depends_on(columns: Array, matrix: Array, spans: Mapping[Term, slice]) -> tuple[Term, ...]:
    """Name the kept terms that a lost one is a combination of, at least in part."""
    weights = np.linalg.lstsq(matrix, columns, rcond=None)[0]
    return tuple(term for term, span in spans.items() if np.abs(weights[span]).max() > ROUNDING)
