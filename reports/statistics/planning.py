"""The tests of a design, their error, and the smallest effect that they can see: known before any run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from reports.statistics import aliases, maximum
from reports.statistics.design_table import Table, make_table
from reports.statistics.error_terms import ENOUGH_DF, Choice, choose
from reports.statistics.fitting import contrast_weights
from reports.statistics.models import Model, Term, linear_model, orthogonal_model
from reports.statistics.noise.frame import Frame, frame_of
from reports.statistics.power import least_to_find, power_df
from reports.statistics.results import (
    Alias,
    ErrorKind,
    Factor,
    Note,
    PlannedTerm,
    PlannedTests,
    Reason,
)

CELLS_FOR_THREE = 32
"""Where no run is repeated, with fewer cells three-factor interactions are most of what could tell the noise."""


def plan_tests(
    factors: Sequence[Factor],
    cells: Sequence[Mapping[str, str]],
    n_seeds: int = 1,
    inert: Sequence[str] = (),
) -> PlannedTests:
    """Say what these cells can tell when each runs with every one of ``n_seeds`` seeds."""
    table = make_table(factors, cells, [None] * len(cells), inert)
    return planned(table.repeated(n_seeds) if cells else table)[0]


def planned(table: Table) -> tuple[PlannedTests, Choice | None]:
    """Choose model and error for rows as they are."""
    about = PlannedTests(
        table.n_runs,
        table.n_cells,
        table.n_blocks if table.n_runs else 0,
        table.inert,
        table.constant,
        _why_not(table),
    )
    if about.why_not:
        return about, None
    frame = frame_of(table)
    choice = choose(table, _models(table, frame), frame)
    if choice is None:
        return replace(
            about, why_not=Reason.FEW_REPEATED if table.n_runs > table.n_cells else Reason.NONE_REPEATED
        ), None
    return _described(about, table, choice), choice


def _why_not(table: Table) -> Reason:
    if not table.n_runs:
        return Reason.NO_RESULT
    if table.n_runs == 1:
        return Reason.ONE_RESULT
    return Reason.NONE if table.factors else Reason.NO_FACTOR


def _models(table: Table, frame: Frame | None) -> list[Model]:
    """The models to try, the richest first. Three-factor interactions take replicates, or many cells."""
    is_sparse = frame is not None and table.n_cells >= CELLS_FOR_THREE
    order = 3 if table.pure_df >= ENOUGH_DF or is_sparse else 2
    model = orthogonal_model(table, order)
    if model is None:
        model = linear_model(table, order)
        if any(len(depends) > 1 and _is_complete(table, term) for term, depends in model.lost.items()):
            # Too few cells for all pairs: which of them the model keeps would depend on the order of the factors.
            return [linear_model(table, 1)]
    return [model, linear_model(table, 1)] if len(table.factors) > 1 else [model]


def _is_complete(table: Table, term: Term) -> bool:
    """Tell whether all combinations of a term's levels occur."""
    n_possible = int(np.prod([len(table.factors[position].labels) for position in term]))
    return len(np.unique(table.levels[:, list(term)], axis=0)) == n_possible


def _described(about: PlannedTests, table: Table, choice: Choice) -> PlannedTests:
    known = aliases.words(table)
    n_contrasts = sum(span.stop - span.start for span in choice.model.spans.values())
    least = least_to_find(choice.error, n_contrasts)
    terms = tuple(_planned_term(term, table, choice.model, known, least) for term in choice.model.terms)
    main = [term.smallest_effect_in_sd for term in terms if len(term.factors) == 1]
    return replace(
        about,
        error=choice.error,
        terms=terms,
        not_tested=_not_tested(table, choice.model),
        orthogonal=choice.model.orthogonal,
        critical_value=maximum.critical_value(n_contrasts, power_df(choice.error)),
        smallest_effect_in_sd=max(main, default=None),
        words=tuple(Alias(_names(table, word), sign) for word, sign in known if len(word) == len(known[0][0])),
        resolution=len(known[0][0]) if known else None,
        notes=_notes(table, choice),
    )


def _planned_term(
    term: Term, table: Table, model: Model, known: tuple[tuple[Term, int], ...], least: float
) -> PlannedTerm:
    weights = contrast_weights(table, model, term)
    error = float(np.sqrt(np.einsum("ij,jk,ik->i", weights, model.covariance, weights).max()))
    return PlannedTerm(_names(table, term), len(weights), error, error * least, _aliases(term, table, model, known))


def _aliases(term: Term, table: Table, model: Model, known: tuple[tuple[Term, int], ...]) -> tuple[Alias, ...]:
    lost = tuple(Alias(_names(table, other), None) for other, depends in model.lost.items() if depends == (term,))
    same = tuple(Alias(_names(table, other), sign) for other, sign in model.merged.get(term, ()) if len(other) < 3)
    return lost or aliases.aliases_of(term, table, known) or same


def _not_tested(table: Table, model: Model) -> tuple[PlannedTerm, ...]:
    return tuple(
        PlannedTerm(_names(table, term), 0, 0.0, 0.0, tuple(Alias(_names(table, other), None) for other in depends))
        for term, depends in model.lost.items()
        if len(depends) != 1
    )


def _names(table: Table, term: Term) -> tuple[str, ...]:
    return tuple(table.factors[position].name for position in term)


def _notes(table: Table, choice: Choice) -> tuple[Note, ...]:
    notes = []
    order = max(len(term) for term in choice.model.terms)
    if order == 1 and len(table.factors) > 1:
        notes.append(Note.MAIN_EFFECTS_ALONE)
    if choice.error.kind not in (ErrorKind.REPLICATES, ErrorKind.INERT) and table.n_blocks < 2:
        notes.append(Note.NO_SEED_NOISE)
    return tuple(notes)
