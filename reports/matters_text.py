"""The sentences of what matters, and what ``plan`` says beforehand about the same tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.effects.records import (
    Alias,
    Comparison,
    Correction,
    Effect,
    EffectAnalysis,
    ErrorKind,
    PlannedTests,
)
from reports.markdown import COLLAPSED_MARK, escape, plural, table
from reports.records import StudyRows
from reports.table import decimals
from reports.winner import Winner

MOST = 12
"""More findings, conditions or aliases than these are counted, not spelled out."""


@dataclass(frozen=True)
class Words:
    """How a study's page spells things. ``columns`` are escaped, by factor; ``row`` is "cell", or "row" if published.

    ``labels`` are a factor's levels as declared; ``chosen_on`` tells where the best is chosen.
    """

    columns: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    response: str
    chosen_on: str
    row: str
    lower_is_better: bool

    @classmethod
    def of(cls, study: StudyRows) -> "Words":
        """Read the words off a study."""
        columns = {factor.name: escape(factor.column) for factor in study.factors}
        response = escape(study.metric) if study.is_imported else f"{study.split} {escape(study.metric)}"
        chosen_on = " on dev" if study.has_test else ""
        labels = {factor.name: tuple(factor.levels) for factor in study.factors}
        return cls(columns, labels, response, chosen_on, "row" if study.is_imported else "cell", study.lower_is_better)

    def term(self, factors: Iterable[str]) -> str:
        """Spell a main effect or an interaction."""
        return " x ".join(self.columns[name] for name in factors)

    def change(self, level: str, reference: str) -> str:
        """Spell a step from the reference level."""
        return f"{_label(level)} instead of {_label(reference)}"

    def order(self, one: Comparison) -> tuple[int, ...]:
        """Sort conditions, and levels within them, as they were declared."""
        return tuple(self.labels[name].index(level) for name, level in [*one.given.items(), (one.factor, one.level)])

    def verdict(self, estimate: float) -> str:
        """Say whether a difference is for the better."""
        return "worse" if (estimate > 0) == self.lower_is_better else "better"

    def measure(self, one: "Effect | Comparison") -> str:
        """Spell a difference, its interval, and whether it is for the better or not found."""
        if one.estimate is None or one.interval is None:
            return ""
        found = self.verdict(one.estimate) if one.found else "not told from zero"
        return f"{signed(one.estimate)} ({_interval(one.interval)}), {found}"

    def alias(self, alias: Alias) -> str:
        """Spell what an effect cannot be told from."""
        return ("-" if alias.sign == -1 else "") + self.term(alias.factors)

    def said(self, analysis: EffectAnalysis) -> str:
        """Repeat why nothing could be tested."""
        return escape(analysis.why_not)

    def dropped(self, analysis: EffectAnalysis) -> str:
        """Count the runs without a result."""
        n_runs = analysis.n_dropped + analysis.n_copies + analysis.plan.n_runs
        have = "has" if analysis.n_dropped == 1 else "have"
        return f"{analysis.n_dropped} of {plural(n_runs, 'run')} {have} no finite result and are left out."


def _label(text: str) -> str:
    return escape(text) or "(empty)"


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
    return f"{interval[0]:+.4f} to {interval[1]:+.4f}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def headline(words: Words, analysis: EffectAnalysis, n_seeds: int | None) -> str:
    """Say which effects were found; else that none was, and what the design could have seen."""
    tested = f"{plural(analysis.plan.n_tests, 'effect')} tested on {words.response}"
    if analysis.found:
        names = _listed([words.term(effect.factors) for effect in analysis.found])
        return (
            f"**Found: {names}** ({len(analysis.found)} of {tested}). In parentheses are 95 % simultaneous intervals."
        )
    text = f"**No effect was found**: of {tested}, none is larger than chance explains."
    if analysis.smallest_effect is None:
        return text
    text += f" {_power_text(analysis)} One half as large would need "
    return text + (
        f"{plural(n_seeds, 'seed')} for every combination, the noise being what it is here."
        if n_seeds
        else "more than 10,000 seeds for every combination."
    )


def _power_text(analysis: EffectAnalysis) -> str:
    if analysis.smallest_effect is None:
        return ""
    return f"This design sees {least_text(analysis.plan)} of {size(analysis.smallest_effect)} with 80 % chance."


def no_conclusion_text(n_collapsed: int, n_runs: int) -> str:
    """Say why nothing is concluded from a study of which most runs are degenerate."""
    return (
        f"**No conclusion**: {n_collapsed} of the {plural(n_runs, 'run')} collapsed {COLLAPSED_MARK}, and differences "
        "between degenerate runs answer no question. Other settings (a smaller learning rate, a warm-up, more steps) "
        "may train where these did not."
    )


def collapsed_text(analysis: EffectAnalysis, n_collapsed: int) -> str:
    """Say that degenerate runs are counted like any other; empty without any."""
    if not n_collapsed:
        return ""
    n_runs = analysis.plan.n_runs + analysis.n_copies
    return (
        f"{n_collapsed} of the {plural(n_runs, 'run')} collapsed {COLLAPSED_MARK} and count like any other: what is "
        "found may be nothing but that, and what is not found hidden by it."
    )


def least_text(plan: PlannedTests) -> str:
    """Name what the smallest effect is an effect of."""
    return "a difference between two levels" if plan.correction is Correction.HOLM else "a main effect"


def found_lines(words: Words, analysis: EffectAnalysis) -> list[str]:
    """Spell every effect found: main effects, then the largest interactions by their conditions."""
    found = analysis.found
    main = [_main_line(words, analysis, effect) for effect in found if len(effect.factors) == 1]
    sets = [set(effect.factors) for effect in found]
    largest = [
        effect for effect in found if len(effect.factors) > 1 and not any(set(effect.factors) < other for other in sets)
    ]
    lines = main + [_interaction_line(words, analysis, effect) for effect in largest]
    return lines[:MOST] + ([f"and {len(lines) - MOST} more, in the table"] if len(lines) > MOST else [])


def _main_line(words: Words, analysis: EffectAnalysis, effect: Effect) -> str:
    (name,) = effect.factors
    inside = any(name in other.factors for other in analysis.found if len(other.factors) > 1)
    average = ", on average over what it interacts with" if inside else ""
    compared = [one for one in analysis.comparisons if one.factor == name]
    if compared:
        steps = [f"{words.change(one.level, one.reference)} {words.measure(one)}" for one in compared[:MOST]]
        return f"{words.columns[name]}: {'; '.join(steps)}{average}."
    step = _step(words, analysis, effect)
    return f"{words.columns[name]} {step}: {words.measure(effect)}{average}."


def _step(words: Words, analysis: EffectAnalysis, effect: Effect) -> str:
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
        return f"{words.term(effect.factors)}: the effect of each depends on the other."
    texts = []
    for one in shown[:MOST]:
        given = " and ".join(f"{words.columns[other]} {_label(level)}" for other, level in one.given.items())
        texts.append(f"with {given}, {words.change(one.level, one.reference)} is {words.measure(one)}")
    more = f"; and {len(shown) - MOST} more" if len(shown) > MOST else ""
    others = " and ".join(words.columns[other] for other in effect.factors if other != name)
    return f"{words.columns[name]} depends on {others}: {'; '.join(texts)}{more}."


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
        levels = "any level" if is_main else ", ".join(map(_label, effect.levels))
        if is_main and effect.levels:
            levels = _step(words, analysis, effect)
        rows.append([words.term(effect.factors), levels, *_numbers(effect)])
        rows += [["", words.change(one.level, one.reference), *_numbers(one)] for one in compared]
    return table(["effect", "levels", "estimate", "95 % interval", "adjusted p", "found"], rows)


def _numbers(one: Effect | Comparison) -> list[str]:
    estimate = "-" if one.estimate is None else signed(one.estimate)
    interval = "-" if one.interval is None else _interval(one.interval)
    p = decimals(one.adjusted_p) if one.adjusted_p >= 0.0001 else "below 0.0001"
    return [estimate, interval, p, "yes" if one.found else "no"]


def rest_text(analysis: EffectAnalysis) -> str:
    """Count what the table leaves out, and explain an interaction's estimate where it has one."""
    texts = []
    pairs = [effect for effect in analysis.effects if len(effect.factors) > 1]
    if any(effect.found and effect.estimate is not None for effect in pairs):
        texts.append("The estimate of an interaction is half of how much one effect changes with the other's level.")
    if n_rest := sum(not effect.found for effect in pairs):
        rest = "other interaction" if n_rest < len(pairs) else "interaction"
        were = "was tested and not" if n_rest == 1 else "were tested and none"
        texts.append(f"{plural(n_rest, rest)} {were} found.")
    if n_not := len(analysis.plan.not_tested):
        texts.append(f"{plural(n_not, 'interaction')} could not be tested: the rows do not tell them apart.")
    return " ".join(texts)


