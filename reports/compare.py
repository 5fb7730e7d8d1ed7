"""Two studies side by side: the cells that both have, their paired differences, and what each says matters."""

import math
import statistics
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gridsearch.errors import RequestError
from gridsearch.recipe.shares import is_share
from reports.formats.markdown import Section, bullets, code, escape, paragraphs, plural, table, wrap
from reports.formats.table import Cell, Table, decimals, metric_text
from reports.language.say import say, sentences
from reports.sections.context import PageContext
from reports.sections.effects.effects_text import signed
from reports.sections.effects.reasons_text import why_not_text
from reports.sections.folds import times_text
from reports.statistics.paired.cells import PairedDifference, Seeds, paired_cells
from reports.statistics.results import Effect, EffectAnalysis
from reports.study.parts import measure_of
from reports.study.view import CellRow, StudyRows

Key = tuple[str | float, ...]


@dataclass(frozen=True)
class Entry:
    """A row of one study: its index there, levels by column, and results by seed; ``trials`` of a study that ran."""

    index: str
    levels: Mapping[str, str]
    results: Mapping[Hashable, float]
    trials: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """The mean result."""
        return statistics.fmean(self.results.values()) if self.results else None


@dataclass(frozen=True)
class Pair:
    """The same cell in both studies."""

    first: Entry
    second: Entry

    @property
    def difference(self) -> float | None:
        """The second result less the first."""
        if self.first.value is None or self.second.value is None:
            return None
        return self.second.value - self.first.value


@dataclass(frozen=True)
class Comparison:
    """Two studies, the columns that both have, and the cells that are the same in both."""

    first: StudyRows
    second: StudyRows
    columns: tuple[str, ...]
    pairs: tuple[Pair, ...]

    @property
    def same_measure(self) -> bool:
        """Whether results may be subtracted: published numbers are taken to be what they are compared with."""
        if self.first.is_imported or self.second.is_imported:
            return self.first.lower_is_better == self.second.lower_is_better
        return measure_of(self.first) == measure_of(self.second)


def compare(first: StudyRows, second: StudyRows) -> Comparison:
    """Match the cells of two studies by the levels of the columns that both have.

    A factor that only one study has must be at its baseline there: the other study knows nothing else of it. Lists
    without a common column are matched by the names of their rows. Raises RequestError when no cell is in both.
    """
    refuse_itself(first, second)
    theirs = {factor.column for factor in second.factors}
    columns = tuple(factor.column for factor in first.factors if factor.column in theirs)
    # Where only one study asks in shares of the depth, the other has numbers of layers.
    counted = _asked_in_shares(first) ^ _asked_in_shares(second)
    mine, other = (dict(_entries(study, columns, counted)) for study in (first, second))
    pairs = tuple(Pair(entry, other[key]) for key, entry in mine.items() if key in other)
    if not pairs:
        common = f"of the columns in both ({', '.join(columns)})" if columns else "and no column"
        raise RequestError(f"{first.folder} and {second.folder} have no cell in common: no equal levels {common}")
    return Comparison(first, second, columns, pairs)


def refuse_itself(first: StudyRows, second: StudyRows) -> None:
    """Raise RequestError where a study is to be compared with itself."""
    if first.folder.resolve() == second.folder.resolve():
        raise RequestError(f"compare needs two studies, but both are {first.folder}")


def _asked_in_shares(study: StudyRows) -> set[str]:
    """Name the columns of factors that are a number of layers, some of it as a share of the encoder's depth."""
    return {
        factor.column
        for factor in study.factors
        if any(
            settings.keys() == {factor.name} and is_share(settings[factor.name]) for settings in factor.levels.values()
        )
    }


def _entries(study: StudyRows, columns: tuple[str, ...], counted: Collection[str]) -> Iterable[tuple[Key, Entry]]:
    """Yield the rows that the other study may have too, rows with the same levels as one, with their mean.

    Levels of the ``counted`` columns are numbers of layers, also where they were asked for as shares.
    """
    baseline = {factor.column: factor.baseline for factor in study.factors}
    names = {factor.name: factor.column for factor in study.factors}
    groups: dict[Key, list[Entry]] = {}
    for entry, row in _rows(study, names, counted):
        if all(label == baseline[column] for column, label in entry.levels.items() if column not in columns):
            key = tuple(_value(entry.levels[column]) for column in columns) if columns else (row,)
            if key != ("",):
                groups.setdefault(key, []).append(entry)
    for key, alike in groups.items():
        results: dict[Hashable, list[float]] = {}
        for entry in alike:
            for seed, value in entry.results.items():
                results.setdefault(seed, []).append(value)
        means = {seed: statistics.fmean(values) for seed, values in results.items()}
        trials = tuple(trial for entry in alike for trial in entry.trials)
        yield key, Entry(alike[0].index, alike[0].levels, means, trials)


