"""The part of a study that can be analysed: its runs and factors, and the rows that may be the best."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.statistics.best_cell import CellMean, Winner, expected_means, winner
from reports.statistics.fitting import Fit
from reports.statistics.results import EffectAnalysis, Factor, Run
from reports.study.view import StudyRows


@dataclass(frozen=True)
class Measured:
    """What there is to analyse: a run for each distinct trial, or for each row of a published table.

    ``inert`` names factors that cannot act in any cell. ``cells`` are the recipes to choose among: the position and the
    levels of the first row of each that has a result, and the finite results of all its rows, those of a shared trial
    once. Rows of a published table are of one recipe if they differ in inert factors alone. Runs that diverged
    (``n_diverged``) did not learn: whatever they had reached before, training ruined them. Some have no result at all.
    """

    factors: tuple[Factor, ...]
    runs: tuple[Run, ...]
    inert: tuple[str, ...]
    cells: tuple[tuple[int, Mapping[str, str], tuple[float, ...]], ...]
    n_diverged: int

    @property
    def known_to_learn(self) -> tuple[Run, ...]:
        """The runs of which it is known whether they learned."""
        return tuple(run for run in self.runs if run.value is not None or not run.learned)

    @property
    def n_not_learned(self) -> int:
        """Runs that did not learn."""
        return sum(not run.learned for run in self.runs)


def measured(study: StudyRows, split: str) -> Measured:
    """Gather the runs of a study with their results on ``split``, "test" or "dev"; of a published table, its rows."""
    factors = tuple(Factor(factor.name, tuple(factor.levels), factor.baseline) for factor in study.factors)
    if study.is_imported:
        rows, inert = study.observations, tuple(study.published.inert)
        runs = tuple(Run(row.levels, row.repetition, row.value) for row in rows)
        acting = [factor.name for factor in factors if factor.name not in inert]
        published = _recipes(
            ([row.levels[name] for name in acting], place, row.levels, {place: row.value})
            for place, row in enumerate(rows, start=1)
        )
        return Measured(factors, runs, inert, published, 0)
    distinct: dict[str, Run] = {}
    results: dict[str, float] = {}
    diverged = {one.trial for one in study.failures if one.kind == "diverged" and one.trial_state == "failed"}
    diverged |= {one.trial for cell in study.cells for one in cell.finished if one.diverged_in is not None}
    for cell in study.cells:
        for one in cell.replicates:
            value = one.test if split == "test" else one.dev
            learned = not one.not_learned and one.trial not in diverged
            distinct.setdefault(one.trial, Run(cell.levels, one.repetition, value, learned))
            results |= {one.trial: value} if value is not None and math.isfinite(value) else {}
    encoders = study.about.encoders
    chosen = _recipes(
        (
            # One encoder may have several names.
            sorted({**cell.recipe, "encoder": encoders.get(cell.recipe.get("encoder", ""), "")}.items()),
            cell.index,
            cell.levels,
            {trial: results[trial] for trial in cell.trials if trial in results},
        )
        for cell in study.cells
    )
    knobs = {factor.name: {name for sets in factor.levels.values() for name in sets} for factor in study.factors}
    inert = inert_factors(knobs, [(cell.levels, cell.recipe) for cell in study.cells])
    return Measured(factors, tuple(distinct.values()), inert, chosen, len(diverged & distinct.keys()))


def _recipes(
    rows: Iterable[tuple[object, int, Mapping[str, str], Mapping[Any, float]]],
) -> tuple[tuple[int, Mapping[str, str], tuple[float, ...]], ...]:
    """Put rows of one recipe together: from what makes it one, a position, levels, and results by run."""
    found: dict[str, tuple[int, Mapping[str, str], dict[Any, float]]] = {}
    for recipe, place, levels, results in rows:
        if results:
            found.setdefault(repr(recipe), (place, levels, {}))[2].update(results)
    return tuple((place, levels, tuple(results.values())) for place, levels, results in found.values())


def inert_factors(
    knobs: Mapping[str, Iterable[str]], cells: Sequence[tuple[Mapping[str, str], Mapping[str, Any]]]
) -> tuple[str, ...]:
    """Name the factors whose levels differ while nothing that they set does: their knobs are dead in every cell.

    ``knobs`` are those that each factor sets; ``cells`` are levels and recipes, dead knobs at their neutral values.

    >>> cells = [({"a": "0", "b": "0"}, {"a": 0, "b": 0}), ({"a": "1", "b": "1"}, {"a": 0, "b": 1})]
    >>> inert_factors({"a": ["a"], "b": ["b"]}, cells)
    ('a',)
    """
    return tuple(
        factor
        for factor, names in knobs.items()
        if len({levels[factor] for levels, _ in cells}) > 1
        and all(len({repr(recipe.get(name)) for _, recipe in cells}) == 1 for name in names)
    )


def winner_by_effects(
    about: Measured,
    analysis: EffectAnalysis,
    fitted: Fit | None,
    *,
    lower_is_better: bool,
    ranking: Sequence[int] = (),
) -> Winner | None:
    """Find the rows that may be the best, by the noise of an analysis of them; None without such, or below two rows.

    Indexes are positions in the table. Rows of a ruined block are none, nor those of which no run learned. Each is
    compared with each by what their runs of one seed differ by. The centres of the shrunken estimate are what the
    effects found predict.
    """
    if fitted is None or len(about.cells) < 2:
        return None
    table = fitted.table
    names = [factor.name for factor in table.factors]
    numbers: dict[tuple[str, ...], int] = {}
    for row, cell in zip(table.levels.tolist(), table.cells.tolist(), strict=True):
        labels = tuple(factor.labels[level] for factor, level in zip(table.factors, row, strict=True))
        numbers.setdefault(labels, cell)
    rows: dict[int, tuple[int, Mapping[str, str]]] = {}
    for place, levels, _ in about.cells:
        number = numbers.get(tuple(levels[name] for name in names))
        if number is not None:
            rows.setdefault(number, (place, levels))
    known = sorted(rows, key=lambda number: rows[number][0])
    if len(known) < 2:
        return None
    means, covariance = fitted.cell_means()
    counts = table.runs_per_cell
    cells = [CellMean(rows[number][0], float(means[number]), int(counts[number])) for number in known]
    expected, n_coefficients = expected_means(
        about.factors,
        [rows[number][1] for number in known],
        [cell.mean for cell in cells],
        [cell.n for cell in cells],
        [effect.factors for effect in analysis.found],
    )
    return winner(
        cells,
        covariance[np.ix_(known, known)],
        fitted.df(of_part=True),
        lower_is_better=lower_is_better,
        expected=expected.tolist(),
        n_coefficients=n_coefficients,
        ranking=ranking,
    )


def winner_by_seeds(about: Measured, *, lower_is_better: bool, ranking: Sequence[int] = ()) -> Winner | None:
    """Find the rows that may be the best of those that ran to the end of a halving.

    They were chosen, so no model of effects stands behind them: the error is what their seeds differ by, pooled. None
    where there are fewer than two, or no such noise.
    """
    cells = about.cells
    deviations = [value - sum(values) / len(values) for _, _, values in cells for value in values]
    df = len(deviations) - len(cells)
    if len(cells) < 2 or not df or not any(deviations):
        return None
    variance = math.fsum(one**2 for one in deviations) / df
    means = [CellMean(index, sum(values) / len(values), len(values)) for index, _, values in cells]
    covariance = np.diag([variance / cell.n for cell in means])
    return winner(means, covariance, df, lower_is_better=lower_is_better, ranking=ranking)
