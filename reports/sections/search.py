"""The section of a study whose cells Optuna proposed: the best, the Pareto set, importance, convergence."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from gridsearch.study.manifest import SearchEntry
from gridsearch.study.objectives import METRIC, SECONDS
from reports.figures.figure import TimedCell
from reports.figures.quality_time import pareto_set
from reports.formats.markdown import NOT_LEARNED_MARK, Section, code, escape, plural, table, wrap
from reports.formats.table import Cell, Table, decimals
from reports.language.say import enumerated, say, sentences
from reports.sections.context import PageSection
from reports.sections.results import nothing_text
from reports.study.optuna_export import empty_study, fill, values_of
from reports.study.view import CellRow, StudyRows

N_BEST = 10
"""So many of the best cells are shown; the table of results has all."""
FEWEST_FOR_IMPORTANCE = 10
"""With fewer cells the best tenth, which importance looks at, is not even one."""
MOMENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Numbers of cells at which convergence is told."""


@dataclass(frozen=True)
class Moment:
    """After ``n`` cells: the best result so far, and what a random order of the same cells would expect."""

    n: int
    best: float
    expected: float


def proposed(study: StudyRows) -> tuple[CellRow, ...]:
    """Return the cells that Optuna proposed, in order; those that a sweep had run before are none of them."""
    about = study.about.search
    return study.cells[about.known :] if about else ()


def pareto_cells(study: StudyRows) -> list[CellRow]:
    """Return the cells that no other one beats both on dev and in seconds, the best on dev first."""
    cells = {str(cell.index): cell for cell in study.ranking}
    values = {name: values_of(cell, [SECONDS, METRIC]) for name, cell in cells.items()}
    points = [TimedCell(name, seconds, dev) for name, (seconds, dev) in values.items()]
    return [cells[point.name] for point in reversed(pareto_set(points, lower_is_better=study.lower_is_better))]


def importance(study: StudyRows) -> dict[str, float]:
    """Return Optuna's importance of every factor for the metric (PED-ANOVA), the largest first; sums to 1.

    It compares the best tenth of the cells with the others (arXiv:2304.10255): a description of these cells, without
    noise, interactions or a test. Empty where the cells are too few or all alike.
    """
    import optuna

    if len(study.ranking) < FEWEST_FOR_IMPORTANCE or len({cell.dev.mean for cell in study.ranking}) == 1:
        return {}
    view = empty_study([METRIC], study.metric, lower_is_better=study.lower_is_better)
    fill(view, study, [METRIC])
    with warnings.catch_warnings(action="ignore"):  # it warns of factors with one level, and of few cells
        found = optuna.importance.get_param_importances(view)
    return {name: value for name, value in found.items() if math.isfinite(value)}


def convergence(study: StudyRows) -> list[Moment]:
    """Compare the order in which Optuna proposed the cells with the expectation over all orders of them.

    The best of k out of n cells in random order is the i-th smallest with probability C(i - 1, k - 1) / C(n, k).
    """
    values = [cell.dev.mean for cell in proposed(study) if cell.dev.mean is not None]
    worst_first = sorted(values, reverse=study.lower_is_better)
    n, best, moments = len(values), values[:1], []
    for k, value in enumerate(values, start=1):
        if study.beats(value, best[-1]):
            best.append(value)
        if k in MOMENTS or k == n:
            expected = sum(
                value * math.comb(place, k - 1) for place, value in enumerate(worst_first)
            ) / math.comb(n, k)  # fmt: skip
            moments.append(Moment(k, best[-1], expected))
    return moments


