"""The sentences about effects: those found, those tested, and what the design could have seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.formats.markdown import NOT_LEARNED_MARK, escape, first_of, plural, table
from reports.formats.table import decimals
from reports.language.say import enumerated, say, sentences
from reports.statistics.results import (
    Alias,
    Comparison,
    Effect,
    EffectAnalysis,
    PlannedTests,
    RuinedBlock,
)
from reports.study.view import StudyRows

MOST = 12
"""More findings, conditions or aliases than these are counted, not spelled out."""


def run_word(study: StudyRows) -> str:
    """Name what tells the runs of a cell apart."""
    if not study.is_folded:
        return say("seed")
    return say("fold") if study.n_runs == 1 else say("seed and fold")


def tested_run_word(words: "Words", analysis: EffectAnalysis) -> str:
    """Name what tells the runs apart that effects were tested by: of several seeds, the mean may count as one."""
    return say("fold") if analysis.n_averaged else words.run


def runs_word(study: StudyRows) -> str:
    """Name what tells the runs of a cell apart, as a plural."""
    if not study.is_folded:
        return say("seeds")
    return say("folds") if study.n_runs == 1 else say("seeds and folds")


@dataclass(frozen=True)
class Words:
    """How a study's page spells things. ``columns`` are escaped, by factor; rows of a published table are no cells.

    ``labels`` are a factor's levels as declared; ``chosen_on`` tells where the best is chosen. ``run`` is what tells
    runs of a cell apart: its seed, its fold, or both.
    """

    columns: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    response: str
    chosen_on: str
    is_published: bool
    lower_is_better: bool
    run: str

    @classmethod
    def of(cls, study: StudyRows) -> "Words":
        """Read the words off a study."""
        columns = {factor.name: escape(factor.column) for factor in study.factors}
        response = escape(study.metric) if study.is_imported else f"{say(study.split)} {escape(study.metric)}"
        if study.seen_after is not None:
            response += say(" after {n} of {total} epochs", n=study.seen_after[0], total=study.seen_after[1])
        response += say(" of single folds") if study.is_folded else ""
        chosen_on = say(" on dev") if study.has_test else ""
        chosen_on += say(" by the mean over folds") if study.is_folded else ""
        labels = {factor.name: tuple(factor.levels) for factor in study.factors}
        return cls(columns, labels, response, chosen_on, study.is_imported, study.lower_is_better, run_word(study))

    def row(self, name: str) -> str:
        """Name a row of the table."""
        return say("row {name}", name=name) if self.is_published else say("cell {name}", name=name)

    def rows(self, names: str) -> str:
        """Name several rows of the table."""
        return say("rows {names}", names=names) if self.is_published else say("cells {names}", names=names)

    def term(self, factors: Iterable[str]) -> str:
        """Spell a main effect or an interaction."""
        return say(" x ").join(self.columns[name] for name in factors)

    def change(self, level: str, reference: str) -> str:
        """Spell a step from the reference level."""
        return say("{level} instead of {reference}", level=_label(level), reference=_label(reference))

    def order(self, one: Comparison) -> tuple[int, ...]:
        """Sort conditions, and levels within them, as they were declared."""
        return tuple(self.labels[name].index(level) for name, level in [*one.given.items(), (one.factor, one.level)])

    def verdict(self, estimate: float) -> str:
        """Say whether a difference is for the better."""
        return say("worse") if (estimate > 0) == self.lower_is_better else say("better")

    def measure(self, one: "Effect | Comparison") -> str:
        """Spell a difference, its interval, and whether it is for the better or not found."""
        if one.estimate is None or one.interval is None:
            return ""
        return say(
            "{estimate} ({interval}), {verdict}",
            estimate=signed(one.estimate),
            interval=_interval(one.interval),
            verdict=self.verdict(one.estimate) if one.found else say("not told from zero"),
        )

    def given(self, levels: Mapping[str, str]) -> str:
        """Spell levels that hold together."""
        return all_of(
            say("{column} {level}", column=self.columns[name], level=_label(level)) for name, level in levels.items()
        )

    def alias(self, alias: Alias) -> str:
        """Spell what an effect cannot be told from."""
        return ("-" if alias.sign == -1 else "") + self.term(alias.factors)


def all_of(texts: Iterable[str]) -> str:
    """Enumerate with "and" before the last.

    >>> all_of(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = texts
    return say(" and ").join([enumerated(first), last]) if first else last


def _label(text: str) -> str:
    return escape(text) or say("(empty)")


def signed(value: float) -> str:
    """Spell a difference of results.

    >>> signed(0.00512), signed(-0.00001)
    ('+0.0051', '0.0000')
    """
    text = f"{value:+.4f}"
    return text if float(text) else text[1:]


def size(value: float) -> str:
    """Spell a size in the decimals of the table; a smaller one by its first two digits.

    >>> size(0.00135), size(0.00005)
    ('0.0014', '5e-05')
    """
    return decimals(value) if value >= 0.0005 or not value else f"{value:.2g}"


def _interval(interval: tuple[float, float]) -> str:
    return say("{low} to {high}", low=f"{interval[0]:+.4f}", high=f"{interval[1]:+.4f}")


def headline(words: Words, analysis: EffectAnalysis, n_seeds: int | None) -> str:
    """Say which effects were found; else that none was, and what the design could have seen."""
    tested = plural(analysis.plan.n_tests, "effect")
    if analysis.found:
        return say(
            "**Found: {names}** ({n} of {tested} tested on {response}). In parentheses are 95 % simultaneous "
            "intervals.",
            names=first_of([words.term(effect.factors) for effect in analysis.found], MOST),
            n=len(analysis.found),
            tested=tested,
            response=words.response,
        )
    text = say(
        "**No effect was found**: of {tested} tested on {response}, none is larger than chance explains.",
        tested=tested,
        response=words.response,
    )
    if analysis.smallest_effect is None:
        return text
    if analysis.n_averaged:
        return sentences([text, power_text(analysis)])
    if n_seeds:
        needed = say(
            "One half as large would need {seeds} for every combination, the noise being what it is here.",
            seeds=plural(n_seeds, "seed") if words.run == say("seed") else plural(n_seeds, "run"),
        )
    else:
        needed = say("One half as large would need more than 10,000 seeds for every combination.")
    return sentences([text, power_text(analysis), needed])


def power_text(analysis: EffectAnalysis) -> str:
    """Say what size the design sees; empty where it has none to see."""
    if analysis.smallest_effect is None:
        return ""
    return say(
        "This design sees {least} of {size} with 80 % chance.",
        least=least_text(analysis.plan),
        size=size(analysis.smallest_effect),
    )


def no_conclusion_text(n_not_learned: int, n_runs: int) -> str:
    """Say why nothing is concluded from a study of which most runs did not learn."""
    return say(
        "**No conclusion**: {n} of the {runs} did not learn {mark}, and differences between runs that learned nothing "
        "answer no question. Other settings (a smaller learning rate, a warm-up, more steps) may train where these did "
        "not.",
        n=n_not_learned,
        runs=plural(n_runs, "run"),
        mark=NOT_LEARNED_MARK,
    )


def given_text(words: Words, analysis: EffectAnalysis) -> str:
    """Say which runs are in no effect, as training did not succeed or was ruined; empty without any."""
    texts = []
    n_ruined = analysis.n_ruined
    if analysis.n_not_learned and n_ruined:
        texts.append(
            say(
                "Effects are those **where training succeeds**: {n} of {runs} did not learn {mark}, {ruined} are those "
                "of the ruinous combination; none of them counts here.",
                n=analysis.n_not_learned,
                ruined=n_ruined,
                runs=plural(analysis.n_results, "run"),
                mark=NOT_LEARNED_MARK,
            )
        )
    elif analysis.n_not_learned:
        texts.append(
            say(
                "Effects are those **where training succeeds**: {n} of {runs} did not learn {mark} and do not count "
                "here.",
                n=analysis.n_not_learned,
                runs=plural(analysis.n_results, "run"),
                mark=NOT_LEARNED_MARK,
            )
        )
    elif n_ruined:
        texts.append(
            say("Effects are those **outside of the ruinous combination**: its {n} runs do not count here.", n=n_ruined)
        )
    return sentences(texts)


def ruined_text(words: Words, block: RuinedBlock) -> str:
    """Name three levels that together ruin results, or lift them."""
    values = {
        "given": words.given(block.levels),
        "mean": decimals(block.mean),
        "expected": decimals(block.expected),
        "n": block.n_runs,
    }
    if words.verdict(block.mean - block.expected) == say("worse"):
        return say(
            "**{given} together ruin it: {mean} instead of {expected}** ({n} runs; {expected} is what each of them, "
            "and any two of them, lead to expect).",
            **values,
        )
    return say(
        "**{given} together lift it: {mean} instead of {expected}** ({n} runs; {expected} is what each of them, and "
        "any two of them, lead to expect).",
        **values,
    )


def least_text(plan: PlannedTests) -> str:
    """Name what the smallest effect is an effect of."""
    has_levels = any(len(term.factors) == 1 and term.df > 1 for term in plan.terms)
    return say("a difference between two levels") if has_levels else say("a main effect")


def found_lines(words: Words, analysis: EffectAnalysis) -> list[str]:
    """Spell every effect found: main effects, then the largest interactions by their conditions."""
    found = analysis.found
    main = [_main_line(words, analysis, effect) for effect in found if len(effect.factors) == 1]
    sets = [set(effect.factors) for effect in found]
    largest = [
        effect for effect in found if len(effect.factors) > 1 and not any(set(effect.factors) < other for other in sets)
    ]
    lines = main + [_interaction_line(words, analysis, effect) for effect in largest]
    return lines[:MOST] + ([say("and {n} more, in the table", n=len(lines) - MOST)] if len(lines) > MOST else [])


def _main_line(words: Words, analysis: EffectAnalysis, effect: Effect) -> str:
    """Spell a main effect: at the baseline of what it acts together with, and on average where that differs."""
    (name,) = effect.factors
    at_baseline = [one for one in analysis.at_baseline if one.factor == name][:MOST]
    compared = [one for one in analysis.comparisons if one.factor == name][:MOST]
    if at_baseline:
        told = _steps(words, at_baseline)
        average = _steps(words, compared) if compared else words.measure(effect)
        return say(
            "{column}: with {given}, {told}; on average over these, {average}.",
            column=words.columns[name],
            given=words.given(at_baseline[0].given),
            told=told,
            average=average,
        )
    if compared:
        return say("{column}: {steps}.", column=words.columns[name], steps=_steps(words, compared))
    return say(
        "{column} {change}: {measure}.",
        column=words.columns[name],
        change=step_text(words, analysis, effect),
        measure=words.measure(effect),
    )


def _steps(words: Words, compared: Sequence[Comparison]) -> str:
    return say("; ").join(
        say("{change} {measure}", change=words.change(one.level, one.reference), measure=words.measure(one))
        for one in compared
    )


def step_text(words: Words, analysis: EffectAnalysis, effect: Effect) -> str:
    """Spell the step behind an effect of two levels: from the only other level that ran."""
    others = [mean.level for mean in analysis.means if mean.factor == effect.factors[0]]
    reference = next((level for level in others if level != effect.levels[0]), "")
    return words.change(effect.levels[0], reference)


def _interaction_line(words: Words, analysis: EffectAnalysis, effect: Effect) -> str:
    """Split the factor that acts in the fewest conditions, as "only without warm-up" says more than its mirror."""
    splits = {
        name: [
            one
            for one in analysis.conditional
            if one.factor == name and {name, *one.given} == set(effect.factors)
        ]
        for name in effect.factors
    }  # fmt: skip
    name = min(effect.factors, key=lambda one: _specificity(splits[one]))
    shown = sorted(splits[name], key=words.order)
    if not shown:
        return say("{term}: the effect of each depends on the other.", term=words.term(effect.factors))
    texts = [
        say(
            "with {given}, {change} is {measure}",
            given=words.given(one.given),
            change=words.change(one.level, one.reference),
            measure=words.measure(one),
        )
        for one in shown[:MOST]
    ]
    if len(shown) > MOST:
        texts.append(say("and {n} more", n=len(shown) - MOST))
    return say(
        "{column} depends on {others}: {conditions}.",
        column=words.columns[name],
        others=say(" and ").join(words.columns[other] for other in effect.factors if other != name),
        conditions=say("; ").join(texts),
    )


def _specificity(split: Sequence[Comparison]) -> tuple[bool, int]:
    n_found = sum(one.found for one in split)
    return not n_found, n_found


def effect_table(words: Words, analysis: EffectAnalysis) -> str:
    """Return the main effects that were tested, and the interactions that were found."""
    rows = []
    for effect in analysis.effects:
        if len(effect.factors) > 1 and not effect.found:
            continue
        is_main = len(effect.factors) == 1
        compared = [one for one in analysis.comparisons if is_main and one.factor == effect.factors[0]]
        levels = say("any level") if is_main else enumerated(map(_label, effect.levels))
        if is_main and effect.levels:
            levels = step_text(words, analysis, effect)
        rows.append([words.term(effect.factors), levels, *_numbers(effect)])
        rows += [["", words.change(one.level, one.reference), *_numbers(one)] for one in compared]
    header = [say("effect"), say("levels"), say("estimate"), say("95 % interval"), say("adjusted p"), say("found")]
    return table(header, rows)


def _numbers(one: Effect | Comparison) -> list[str]:
    estimate = "-" if one.estimate is None else signed(one.estimate)
    interval = "-" if one.interval is None else _interval(one.interval)
    p = decimals(one.adjusted_p) if one.adjusted_p >= 0.0001 else say("below 0.0001")
    return [estimate, interval, p, say("yes") if one.found else say("no")]


def rest_text(analysis: EffectAnalysis) -> str:
    """Count what the table leaves out, and explain an interaction's estimate where it has one."""
    texts = []
    pairs = [effect for effect in analysis.effects if len(effect.factors) > 1]
    if any(effect.found and effect.estimate is not None for effect in pairs):
        texts.append(
            say("The estimate of an interaction is half of how much one effect changes with the other's level.")
        )
    if n_rest := sum(not effect.found for effect in pairs):
        rest = plural(n_rest, "other interaction") if n_rest < len(pairs) else plural(n_rest, "interaction")
        if n_rest == 1:
            texts.append(say("{interactions} was tested and not found.", interactions=rest))
        else:
            texts.append(say("{interactions} were tested and none found.", interactions=rest))
    if n_not := len(analysis.plan.not_tested):
        lost = plural(n_not, "interaction")
        texts.append(say("{interactions} could not be tested: the rows do not tell them apart.", interactions=lost))
    return sentences(texts)
