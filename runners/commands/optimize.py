"""``gridsearch optimize``: run the cells that Optuna proposes."""

import shlex
from pathlib import Path

from rich.console import Console

from gridsearch.study.study import Study
from reports.language.say import speaking
from reports.page import write_page
from reports.sections.search import terminal_text
from reports.study.read import read_study
from reports.texts_read import first_lines
from runners.backends.chosen import chosen_runner
from runners.cli import Arguments
from runners.driver import Driven, drive
from runners.programs.answer import Answer, lines
from runners.programs.driven import driven_facts
from runners.progress.live import Progress
from runners.provenance import describe_run
from runners.request import read_asked, settings_of
from runners.schedules.search import OptunaSearch
from runners.schedules.search_settings import parse_search
from runners.tracking.chosen import tracker_named


def run(arguments: Arguments) -> Answer:
    """Search, write the page, tell the best cells and the certificate."""
    result = optimize(arguments)
    study = Study(Path(arguments.study))
    with speaking(arguments.lang):
        page = write_page(study, arguments.lang)
        with study.open() as ledger:
            best = terminal_text(read_study(ledger))
    text = lines(best, page, f"study: {shlex.quote(str(study.folder))}", str(result))
    return Answer(driven_facts(study, result), text, result.exit_code)


def optimize(arguments: Arguments) -> Driven:
    """Search, and tell of it meanwhile; the folder that the study has stands under ``study`` then."""
    settings = settings_of(arguments)
    search = parse_search(arguments.sampler, arguments.pruner, arguments.objectives, arguments.trials, arguments.hours)
    opens = tracker_named(arguments.track)
    with speaking(arguments.lang):
        asked, runner = read_asked(arguments), chosen_runner(arguments)
        tracker = opens(asked.study)
        names: dict[str, str] = {}
        schedule = OptunaSearch(asked, asked.study, search, names)
        for line in first_lines(schedule.texts):
            print(line)
        return drive(
            schedule,
            asked.study,
            runner,
            settings,
            provenance=lambda: describe_run(["gridsearch", *arguments.words], runner.name),
            progress=Progress(asked.task.target, names, Console(highlight=False)),
            tracker=tracker,
        )
