"""The sentences for what the statistics give as reasons, kinds of error and notes; and their numbers for JSON."""

from dataclasses import asdict
from typing import Any

from reports.language.say import enumerated, say
from reports.statistics.observational import Regression
from reports.statistics.results import EffectAnalysis, ErrorKind, ErrorTerm, Note, PlannedTests, Reason


def why_not_text(reason: Reason, plan: PlannedTests) -> str:
    """Say why nothing can be tested; empty where something can."""
    match reason:
        case Reason.NO_RESULT:
            return say("There is no result.")
        case Reason.ONE_RESULT:
            return say("There is one result: nothing to compare it with.")
        case Reason.NO_FACTOR:
            return say("No factor that can act has results at two levels.")
        case Reason.NONE_REPEATED:
            return say(
                "{runs} runs in {cells} cells, and none is repeated: nothing says how far two runs differ by chance "
                "alone, so no difference can be tested. Run every cell with two seeds or more.",
                runs=plan.n_runs,
                cells=plan.n_cells,
            )
        case Reason.FEW_REPEATED:
            return say(
                "{runs} runs in {cells} cells: what their repetitions tell of how far two runs differ by chance alone "
                "is too little to test a difference against. Run every cell with one more seed, or more cells with "
                "two seeds or more.",
                runs=plan.n_runs,
                cells=plan.n_cells,
            )
        case Reason.ALL_SAME:
            return say("All results are the same: there is no noise to test against, and no effect.")
        case Reason.NO_NOISE:
            return say(
                "The estimated noise is zero: repeated or pooled values agree exactly, so nothing can be tested."
            )
    return ""


def no_regression_text(reason: Reason) -> str:
    """Say why no regression can be made; empty where one can."""
    match reason:
        case Reason.NO_RESULT | Reason.ONE_RESULT:
            return say("There are fewer than two results.")
        case Reason.NO_FACTOR:
            return say("No factor varies over the rows with a result.")
        case Reason.NO_ROOM:
            return say("Too few results for so many levels: nothing is left to estimate the noise from.")
        case Reason.ALL_SAME:
            return say("All results are the same.")
    return ""


def error_text(plan: PlannedTests, error: ErrorTerm, inert: str, run: str) -> str:
    """Say what effects are held against; ``inert`` names factors that cannot act, ``run`` what tells runs apart."""
    match error.kind:
        case ErrorKind.INERT:
            return say(
                "Pure error: runs that differ only in factors that cannot act ({names}), so only by chance.",
                names=inert,
            )
        case ErrorKind.REPLICATES:
            if plan.n_blocks > 1:
                return say(
                    "Pure error: how differently the cells react to a change of {seed}, after taking off what a {seed} "
                    "does to all cells alike.",
                    seed=run,
                )
            return say("Pure error: how much runs of the same cell differ.")
        case ErrorKind.SPARSE:
            return say(
                "No run is repeated: noise is what most of the {n} contrasts of the cells show, supposing that few of "
                "them are real.",
                n=f"{error.df:.0f}",
            )
    return say(
        "No run is repeated often enough: {pooled}{also} are pooled, as if they were nothing but noise.",
        pooled=say(error.kind.value),
        also=say(" and the few replicates") if error.with_replicates else "",
    )


def blind_to_text(plan: PlannedTests, error: ErrorTerm, run: str) -> str:
    """Name what the error does not see; ``run`` is what tells runs of a cell apart."""
    match error.kind:
        case ErrorKind.REPLICATES if plan.n_blocks > 1:
            if run != say("seed"):
                return say("what all folds share: most of their training rows, which other samples of rows would not")
            return say("what all seeds share: the split of the data, and one test set")
        case ErrorKind.REPLICATES | ErrorKind.INERT:
            return say("what all runs share: the split of the data, and one test set")
        case ErrorKind.SPARSE:
            return say(
                "what the {seed} does to all cells alike; and if many effects are real they pass for noise", seed=run
            )
    return say(
        "what the {seed} does to all cells alike; and a real interaction among the pooled ones hides other effects",
        seed=run,
    )


def note_text(note: Note, run: str) -> str:
    """Say what the tests cannot bear; ``run`` is what tells runs of a cell apart."""
    if note is Note.NO_SEED_NOISE:
        return say(
            "With one {seed} the 95 % are no promise: where runs are alike across most factors, a page of pure noise "
            "names an effect in up to one case of three. A second {seed} would tell.",
            seed=run,
        )
    return say(
        "Only main effects are tested: these rows cannot tell interactions from one another or from noise. A main "
        "effect here is right only if the factors do not interact."
    )


def effects_numbers(analysis: EffectAnalysis, run: str) -> dict[str, Any]:
    """Return an analysis for JSON, with its reasons spelled out; ``run`` is what tells runs of a cell apart."""
    plan, numbers = analysis.plan, asdict(analysis)
    run = say("fold") if analysis.n_averaged else run
    numbers["why_not"] = why_not_text(analysis.why_not, plan)
    numbers["plan"]["why_not"] = why_not_text(plan.why_not, plan)
    numbers["plan"]["notes"] = [note_text(note, run) for note in plan.notes]
    if plan.error is not None:
        numbers["plan"]["error"] = {
            "kind": plan.error.kind,
            "df": plan.error.df,
            "meaning": error_text(plan, plan.error, enumerated(plan.inert), run),
            "blind_to": blind_to_text(plan, plan.error, run),
        }
    return numbers


def regression_numbers(found: Regression) -> dict[str, Any]:
    """Return a regression for JSON, with its reason spelled out."""
    return asdict(found) | {"why_not": no_regression_text(found.why_not)}
