"""The sentences about noise: what effects are held against, what that does not see, and what is not in it."""

from reports.formats.markdown import first_of, plural
from reports.language.say import enumerated, say, sentences
from reports.sections.effects_text import MOST, Words, power_text, size
from reports.sections.reasons_text import blind_to_text, error_text, note_text
from reports.statistics.results import Correction, EffectAnalysis, ErrorKind, PlannedTests


def noise_text(words: Words, analysis: EffectAnalysis) -> list[str]:
    """Say what the effects were held against, what that does not see, and what was left out or taken together."""
    plan = analysis.plan
    if plan.error is None or analysis.sd is None:
        return []
    df = df_text(plan.error.df)
    text = [
        error_text(plan, plan.error, enumerated(words.columns[name] for name in plan.inert)),
        say(
            "The standard deviation of a single run is {sd}, on {df}.",
            sd=size(analysis.sd),
            df=say("about {df}", df=df) if plan.error.kind is ErrorKind.LENTH else df,
        ),
        say("It does not see {blind_to}.", blind_to=blind_to_text(plan, plan.error)),
        _correction_text(plan),
        power_text(analysis) if analysis.found else "",
    ]
    return [
        sentences(text),
        sentences(map(note_text, plan.notes)),
        _left_out(words, analysis),
        aliased(words, plan),
    ]


def df_text(df: float) -> str:
    """Spell degrees of freedom.

    >>> df_text(1), df_text(7 / 3)
    ('1 degree of freedom', '2.33 degrees of freedom')
    """
    if df == 1:
        return say("1 degree of freedom")
    return say("{n} degrees of freedom", n=f"{df:.0f}" if df >= 100 else f"{df:.3g}")


def _correction_text(plan: PlannedTests) -> str:
    if plan.correction is None:
        return ""
    if plan.n_tests == 1:
        return say("One test needs no correction: on pure noise, 5 % of such pages name an effect.")
    methods = {
        Correction.MAXIMUM: say("the studentized maximum modulus"),
        Correction.LENTH: say("the simulated largest ratio to that error"),
        Correction.HOLM: say("Holm's method, intervals of differences by the studentized maximum modulus"),
    }
    return say(
        "Corrected for {tests} by {method}: on pure noise, 5 % of such pages name any effect.",
        tests=plural(plan.n_tests, "test"),
        method=methods[plan.correction],
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
