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
from runners.progress.words import rung_text


def run(arguments: Arguments) -> int:
    """Print what failed for good, what is left out on purpose, and the certificate; exit 0 only when it is complete."""
    study = Study(Path(arguments.study))
    with study.open() as ledger:
        refuse_damaged(ledger.connection, ledger.path, "it is verified")
        study.refuse_no_trials(ledger)
        for trial_id, kind, message in ledger.final_failures():
            print(f"{trial_id[:8]} failed ({kind}): {message}")
        for stage_id, kind, message in ledger.stages.attempts.final_failures():
            print(f"pretraining {short_id_of(stage_id)} failed ({kind}): {message}")
        for line in told_skips(ledger):
            print(line)
        if caution := caution_about(ledger.connection):
            print(f"caution: {caution}")
        survey = ledger.survey()
        coverage = certificate(study, ledger, survey)
    if survey.standing is not None:
        print(rung_text(survey.standing))
    print(coverage)
    return EXIT_DONE if coverage.complete else EXIT_INCOMPLETE


def certificate(study: Study, ledger: Ledger, survey: Survey) -> Coverage:
    """Return how far a study is: what a dead driver left under way is to be run again."""
    is_driven = study.driver() or driver_elsewhere(ledger.connection)
    return survey.coverage if is_driven else survey.coverage.left_alone()
