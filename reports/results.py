"""Sections about what was found: summary, table, best and worst, yardstick, cautions."""

from collections.abc import Callable
from dataclasses import dataclass

from gridsearch.design import design_text
from reports.analysis import cautions, highest_result
from reports.markdown import (
    COLLAPSED_MARK,
    Section,
    bullets,
    code,
    escape,
    listed,
    one_line,
    paragraphs,
    plural,
    seconds_text,
    table,
    wrap,
)
from reports.records import CellRow, StudyRows
from reports.table import comparison_table, decimals, measure_text


@dataclass(frozen=True)
class Summary:
    """The certificate first, then what was asked and the best answer so far."""

    study: StudyRows

    def format(self) -> str:
        """Return the lines below the title."""
        study = self.study
        blocks = [f"**{study.coverage}**", wrap(self._asked())]
        if line := best_sentence(study, escape):
            blocks.append(wrap(f"{line} {yardstick_sentence(study)}".strip()))
        else:
            blocks.append("No trial has finished yet: there is nothing to compare.")
        return paragraphs(blocks)

    def _asked(self) -> str:
        study, facts = self.study, self.study.facts
        seeds = facts["design"]["seeds"]
        text = f"{plural(len(study.cells), 'cell')} of {plural(len(study.factors), 'factor')}"
        if facts["design"]["kind"] != "full":
            text += f", a {design_text(facts['design'])}"
        if study.excluded:
            text += f" ({len(study.excluded)} more left out by rules)"
        text += f", {plural(len(seeds), 'seed')} each, on the task {code(facts['task'])} with "
        return text + ", ".join(code(name) for name in facts["encoders"]) + "."


def best_sentence(study: StudyRows, spell: Callable[[str], str] = one_line) -> str:
    """Name the best cell; empty when nothing has finished. ``spell`` is how foreign texts are spelled."""
    if not study.ranking:
        return ""
    best, *others = study.ranking
    text = f"Best{' on dev' if study.has_test else ''}: {best.name(spell)}, {_measured(study, best)}."
    if equal := [cell.index for cell in others if cell.dev.mean == best.dev.mean]:
        text += f" Equal to it on dev: {listed('cell', equal)}."
    if best.collapsed:
        text += f" But a run behind it collapsed {COLLAPSED_MARK}: it supports no conclusion."
    return text


def yardstick_sentence(study: StudyRows) -> str:
    """Say aloud when the cheap reference is not beaten; empty otherwise."""
    if not study.ranking:
        return ""
    best = study.ranking[0].dev.mean
    unbeaten = [yardstick.name for yardstick in study.yardsticks if not study.beats(best or 0.0, yardstick.dev)]
    return f"No cell beats {' or '.join(unbeaten)} on dev." if unbeaten else ""


def _measured(study: StudyRows, cell: CellRow) -> str:
    result, dev = cell.result, cell.dev
    text = f"{study.split} {study.metric} {decimals(result.mean)}"
    inside = [f"dev {decimals(dev.mean)}"] if study.has_test else []
    if study.n_replicates > 1:
        inside.append(f"mean of {plural(result.n, 'seed')}")
        inside += [f"sd {decimals(result.sd)}"] if result.sd is not None else []
    return text + (f" ({', '.join(inside)})" if inside else "")


@dataclass(frozen=True)
class Results:
    """The comparison table, with a sentence above that says what it shows and the marks explained below."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        shown = comparison_table(self.study)
        marked = any(cell.marked for row in shown.rows for cell in row)
        below = f"{COLLAPSED_MARK} a run behind this number collapsed: see Collapsed runs." if marked else ""
        return Section("Results", (wrap(self._above()), shown.format(), below)).format()

    def _above(self) -> str:
        study = self.study
        better = "Lower" if study.lower_is_better else "Higher"
        text = f"{code('result')} is {measure_text(study)}"
        if study.has_test:
            text += f", {code('dev')} the same on dev"
        if study.n_replicates > 1:
            text += f"; {code('sd')} is the standard deviation over {code('n')} seeds"
        return f"{text}. The chosen epoch is {_selection(study)}. {better} is better; the best of a column is bold."


def _selection(study: StudyRows) -> str:
    ways = {cell.recipe.get("selection") for cell in study.cells}
    if ways == {"best"}:
        return "the best on dev, ties to the earlier"
    return "the last" if ways == {"last"} else "the one that the cell's selection names"


@dataclass(frozen=True)
class Extremes:
    """The best and the worst cell, spelled out."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; empty without a result."""
        study = self.study
        if not study.ranking:
            return ""
        best, worst = study.ranking[0], study.ranking[-1]
        items = [self._line("Best", best)]
        if worst is not best:
            items.append(self._line("Worst", worst))
        return Section("Best and worst", (bullets(items), self._other_choice(best))).format()

    def _line(self, word: str, cell: CellRow) -> str:
        study = self.study
        seconds = cell.train_seconds_per_epoch.mean or 0.0
        text = f"{word}{' on dev' if study.has_test else ''}: {cell.name(escape)}, {_measured(study, cell)}, "
        text += f"{epochs_text(cell)}, {seconds_text(seconds)} per epoch"
        mark = f", collapsed {COLLAPSED_MARK}" if cell.collapsed else ""
        return f"{text}{mark}: {code(study.settings(cell.levels))}"

    def _other_choice(self, best: CellRow) -> str:
        """Test must not select; where it would have chosen another cell, say so."""
        highest = highest_result(self.study)
        if highest is None or highest is best or not self.study.has_test:
            return ""
        extreme = "lowest" if self.study.lower_is_better else "highest"
        return wrap(
            f"The {extreme} test result is that of {highest.name(escape)}, {_measured(self.study, highest)}. "
            "Choosing it would be choosing on test, after which test no longer measures anything."
        )


def epochs_text(cell: CellRow) -> str:
    """Spell the chosen epoch of every finished replicate."""
    chosen = [str(replicate.chosen_epoch) for replicate in cell.finished]
    totals = sorted({replicate.n_epochs or 0 for replicate in cell.finished})
    of = " or ".join(str(total) for total in totals)
    return f"epoch{'s' if len(chosen) > 1 else ''} {', '.join(chosen)} of {of}"


@dataclass(frozen=True)
class Yardsticks:
    """Cheap references beside the baseline and the best cell, on the same split."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; empty when no yardstick was measured."""
        study = self.study
        if not study.yardsticks:
            return ""
        rows = [(escape(yardstick.name), yardstick.dev, yardstick.test) for yardstick in study.yardsticks]
        for word, cell in (("baseline", study.baseline), ("best", study.ranking[0] if study.ranking else None)):
            if cell is not None:
                rows.append((f"{word}: {cell.name(escape)}", cell.dev.mean, cell.result.mean))
        if study.has_test:
            shown = table(
                [study.metric, "dev", "test"], [[name, decimals(dev), decimals(test)] for name, dev, test in rows]
            )
        else:
            shown = table([study.metric, "dev"], [[name, decimals(dev)] for name, dev, _ in rows])
        return Section("Yardstick", (shown, self._without_baseline())).format()

    def _without_baseline(self) -> str:
        study = self.study
        if study.baseline:
            return ""
        wanted = {factor.name: factor.baseline for factor in study.factors}
        if any(cell.levels == wanted for cell in study.excluded):
            return "A rule leaves the baseline cell out."
        return "No row of the list is the baseline."


@dataclass(frozen=True)
class Cautions:
    """What the numbers cannot bear."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; empty when there are no numbers."""
        notes = cautions(self.study)
        return Section("Read with care", (bullets(notes),)).format() if notes else ""