def noise_text(words: Words, analysis: EffectAnalysis) -> list[str]:
    """Say what the effects were held against, what that does not see, and what was left out or taken together."""
    plan = analysis.plan
    if plan.error is None or analysis.sd is None:
        return []
    meaning = escape(plan.error.meaning)
    if plan.error.kind is ErrorKind.INERT:
        meaning = meaning.replace(escape(", ".join(plan.inert)), ", ".join(words.columns[name] for name in plan.inert))
    about = "about " if plan.error.kind is ErrorKind.LENTH else ""
    text = f"{meaning} The standard deviation of a single run is {size(analysis.sd)}, "
    text += f"on {about}{df_text(plan.error.df)}. "
    text += f"It does not see {plan.error.blind_to}. {_correction_text(plan)}"
    if analysis.found:
        text += f" {_power_text(analysis)}"
    return [
        text,
        " ".join(escape(note) for note in plan.notes),
        _left_out(words, analysis),
        aliased(words, plan),
    ]


def df_text(df: float) -> str:
    """Spell degrees of freedom.

    >>> df_text(1), df_text(7 / 3)
    ('1 degree of freedom', '2.33 degrees of freedom')
    """
    return f"{df:.0f} degrees of freedom" if df >= 100 else f"{df:.3g} degree{'' if df == 1 else 's'} of freedom"


