"""The section of effects: those in a study's runs, in the words of its table. The sentences are in effects_text.py."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reports.formats.markdown import Section, bullets, escape, plural, wrap
from reports.formats.table import decimals
from reports.language.say import say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.best_text import winner_text
from reports.sections.effects.effects_text import (
    Words,
    effect_table,
    found_lines,
    given_text,
    headline,
    least_text,
    no_conclusion_text,
    rest_text,
    run_word,
)
from reports.sections.effects.noise_text import df_text, dropped_text, noise_text
from reports.sections.effects.reasons_text import effects_numbers, why_not_text
from reports.sections.halving import seen_after_text, went_through_text
from reports.statistics.best_cell import Winner
from reports.statistics.planning import plan_tests
from reports.statistics.results import ErrorKind, Factor, PlannedTests
from reports.statistics.sensitivity import same_budget, seeds_needed
from reports.study.view import StudyRows

_ORDERS = {1: "main effect", 2: "two-factor interaction", 3: "three-factor interaction"}


class Effects(PageSection):
    """The answer to the title: effects found or not, the noise that they were held against, and what to use."""

    def format(self) -> str:
        """Return the section; empty before there is any result, and where no design laid the rows out."""
        study = self.page.seen
        if self.page.is_observational or not self.page.analysis.plan.n_runs:
            return ""
        about, analysis = self.page.measured, self.page.analysis
        title, words = say("What matters"), Words.of(study)
        if analysis.why_not:
            text = sentences(
                [say("Nothing can be tested."), why_not_text(analysis.why_not, analysis.plan), dropped_text(analysis)]
            )
            return Section(title, (wrap(text),)).format()
        if 2 * about.n_not_learned > (n_runs := analysis.n_results):
            return Section(title, (wrap(no_conclusion_text(about.n_not_learned, n_runs)),)).format()
        blocks = (
            wrap(seen_after_text(study)) if study.seen_after else "",
            wrap(given_text(words, analysis)),
            wrap(headline(words, analysis, self._seeds())),
            bullets(found_lines(words, analysis)),
            effect_table(words, analysis),
            wrap(rest_text(analysis)),
        )
        noise = Section(say("Noise"), tuple(map(wrap, noise_text(words, analysis))), level=3)
        return Section(title, (*blocks, noise.format(), self._to_use(words))).format()

    def numbers(self) -> dict[str, Any]:
        """Return the analysis; null where no design laid the rows out."""
        return {
            "effects": None if self.page.is_observational else effects_numbers(self.page.analysis, run_word(self.study))
        }

    def _to_use(self, words: Words) -> str:
        """Choose on dev; what was analysed serves where that is the result."""
        best, n_cells = self.page.winner, len(self.page.measured_on_dev.cells)
        rows = self.study.observations
        if self.study.standing is not None:
            text = _among_finished(self.study, best, n_cells)
        elif best is None:
            text = ""
        else:
            indexes = {place: row.index for place, row in enumerate(rows, start=1)}
            text = winner_text(words, best, n_cells, len(rows), indexes)
        return Section(say("What to use"), (wrap(text),), level=3).format() if text else ""

    def _seeds(self) -> int | None:
        """Seeds that every cell would need for half of the smallest effect; asked only when nothing was found."""
        about, analysis = self.page.measured, self.page.analysis
        smallest = analysis.plan.smallest_effect_in_sd
        if analysis.found or smallest is None:
            return None
        known = [run.levels for run in about.runs if run.value is not None and math.isfinite(run.value)]
        cells = list({tuple(levels[factor.name] for factor in about.factors): levels for levels in known}.values())
        return seeds_needed(about.factors, cells, smallest / 2, about.inert)


def _among_finished(study: StudyRows, best: Winner | None, n_cells: int) -> str:
    """Say what to use after a halving: chosen among the cells that ran to the end, by the noise of their own seeds."""
    if not study.ranking:
        return ""
    first = study.ranking[0]
    named = {"cell": first.name(escape), "mean": decimals(first.dev.mean)}
    if best is not None:
        text = winner_text(Words.of(study), best, n_cells, 0, {})
    elif len(study.ranking) == 1:
        text = say("Only {cell} ran to the end ({mean} on dev).", **named)
    else:
        text = say(
            "Of the {n} that ran to the end, {cell} is the best on dev ({mean}). Nothing tells by how much it would "
            "have to lead: that takes several of them, with several seeds.",
            n=len(study.ranking),
            **named,
        )
    return sentences([text, went_through_text(study)])


def planned_texts(
    factors: Sequence[Factor], cells: Sequence[Mapping[str, str]], n_seeds: int, inert: Sequence[str]
) -> list[str]:
    """Say before any run what will be tested, against which error, and what can be seen; and what would be better."""
    plan = plan_tests(factors, cells, n_seeds, inert)
    if plan.error is None:
        return [f"nothing: {why_not_text(plan.why_not, plan)}"]
    df = "" if plan.error.kind is ErrorKind.SPARSE else f" ({df_text(plan.error.df)})"
    text = f"{_family(plan)}, against {plan.error.kind.value}{df}"
    if plan.smallest_effect_in_sd is None:
        return [text]
    text += f"; it sees {least_text(plan)} of {plan.smallest_effect_in_sd:.2f} run-to-run sd with 80 % chance"
    if n_seeds > 1 or inert:
        return [text]
    return [
        text,
        *(_better_text(other.n_cells, other.n_seeds, other.plan) for other in same_budget(factors, cells)[1:]),
    ]


def _better_text(n_cells: int, n_seeds: int, other: PlannedTests) -> str:
    """Say what a half fraction with twice the seeds would do."""
    if other.smallest_effect_in_sd is None:
        return ""
    return (
        f"{n_cells} cells x {n_seeds} seeds, a half fraction in as many runs, would test against "
        f"{other.error.kind.value if other.error else 'nothing'} and see {other.smallest_effect_in_sd:.2f} sd; what it "
        "finds holds however alike runs of one seed are"
    )


def _family(plan: PlannedTests) -> str:
    orders = Counter(len(term.factors) for term in plan.terms)
    *first, last = [plural(orders[order], _ORDERS[order]) for order in sorted(orders)]
    return f"{', '.join(first)} and {last}" if first else last
