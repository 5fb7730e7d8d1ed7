"""``gridsearch sweep``: run what the ledger lacks."""

import shlex
import sys

from rich.console import Console

from gridsearch.errors import RequestError
from reports.language import speaking
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, Arguments
from runners.contract import Runner
from runners.driver import sweep
from runners.keeper import n_kept
from runners.progress import Progress
from runners.provenance import describe_run
from runners.request import Question, read_question


def run(arguments: Arguments) -> int:
    """Sweep, write the page, print the table and the certificate."""
    n_kept(arguments.keep)
    with speaking(arguments.lang):
        return _sweep_and_show(arguments)


def _sweep_and_show(arguments: Arguments) -> int:
    question = read_question(arguments)
    runner = _runner(arguments)
    console = Console(highlight=False)
    plan = question.plan
    names = {
        trial.id: f"cell {cell.index}" + (f", seed {trial.seed}" if len(cell.trials) > 1 else "")
        for cell in reversed(plan.cells)
        for trial in cell.trials
    }
    result = sweep(
        plan,
        question.study,
        runner,
        sources=question.sources,
        provenance=lambda: describe_run(["gridsearch", *sys.argv[1:]], arguments.runner),
        progress=Progress(plan.task.metric, names, console),
        threads=arguments.threads,
        keep=arguments.keep,
        retry_failed=arguments.retry_failed,
    )
    _show(question, arguments.lang)
    if result.stopped:
        print(f"stopped: {result.stopped}")
    print(result.coverage)
    return EXIT_DONE if result.coverage.complete else EXIT_INCOMPLETE


def _show(question: Question, language: str) -> None:
    from reports.page import terminal_table, write_reports

    pages = write_reports(question.study, None, ["md"], language)
    with question.study.open() as ledger:
        print(terminal_table(ledger))
    print(f"page: {pages[0]}")
    print(f"study: {shlex.quote(str(question.study.folder))}")


def _runner(arguments: Arguments) -> Runner:
    if arguments.workers is not None and arguments.workers < 1:
        raise RequestError(f"--workers must be at least 1, but is {arguments.workers}")
    if arguments.threads < 1:
        raise RequestError(f"--threads must be at least 1, but is {arguments.threads}")
    if arguments.gpus_per_trial is not None and not 0 <= arguments.gpus_per_trial <= 1:
        raise RequestError(f"--gpus-per-trial must be between 0 and 1, but is {arguments.gpus_per_trial:g}")
    if arguments.runner == "ray":
        from runners.ray_tune import RayRunner

        return RayRunner(arguments.workers, arguments.gpus_per_trial, arguments.address, arguments.threads)
    for option in ("workers", "gpus_per_trial", "address"):
        if getattr(arguments, option) not in (None, 1):
            raise RequestError(f"--{option.replace('_', '-')} has no meaning for --runner serial")
    from runners.serial import SerialRunner

    return SerialRunner()