def _correction_text(plan: PlannedTests) -> str:
    how = {
        Correction.MAXIMUM: "the studentized maximum modulus",
        Correction.LENTH: "the simulated largest ratio to that error",
        Correction.HOLM: "Holm's method, intervals of differences by the studentized maximum modulus",
    }
    if plan.correction is None:
        return ""
    if plan.n_tests == 1:
        return "One test needs no correction: on pure noise, 5 % of such pages name an effect."
    return (
        f"Corrected for {plural(plan.n_tests, 'test')} by {how[plan.correction]}: on pure noise, 5 % of such pages "
        "name any effect."
    )


def _left_out(words: Words, analysis: EffectAnalysis) -> str:
    texts = [words.dropped(analysis)] if analysis.n_dropped else []
    if analysis.n_copies:
        texts.append(f"{plural(analysis.n_copies, 'result')} repeat another one exactly, and count once.")
    if analysis.plan.constant:
        names = _listed([words.columns[name] for name in analysis.plan.constant])
        texts.append(f"With results at one level only, nothing is known of {names}.")
    return " ".join(texts)


def aliased(words: Words, plan: PlannedTests) -> str:
    """Name what a fraction cannot tell apart; empty where nothing is."""
    if plan.words and plan.resolution is not None and plan.resolution > 4:
        products = _listed([words.term(word.factors) for word in plan.words])
        return (
            f"The rows are a fraction of resolution {plan.resolution}: {products} is constant, so an effect cannot be "
            "told from the interaction of the other factors named there."
        )
    same = [
        f"{words.term(term.factors)} = {' = '.join(map(words.alias, term.aliases))}"
        for term in plan.terms
        if term.aliases
    ]
    return f"These rows cannot tell apart: {_listed(same)}." if same else ""


def winner_text(words: Words, best: Winner, n_cells: int, n_rows: int, indexes: Mapping[int, str]) -> str:
    """Say which rows may be the best, and what to expect of the one that came out best."""
    names = [escape(indexes.get(place, str(place))) for place in best.candidates]
    first = f"{words.row} {escape(indexes.get(best.best, str(best.best)))}"
    if len(names) > 1:
        text = (
            f"{len(names)} of {plural(n_cells, words.row)} cannot be told from the best{words.chosen_on}, {first} "
            f"({decimals(best.mean)}): {words.row}s {_listed(names)}. With 95 % chance the truly best is among them."
        )
    else:
        text = f"{first.capitalize()} ({decimals(best.mean)}{words.chosen_on}) is told from all {n_cells - 1} others."
    if n_rows > n_cells:
        text += " Rows with the same levels count as one, named after the first of them, with their mean."
    if best.shrunken is not None:
        text += (
            f" The best of many is partly the luckiest: in new runs, expect about {decimals(best.shrunken)} of "
            f"{first}{words.chosen_on}: its result, shrunk towards what the effects found predict for it (without any, "
            "the common mean)."
        )
    return text
