"""The sentences about noise: what effects are held against, what that does not see, and what is not in it."""

from reports.formats.markdown import first_of, plural
from reports.language.say import enumerated, say, sentences
from reports.sections.effects.effects_text import MOST, Words, power_text, signed, size, tested_run_word
from reports.sections.effects.reasons_text import blind_to_text, error_text, note_text
from reports.statistics.results import EffectAnalysis, Likeness, PlannedTests


def noise_text(words: Words, analysis: EffectAnalysis) -> list[str]:
    """Say what the effects were held against, what that does not see, and what was left out or taken together."""
    plan = analysis.plan
    if plan.error is None or analysis.sd is None:
        return []
    run = tested_run_word(words, analysis)
    text = [
        _averaged_text(analysis),
        error_text(plan, plan.error, enumerated(words.columns[name] for name in plan.inert), run),
        say("The standard deviation of a single run is {sd}.", sd=size(analysis.sd)),
        say("It does not see {blind_to}.", blind_to=blind_to_text(plan, plan.error, run)),
        _family_text(plan),
        power_text(analysis) if analysis.found else "",
    ]
    return [
        sentences(text),
        sentences(note_text(note, run) for note in plan.notes),
        sentences([_likeness_text(words, analysis), _unequal_text(words, analysis)]),
        _left_out(words, analysis),
        aliased(words, plan),
    ]


def _averaged_text(analysis: EffectAnalysis) -> str:
    """Say that several seeds were taken together, and why."""
    if not analysis.n_averaged:
        return ""
    return say(
        "Some cells do better in some folds than in others, whatever the seed: in each fold, the mean over seeds "
        "counts as one run."
    )


ALIKE = 0.3
"""A correlation from which on runs are said to be alike."""


def _likeness_text(words: Words, analysis: EffectAnalysis) -> str:
    """Say how much of their noise runs of one seed share, factor by factor, and which factors change hardly any."""
    known = [one for one in analysis.likeness if one.correlation is not None]
    alike = sorted((one for one in known if _share(one) >= ALIKE), key=lambda one: -_share(one))
    texts = []
    if alike:
        named = (f"{words.columns[one.factor]} {_share(one):.2f}" for one in alike)
        texts.append(
            say(
                "Runs of one {seed} share a part of their noise where they differ in one of these factors alone "
                "(0: nothing, 1: all): {named}; for the others it is below {limit}.",
                seed=tested_run_word(words, analysis),
                named=enumerated(named),
                limit=ALIKE,
            )
            if len(alike) < len(known)
            else say(
                "Runs of one {seed} share a part of their noise where they differ in one factor alone (0: nothing, "
                "1: all): {named}.",
                seed=tested_run_word(words, analysis),
                named=enumerated(named),
            )
        )
    elif known:
        texts.append(
            say(
                "Runs of one {seed} that differ in one factor alone share less than {limit} of their noise.",
                seed=tested_run_word(words, analysis),
                limit=ALIKE,
            )
        )
    texts += [_next_to_nothing(words, one, analysis.sd or 0.0) for one in changes_nothing(analysis)]
    return sentences(texts)


def _share(one: Likeness) -> float:
    return one.correlation or 0.0


def changes_nothing(analysis: EffectAnalysis) -> list[Likeness]:
    """The factors in no effect found, of which no pair of runs differs by half of what chance does to one run."""
    found = {name for effect in analysis.found for name in effect.factors}
    limit = (analysis.sd or 0.0) / 2
    return [one for one in analysis.likeness if one.n_pairs > 1 and one.factor not in found and one.largest <= limit]


def _next_to_nothing(words: Words, one: Likeness, sd: float) -> str:
    column = words.columns[one.factor]
    if not one.largest:
        return say("{column} changes nothing: all {n} pairs of runs are equal.", column=column, n=one.n_pairs)
    return say(
        "{column} changes next to nothing: of {n} pairs of runs that differ in it alone, {equal} are equal; the mean "
        "difference is {mean}, the largest {largest}, less than half of that standard deviation ({sd}).",
        column=column,
        n=one.n_pairs,
        equal=one.n_equal,
        mean=signed(one.mean),
        largest=size(one.largest),
        sd=size(sd),
    )


def _unequal_text(words: Words, analysis: EffectAnalysis) -> str:
    """Say where runs differ most and least, and that errors are those of the group."""
    found = analysis.unequal
    if found is None:
        return ""
    (noisy, most), (quiet, least) = found.groups[0], found.groups[-1]
    return say(
        "Noise is unequal: the standard deviation of a run is {most} with {noisy}, but {least} with {quiet}. What is "
        "said of a part of the rows is held against the noise of that part.",
        most=size(most),
        noisy=words.given(noisy),
        least=size(least),
        quiet=words.given(quiet),
    )


def df_text(df: float) -> str:
    """Spell degrees of freedom.

    >>> df_text(1), df_text(7 / 3)
    ('1 degree of freedom', '2.33 degrees of freedom')
    """
    if df == 1:
        return say("1 degree of freedom")
    return say("{n} degrees of freedom", n=f"{df:.0f}" if df >= 100 else f"{df:.3g}")


def _family_text(plan: PlannedTests) -> str:
    if plan.n_contrasts == 1:
        return say("On pure noise, 5 % of such pages name an effect.")
    return say(
        "All that is said of effects is one family of statements: on pure noise, 5 % of such pages name any effect."
    )


def dropped_text(analysis: EffectAnalysis) -> str:
    """Count the runs without a result; empty where all have one."""
    if not analysis.n_dropped:
        return ""
    runs = plural(analysis.n_dropped + analysis.n_results, "run")
    if analysis.n_dropped == 1:
        return say("1 of {runs} has no finite result and is left out.", runs=runs)
    return say("{n} of {runs} have no finite result and are left out.", n=analysis.n_dropped, runs=runs)


def _left_out(words: Words, analysis: EffectAnalysis) -> str:
    texts = [dropped_text(analysis)]
    if analysis.n_copies:
        results = plural(analysis.n_copies, "result")
        texts.append(say("{results} repeat another one exactly, and count once.", results=results))
    if analysis.plan.constant:
        names = first_of([words.columns[name] for name in analysis.plan.constant], MOST)
        texts.append(say("With results at one level only, nothing is known of {names}.", names=names))
    return sentences(texts)


def aliased(words: Words, plan: PlannedTests) -> str:
    """Name what a fraction cannot tell apart; empty where nothing is."""
    if plan.words and plan.resolution is not None and plan.resolution > 4:
        return say(
            "The rows are a fraction of resolution {n}: {products} is constant, so an effect cannot be told from the "
            "interaction of the other factors named there.",
            n=plan.resolution,
            products=first_of([words.term(word.factors) for word in plan.words], MOST),
        )
    same = [
        f"{words.term(term.factors)} = {' = '.join(map(words.alias, term.aliases))}"
        for term in plan.terms
        if term.aliases
    ]
    return say("These rows cannot tell apart: {terms}.", terms=first_of(same, MOST)) if same else ""
