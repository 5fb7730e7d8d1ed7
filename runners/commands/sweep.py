"""``gridsearch sweep``: run what the ledger lacks."""

import shlex
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from gridsearch.planning.halving import halved
from gridsearch.planning.rates import rate_warnings
from gridsearch.study.study import Study
from reports.language.say import speaking
from reports.texts_read import first_lines, text_cautions
from runners.backends.chosen import chosen_runner
from runners.cli import Arguments
from runners.driver import Driven, Settings, drive
from runners.pricing.forecast import foreseen
from runners.programs.answer import Answer, lines
from runners.programs.driven import driven_facts
from runners.progress.live import Progress
from runners.provenance import ONLY_FOLDS, describe_run
from runners.request import Question, read_question, settings_of
from runners.schedules.rounds import Rounds, trials_of_folds
from runners.tracking.chosen import tracker_named


def run(arguments: Arguments) -> Answer:
    """Sweep, write the page, tell the table and the certificate."""
    result = sweep(arguments)
    study = Study(Path(arguments.study))
    with speaking(arguments.lang):
        shown = _shown(study, arguments.lang)
    return Answer(driven_facts(study, result), lines(shown, str(result)), result.exit_code)


def sweep(arguments: Arguments) -> Driven:
    """Run what the study lacks, and tell of it meanwhile; the folder that it has stands under ``study`` then."""
    settings = settings_of(arguments)
    with speaking(arguments.lang):
        return _swept(arguments, settings)


def _swept(arguments: Arguments, settings: Settings) -> Driven:
    opens = tracker_named(arguments.track)
    question = read_question(arguments)
    if arguments.halving is not None:
        question = replace(question, plan=halved(question.plan, arguments.halving))
    runner = chosen_runner(arguments)
    tracker = opens(question.study)
    for line in first_lines(question.plan.texts):
        print(line)
    console = Console(highlight=False)
    plan = question.plan
    names = {trial.id: cell.name_of(trial) for cell in reversed(plan.cells) for trial in cell.trials}
    if plan.halving is not None:
        print(f"successive halving: {plan.halving.text(*plan.times)}")
    progress = Progress(plan.task.target, names, console)

    def begun() -> dict[str, object]:
        """Warn when it has become clear that something is run, and say how."""
        for warning in rate_warnings(plan):
            progress.say(f"warning: {warning}")
        for text in text_cautions(plan.texts, "mild"):
            progress.say(f"caution: {text}")
        asked = {} if arguments.only_folds is None else {ONLY_FOLDS: arguments.only_folds}
        return describe_run(["gridsearch", *arguments.words], runner.name) | asked | _foreseen(question, arguments)

    return drive(
        Rounds(plan, question.study, question.sources, trials_of_folds(plan, arguments.only_folds)),
        question.study,
        runner,
        settings,
        provenance=begun,
        progress=progress,
        tracker=tracker,
    )


def _foreseen(question: Question, arguments: Arguments) -> dict[str, object]:
    """Predict the trials that are left to run, just before they are; a price is of whole trials, not of rungs."""
    if question.plan.halving is not None:
        return {}
    with question.study.open() as ledger:
        due = ledger.pending() & trials_of_folds(question.plan, arguments.only_folds)
        return foreseen(question.plan, due, arguments)


def _shown(study: Study, language: str) -> str:
    from reports.page import terminal_table, write_page

    page = write_page(study, language)
    with study.open() as ledger:
        return lines(terminal_table(ledger), page, f"study: {shlex.quote(str(study.folder))}")