class SearchSection(PageSection):
    """What Optuna found, and how it came to it."""

    def format(self) -> str:
        """Return the section; empty for a study that no optimiser has worked on, or without a result."""
        study, about = self.study, self.study.about.search
        if not about or not study.ranking:
            return ""
        blocks = (wrap(self._how(about)), self._best(), self._pareto(about), self._importance(), self._convergence())
        return Section(say("What Optuna found"), blocks).format()

    def numbers(self) -> dict[str, Any]:
        """Return the Pareto set, importance and convergence; null for a study that no optimiser has worked on."""
        if self.study.about.search is None:
            return {"optimised": None}
        found = {
            "pareto": [cell.index for cell in pareto_cells(self.study)],
            "importance": self.importance,
            "convergence": [asdict(moment) for moment in convergence(self.study)],
        }
        return {"optimised": found}

    @cached_property
    def importance(self) -> dict[str, float]:
        """The importance of the factors."""
        return importance(self.study)

    def _how(self, about: SearchEntry) -> str:
        n_pruned = sum(one.state == "pruned" for cell in self.study.cells for one in cell.replicates)
        return sentences(
            [
                say(
                    "Optuna's sampler {sampler} proposed {cells} for {objectives} (seed {seed}).",
                    sampler=code(about.sampler),
                    cells=plural(len(proposed(self.study)), "cell"),
                    objectives=enumerated(self._objective(name) for name in about.objectives),
                    seed=about.seed,
                ),
                say("{cells} were known before.", cells=plural(about.known, "cell")) if about.known else "",
                say(
                    "The pruner {pruner} ended {trials} early: they have no result, and count as spent.",
                    pruner=code(about.pruner),
                    trials=plural(n_pruned, "trial"),
                )
                if n_pruned
                else "",
            ]
        )

    def _objective(self, name: str) -> str:
        if name == SECONDS:
            return say("few seconds")
        low = say("a low {metric} on dev", metric=self.study.metric)
        return low if self.study.lower_is_better else say("a high {metric} on dev", metric=self.study.metric)

    def _best(self) -> str:
        return Section(say("The best cells"), (*_shown(self.study, self.study.ranking[:N_BEST]),), 3).format()

    def _pareto(self, about: SearchEntry) -> str:
        if SECONDS not in about.objectives:
            return ""
        text = say(
            "No other cell is both better on dev and quicker than one of these. Seconds are those of this machine, "
            "with as many trials beside each other as there were workers."
        )
        return Section(say("Pareto set"), (wrap(text), *_shown(self.study, pareto_cells(self.study))), 3).format()

    def _importance(self) -> str:
        found = self.importance
        if not found:
            return ""
        columns = {factor.name: factor.column for factor in self.study.factors}
        text = say(
            "How far the best tenth of the cells differs from the others in each factor (PED-ANOVA, shares of 1). It "
            "describes these cells and is no test: on pure noise it names important factors all the same."
        )
        rows = [[escape(columns[name]), f"{value:.2f}"] for name, value in found.items()]
        return Section(say("Importance"), (wrap(text), table([say("factor"), say("share")], rows)), 3).format()

    def _convergence(self) -> str:
        moments = convergence(self.study)
        if len(moments) < 2:
            return ""
        text = say(
            "The best on dev after so many cells, beside the expectation for the same cells in random order. A random "
            "search would have met other cells, and if the sampler is any good, worse ones."
        )
        header = [say("cells"), say("as proposed"), say("in random order")]
        rows = [[str(one.n), decimals(one.best), decimals(one.expected)] for one in moments]
        return Section(say("Convergence"), (wrap(text), table(header, rows)), 3).format()


def _shown(study: StudyRows, cells: Sequence[CellRow]) -> tuple[str, str]:
    """Return the table of some cells, and what its marks mean."""
    marked = any(cell.not_learned for cell in cells)
    note = (
        say("{mark} a run behind this number did not learn: see Runs that did not learn.", mark=NOT_LEARNED_MARK)
        if marked
        else ""
    )
    return best_table(study, cells).format(), note


def best_table(study: StudyRows, cells: Sequence[CellRow]) -> Table:
    """Build a table of some cells: levels, dev, the result where it is on test, seconds of a trial."""
    header = [say("index"), *(factor.column for factor in study.factors), say("dev")]
    header += [*([say("result")] if study.has_test else []), say("seconds")]
    return Table(tuple(header), tuple(_row(study, cell) for cell in cells))


def _row(study: StudyRows, cell: CellRow) -> tuple[Cell, ...]:
    shown = [str(cell.index), *(cell.levels[factor.name] for factor in study.factors), decimals(cell.dev.mean)]
    shown += [decimals(cell.result.mean)] if study.has_test else []
    shown.append(f"{values_of(cell, [SECONDS])[0]:.1f}")
    return tuple(Cell(text, marked=bool(cell.not_learned) and place == 0) for place, text in enumerate(shown))


def terminal_text(study: StudyRows) -> str:
    """Return what ``optimize`` prints at its end: the best cells, or the Pareto set."""
    about = study.about.search
    if not study.ranking:
        return nothing_text(study)
    if about is not None and SECONDS in about.objectives:
        return f"{say('Pareto set')}\n{best_table(study, pareto_cells(study)).plain_text()}"
    return f"{say('The best cells')}\n{best_table(study, study.ranking[:N_BEST]).plain_text()}"