def _rows(study: StudyRows, names: Mapping[str, str], counted: Collection[str]) -> Iterable[tuple[Entry, str]]:
    def levels(of: Mapping[str, str], recipe: Mapping[str, Any]) -> dict[str, str]:
        return {
            names[name]: str(recipe.get(name, label)) if names[name] in counted and is_share(label) else label
            for name, label in of.items()
        }

    for row in study.observations:
        yield Entry(row.index, levels(row.levels, {}), {row.repetition: row.value}), ""
    for cell in study.cells:
        yield Entry(str(cell.index), levels(cell.levels, cell.recipe), _results(study, cell), _trials(cell)), cell.row


def _results(study: StudyRows, cell: CellRow) -> dict[Hashable, float]:
    """Return the results by what tells runs apart: folds are the same where the same rows are divided alike.

    The rows of a fold are the same for all seeds, which are no more than one sample of them: of these, the mean.
    """
    about = study.about
    found: dict[Hashable, list[float]] = {}
    for one in cell.finished:
        value = one.test if cell.has_test else one.dev
        if value is not None and math.isfinite(value):
            fold = (one.fold, about.division, about.task.fingerprint)
            found.setdefault(one.repetition if about.division is None else fold, []).append(value)
    return {run: statistics.fmean(values) for run, values in found.items()}


def _trials(cell: CellRow) -> tuple[str, ...]:
    return tuple(replicate.trial for replicate in cell.finished)


def _value(label: str) -> str | float:
    """Compare numbers as numbers: 0.10 is 0.1."""
    try:
        return float(label)
    except ValueError:
        return label


def paired_difference(comparison: Comparison) -> PairedDifference | None:
    """Summarise the differences; None below two matched results, or where results are of different measures."""
    if not comparison.same_measure:
        return None
    known = [pair for pair in comparison.pairs if pair.first.results and pair.second.results]
    return paired_cells(
        [pair.first.results for pair in known],
        [pair.second.results for pair in known],
        lower_is_better=comparison.first.lower_is_better,
    )


