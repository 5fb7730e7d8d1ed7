"""``gridsearch verify``: the coverage certificate."""

from pathlib import Path

from gridsearch.stage import short_id_of
from gridsearch.study.damage.judge import refuse_damaged
from gridsearch.study.lease import driver_elsewhere
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.study.survey import Coverage, Survey
from gridsearch.study.versions import caution_about
from runners.attending.wishing import told_skips
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, Arguments
from runners.programs.answer import Answer, lines
from runners.programs.facts import skip_facts
from runners.progress.words import rung_text


def run(arguments: Arguments) -> Answer:
    """Tell what failed for good, what is left out on purpose, and the certificate; exit 0 only when it is complete."""
    study = Study(Path(arguments.study))
    with study.open() as ledger:
        refuse_damaged(ledger.connection, ledger.path, "it is verified")
        study.refuse_no_trials(ledger)
        failures = [
            *(("trial", trial, kind, why) for trial, kind, why in ledger.final_failures()),
            *(("pretraining", stage, kind, why) for stage, kind, why in ledger.stages.attempts.final_failures()),
        ]
        skips, caution = told_skips(ledger), caution_about(ledger.connection)
        facts = {
            "study": study.folder,
            "failures": [{what: name, "kind": kind, "message": why} for what, name, kind, why in failures],
            "skipped": skip_facts(ledger),
            "caution": caution or None,
        }
        survey = ledger.survey()
        coverage = certificate(study, ledger, survey)
    text = lines(
        *(f"{_short(what, name)} failed ({kind}): {why}" for what, name, kind, why in failures),
        *skips,
        caution and f"caution: {caution}",
        "" if survey.standing is None else rung_text(survey.standing),
        str(coverage),
    )
    code = EXIT_DONE if coverage.complete else EXIT_INCOMPLETE
    return Answer({"complete": coverage.complete, "coverage": coverage.to_json(), **facts}, text, code)


def _short(what: str, name: str) -> str:
    return name[:8] if what == "trial" else f"pretraining {short_id_of(name)}"


def certificate(study: Study, ledger: Ledger, survey: Survey) -> Coverage:
    """Return how far a study is: what a dead driver left under way is to be run again."""
    is_driven = study.driver() or driver_elsewhere(ledger.connection)
    return survey.coverage if is_driven else survey.coverage.left_alone()
