"""The section of effects: those in a study's runs, in the words of its table. The sentences are in effects_text.py."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.formats.markdown import Section, bullets, escape, plural, wrap
from reports.formats.table import decimals
from reports.language.say import say, sentences
from reports.sections.best_text import winner_text
from reports.sections.effects_text import (
    Words,
    copied_text,
    effect_table,
    found_lines,
    headline,
    least_text,
    no_conclusion_text,
    not_learned_text,
    rest_text,
)
from reports.sections.halving import seen_after_text, went_through_text
from reports.sections.noise_text import df_text, dropped_text, noise_text
from reports.sections.reasons_text import why_not_text
from reports.statistics.best_cell import CellMean, Winner, expected_means, winner
from reports.statistics.planning import plan_tests
from reports.statistics.results import EffectAnalysis, ErrorKind, Factor, PlannedTests
from reports.statistics.sensitivity import same_budget, seeds_needed
from reports.study.first_rung import at_first_rung
from reports.study.measured import Measured, analysed, measured
from reports.study.view import StudyRows

_ORDERS = {1: "main effect", 2: "two-factor interaction", 3: "three-factor interaction"}


def study_winner(study: StudyRows) -> Winner | None:
    """Find the rows that may be the best on dev (of a published table: in it); None without an error, or one row.

    Indexes are positions in the table. The centres of the shrunken estimate are what the effects found predict.
    """
    about = measured(study, "dev")
    return _winner(study, about, analysed(about))


def _winner(study: StudyRows, about: Measured, analysis: EffectAnalysis) -> Winner | None:
    if len(about.cells) < 2:
        return None
    if analysis.sd is None or analysis.plan.error is None:
        return None
    cells = [CellMean(index, sum(values) / len(values), len(values)) for index, _, values in about.cells]
    expected, n_coefficients = expected_means(
        about.factors,
        [levels for _, levels, _ in about.cells],
        [cell.mean for cell in cells],
        [cell.n for cell in cells],
        [effect.factors for effect in analysis.found],
    )
    return winner(
        cells,
        analysis.sd,
        analysis.plan.error.df,
        lower_is_better=study.lower_is_better,
        expected=expected.tolist(),
        n_coefficients=n_coefficients,
    )


@dataclass(frozen=True)
class Effects:
    """The answer to the title: effects found or not, the noise that they were held against, and what to use."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; empty before there is any result."""
        study = at_first_rung(self.study)
        about = measured(study, study.split)
        analysis = analysed(about)
        if not analysis.plan.n_runs:
            return ""
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
            wrap(headline(words, analysis, self._seeds(about, analysis))),
            wrap(not_learned_text(analysis, about.n_not_learned)) if about.n_not_learned else "",
            bullets(found_lines(words, analysis)),
            effect_table(words, analysis),
            wrap(copied_text(words, analysis)),
            wrap(rest_text(analysis)),
        )
        noise = Section(say("Noise"), tuple(map(wrap, noise_text(words, analysis))), level=3)
        return Section(title, (*blocks, noise.format(), self._to_use(words, about, analysis))).format()

    def _to_use(self, words: Words, about: Measured, analysis: EffectAnalysis) -> str:
        """Choose on dev; what was analysed serves where that is the result."""
        if self.study.standing is not None:
            text = _among_finished(self.study)
            return Section(say("What to use"), (wrap(text),), level=3).format() if text else ""
        if self.study.has_test:
            about = measured(self.study, "dev")
            analysis = analysed(about)
        best = _winner(self.study, about, analysis)
        if best is None:
            return ""
        rows = self.study.observations
        indexes = {place: row.index for place, row in enumerate(rows, start=1)}
        text = winner_text(words, best, len(about.cells), len(rows), indexes)
        return Section(say("What to use"), (wrap(text),), level=3).format()

    def _seeds(self, about: Measured, analysis: EffectAnalysis) -> int | None:
        """Seeds that every cell would need for half of the smallest effect; asked only when nothing was found."""
        smallest = analysis.plan.smallest_effect_in_sd
        if analysis.found or smallest is None:
            return None
        known = [run.levels for run in about.runs if run.value is not None and math.isfinite(run.value)]
        copied = {one.factor for one in analysis.copied}
        factors = [factor for factor in about.factors if factor.name not in copied]
        cells = list({tuple(levels[factor.name] for factor in factors): levels for levels in known}.values())
        return seeds_needed(factors, cells, smallest / 2, about.inert)


def _among_finished(study: StudyRows) -> str:
    """Say what to use after a halving: chosen among the cells that ran to the end, by the noise of their own seeds."""
    if not study.ranking:
        return ""
    first, best = study.ranking[0], finished_winner(study)
    named = {"cell": first.name(escape), "mean": decimals(first.dev.mean)}
    if best is not None:
        text = winner_text(Words.of(study), best, len(measured(study, "dev").cells), 0, {})
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


def finished_winner(study: StudyRows) -> Winner | None:
    """Find the rows that may be the best on dev among those that ran to the end of a halving.

    They were chosen, so no model of effects stands behind them: the error is what their seeds differ by, pooled. None
    where there are fewer than two, or no such noise.
    """
    cells = measured(study, "dev").cells
    deviations = [value - sum(values) / len(values) for _, _, values in cells for value in values]
    df = len(deviations) - len(cells)
    if len(cells) < 2 or not df or not any(deviations):
        return None
    sd = math.sqrt(math.fsum(one**2 for one in deviations) / df)
    means = [CellMean(index, sum(values) / len(values), len(values)) for index, _, values in cells]
    return winner(means, sd, df, lower_is_better=study.lower_is_better)


def planned_texts(
    factors: Sequence[Factor], cells: Sequence[Mapping[str, str]], n_seeds: int, inert: Sequence[str]
) -> list[str]:
    """Say before any run what will be tested, against which error, and what can be seen; and what would be better."""
    plan = plan_tests(factors, cells, n_seeds, inert)
    if plan.error is None:
        return [f"nothing: {why_not_text(plan.why_not, plan)}"]
    df = "" if plan.error.kind is ErrorKind.LENTH else f" ({df_text(plan.error.df)})"
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
        f"{other.error.kind.value if other.error else 'nothing'} and see {other.smallest_effect_in_sd:.2f} sd"
    )


def _family(plan: PlannedTests) -> str:
    orders = Counter(len(term.factors) for term in plan.terms)
    *first, last = [plural(orders[order], _ORDERS[order]) for order in sorted(orders)]
    return f"{', '.join(first)} and {last}" if first else last