@dataclass(frozen=True)
class ComparisonPage:
    """The two studies, the summary, the matched cells, and the effects of each."""

    comparison: Comparison

    def format(self, *, for_terminal: bool = False) -> str:
        """Return it as Markdown; for a terminal, with the table of cells as plain text in 80 columns."""
        cells = self._cells()
        shown = cells.plain_text() if for_terminal else cells.format()
        studies = {"A": self.comparison.first, "B": self.comparison.second}
        parts = [
            f"# {say('Two studies compared')}",
            bullets(self._study(letter, study) for letter, study in studies.items()),
            *map(wrap, self._summary()),
            Section(say("The cells that both have"), (shown,)).format(),
            self._effects(),
        ]
        return paragraphs(parts) + "\n"

    def numbers(self) -> dict[str, Any]:
        """Return the same for programs: ``pairs`` are rows of the two tables that are one cell."""
        about = self.comparison
        return {
            "studies": [{"study": one.folder, "metric": one.metric} for one in (about.first, about.second)],
            "columns": about.columns,
            "pairs": [
                {
                    "cells": (pair.first.index, pair.second.index),
                    "levels": {column: pair.first.levels[column] for column in about.columns},
                    "values": (pair.first.value, pair.second.value),
                    "difference": pair.difference if about.same_measure else None,
                }
                for pair in about.pairs
            ],
            "paired_difference": paired_difference(about),
        }

    def _study(self, letter: str, study: StudyRows) -> str:
        n_rows = len(study.observations) or len(study.cells)
        name = code(str(study.folder))
        if study.is_imported:
            return say(
                "{letter}: {name}, {rows} of a published table, {metric}",
                letter=letter,
                name=name,
                rows=plural(n_rows, "row"),
                metric=escape(study.metric),
            )
        return say(
            "{letter}: {name}, {cells} with {seeds}, task {task}, {metric} on {split}",
            letter=letter,
            name=name,
            cells=plural(n_rows, "cell"),
            seeds=times_text(study),
            task=code(study.about.task.name),
            metric=metric_text(study, escape),
            split=say(study.split),
        )

    def _summary(self) -> list[str]:
        about = self.comparison
        found = paired_difference(about)
        texts = [sentences([say("{n} are in both studies.", n=plural(len(about.pairs), "cell")), self._same_trials()])]
        if unlike := self._unlike():
            texts.append(say("Apart from what is in the table they differ in {what}.", what=unlike))
        if about.first.is_folded or about.second.is_folded:
            texts.append(
                say("Where folds divide the rows, results are means over single folds, not of all rows together.")
            )
        if about.first.is_imported != about.second.is_imported:
            texts.append(say("What the published numbers measure is not known here; they are taken to be the same."))
        if not about.same_measure:
            texts.append(say("Their results are of different measures, so they are not subtracted."))
        elif found is None:
            texts.append(say("Fewer than two of them have a result in both, so there is no difference to summarise."))
        else:
            texts += self._difference(found)
        return texts

    def _unlike(self) -> str:
        """Spell what the first cell that both have does otherwise in one of them, and how many rows each reads."""
        about = self.comparison
        if about.first.is_imported or about.second.is_imported:
            return ""
        cells = (
            next((cell.recipe for cell in study.cells if str(cell.index) == entry.index), {})
            for study, entry in ((about.first, about.pairs[0].first), (about.second, about.pairs[0].second))
        )
        rows = (
            {
                say("rows of train"): study.about.task.n_rows.get("train"),
                say("rows of dev"): study.about.task.n_rows.get("dev"),
            }
            for study in (about.first, about.second)
        )
        one, other = ({**recipe, **read} for recipe, read in zip(cells, rows, strict=True))
        told = [
            say("{name} ({first} in A, {second} in B)", name=escape(name), first=one.get(name), second=other.get(name))
            for name in {**one, **other}
            if one.get(name) != other.get(name)
        ]
        return ", ".join([*told, *self._other_function()])

    def _other_function(self) -> Iterable[str]:
        """Spell in what two metrics of the users' own differ that have one name."""
        first, second = (study.about.task.own_metric for study in (self.comparison.first, self.comparison.second))
        if first is None or second is None or first.name != second.name or first == second:
            return
        name = escape(first.name)
        if first.version == second.version:
            yield say("the source of the metric {name}", name=name)
        else:
            versions = {"first": escape(first.version), "second": escape(second.version)}
            yield say("the version of the metric {name} ({first} in A, {second} in B)", name=name, **versions)

    def _same_trials(self) -> str:
        same = sum(
            bool(pair.first.trials) and pair.first.trials == pair.second.trials for pair in self.comparison.pairs
        )
        return say("{n} of them are the very same trials.", n=same) if same else ""

    def _difference(self, found: PairedDifference) -> list[str]:
        n_equal = found.n - found.n_better - found.n_worse
        mean = say(
            "B less A, over {n}: mean {mean}, standard deviation {sd}. B is better in {better}, worse in {worse}, "
            "equal in {equal}.",
            n=plural(found.n, "cell"),
            mean=signed(found.mean),
            sd=decimals(found.sd),
            better=found.n_better,
            worse=found.n_worse,
            equal=n_equal,
        )
        texts = [sentences([mean, self._quartiles(found)]), self._interval(found)]
        if found.agreement is not None:
            texts.append(
                say(
                    "The rank correlation of the two is {r} (Spearman; 1: they rank the cells alike, 0: unrelated).",
                    r=f"{found.agreement:.2f}",
                )
            )
        return texts

    def _quartiles(self, found: PairedDifference) -> str:
        if found.interquartile is None:
            return ""
        return say(
            "Without the best and the worst quarter of the runs of each (interquartile means) it is {difference}.",
            difference=signed(found.interquartile),
        )

    def _interval(self, found: PairedDifference) -> str:
        ends = {"low": f"{found.interval[0]:+.4f}", "high": f"{found.interval[1]:+.4f}"}
        if Seeds.SINGLE in found.seeds:
            return say(
                "For other cells like these with the very same seeds, the 95 % interval of the mean is {low} to "
                "{high}. It is none of the difference between recipes: a study with one seed cannot tell what that "
                "seed does to all of its cells alike.",
                **ends,
            )
        if Seeds.UNKNOWN in found.seeds:
            return say(
                "For other cells like these, the 95 % interval of the mean is {low} to {high}. Which of the published "
                "rows share a seed is not known: what one does to all of them alike is in the mean, and the interval "
                "does not see it.",
                **ends,
            )
        if found.seeds_error is None:
            return say(
                "For other cells like these and other seeds, the 95 % interval of the mean is {low} to {high}; every "
                "cell has seeds of its own.",
                **ends,
            )
        return say(
            "For other cells like these and other {runs}, the 95 % interval of the mean is {low} to {high}; the "
            "standard error is {cells} from the cells and {seeds} from the {runs}.",
            runs=self._runs(),
            cells=f"{found.cells_error:.4f}",
            seeds=f"{found.seeds_error:.4f}",
            **ends,
        )

    def _runs(self) -> str:
        """Name what results are told apart by: of a fold, seeds are taken together."""
        folded = {self.comparison.first.is_folded, self.comparison.second.is_folded}
        if folded == {True}:
            return say("folds")
        return say("seeds and folds") if folded == {True, False} else say("seeds")

    def _cells(self) -> Table:
        about = self.comparison
        header = [*about.columns, say("index A"), say("index B"), "A", "B"]
        if about.same_measure:
            header.append("B-A")
        rows = []
        for pair in about.pairs:
            row = [Cell(pair.first.levels[column]) for column in about.columns]
            row += [Cell(pair.first.index), Cell(pair.second.index)]
            row += [Cell(decimals(entry.value)) for entry in (pair.first, pair.second)]
            if about.same_measure:
                row.append(Cell("-" if pair.difference is None else signed(pair.difference)))
            rows.append(tuple(row))
        return Table(tuple(header), tuple(rows))

    def _effects(self) -> str:
        about = self.comparison
        sides = [(study, PageContext(study).analysis) for study in (about.first, about.second)]
        found = [_by_columns(study, analysis) for study, analysis in sides]
        terms = [
            term
            for term in dict.fromkeys([*found[0], *found[1]])
            if set(term) <= set(about.columns)
            and (len(term) == 1 or any(term in side and side[term].found for side in found))
        ]
        rows = [[escape(say(" x ").join(term)), *(_measure(side.get(term)) for side in found)] for term in terms]
        whys = [
            say(
                "{letter} has no tested effects: {why}",
                letter=letter,
                why=why_not_text(analysis.why_not, analysis.plan),
            )
            for letter, (_, analysis) in zip("AB", sides, strict=True)
            if analysis.why_not
        ]
        whys += [
            say(
                "{letter} is a successive halving: its effects are on dev after {n} of {total} epochs",
                letter=letter,
                n=standing.first_epochs,
                total=standing.halving.n_epochs,
            )
            for letter, (study, _) in zip("AB", sides, strict=True)
            if (standing := study.standing) is not None
        ]
        if not rows:
            return Section(say("What each says matters"), (bullets(whys),)).format()
        below = say(
            "Behind ± are simultaneous 95 % intervals within each study; bold: found there. Found in one and not in "
            "the other is no evidence that the two differ: look whether the intervals overlap."
        )
        shown = table([say("effect"), "A", "B"], rows)
        return Section(say("What each says matters"), (shown, wrap(below), bullets(whys))).format()


def _by_columns(study: StudyRows, analysis: EffectAnalysis) -> dict[tuple[str, ...], Effect]:
    columns = {factor.name: factor.column for factor in study.factors}
    return {tuple(columns[name] for name in effect.factors): effect for effect in analysis.effects}


def _measure(effect: Effect | None) -> str:
    if effect is None:
        return "-"
    if effect.estimate is None or effect.interval is None:
        text = f"p {decimals(effect.adjusted_p)}"
    else:
        text = f"{signed(effect.estimate)} ± {(effect.interval[1] - effect.interval[0]) / 2:.4f}"
    return f"**{text}**" if effect.found else text
