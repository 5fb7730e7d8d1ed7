"""The Python API, as `import gridsearch` gives it: what the commands of the same names do, with tables for results."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from gridsearch.errors import GridSearchError, RequestError
from gridsearch.planning.halving import halved
from gridsearch.study.study import Study
from gridsearch.tasks.judging.own_metric import OwnMetric as Metric
from runners.api.calls import OptimizeOptions, PlanOptions, SweepOptions, arguments_of, called
from runners.api.given import given_in_scratch, given_in_study
from runners.api.guessed import task
from runners.api.loaded import LoadedStudy, load
from runners.api.planned import Planned

if TYPE_CHECKING:
    from runners.api.tables import AnyTable
    from runners.cli import Arguments
    from runners.driver import Driven

    AnySpace = str | Path | Mapping[str, object]
    AnyTask = str | Path | Mapping[str, object] | AnyTable

__all__ = [
    "GridSearchError",
    "LoadedStudy",
    "Metric",
    "Planned",
    "RequestError",
    "load",
    "optimize",
    "plan",
    "sweep",
    "task",
]


def plan(
    space: "AnySpace",
    *,
    task: "AnyTask | None" = None,
    model: str | None = None,
    metric: Metric | None = None,
    **options: Unpack[PlanOptions],
) -> Planned:
    """Return the cells and trials of a space; nothing is trained and nothing is written.

    ``space`` is the name of a built-in one, the path of a TOML file, or a mapping with the keys of such a file
    (docs/spaces.md). ``task`` is the name of a built-in one, the path of a TOML file, a mapping with the keys of such a
    file (docs/tasks.md) whose files may be tables, what :func:`task` returns, or a table: a DataFrame, a Dataset or
    DatasetDict of Hugging Face, an Arrow table, a list of dicts, a mapping of "train", "dev" and "test" to such.
    ``metric`` is a function of your own to judge by. ``options`` are those of the command ``gridsearch plan``:
    ``seeds=[0, 1]``, ``set={"epochs": 2}``.

    Raises RequestError, with one sentence, for whatever is wrong with them.
    """
    from runners.commands.plan import checked, lines_of

    with called() as call, given_in_scratch(space, task) as given:
        words = {"task": given.task, "model": model, **options}
        arguments = call.arguments = arguments_of("plan", [given.space], words, metric)
        question = checked(arguments)
        asked = question.plan if arguments.halving is None else halved(question.plan, arguments.halving)
        return Planned(asked, lines_of(question, arguments))


def sweep(
    space: "AnySpace",
    *,
    task: "AnyTask | None" = None,
    model: str | None = None,
    study: str | Path | None = None,
    metric: Metric | None = None,
    **options: Unpack[SweepOptions],
) -> LoadedStudy:
    """Run every trial that the study lacks, and return the study: calling it again is resuming it.

    ``space``, ``task`` and ``metric`` are those of :func:`plan`. What is given in Python is kept in the ``study``'s
    folder, which has to be named then: so `gridsearch rerun`, `predict` and the same sweep from a terminal find it
    again. ``options`` are those of the command ``gridsearch sweep``: ``workers=2``, ``runner="serial"``,
    ``keep="best"``.

    Raises RequestError, with one sentence, for whatever is wrong with them; KeyboardInterrupt when it is interrupted:
    what is finished stays.
    """
    from runners.commands.sweep import sweep as run

    return _driven("sweep", run, space, task, study, metric, {"model": model, **options})


def optimize(
    space: "AnySpace",
    *,
    task: "AnyTask | None" = None,
    model: str | None = None,
    study: str | Path | None = None,
    metric: Metric | None = None,
    **options: Unpack[OptimizeOptions],
) -> LoadedStudy:
    """Run the cells that Optuna proposes on this machine, and return the study: calling it again goes on.

    What is given is what :func:`sweep` takes, and the options of the command ``gridsearch optimize``: ``trials=40`` in
    the study altogether, ``sampler="tpe"``, ``pruner="median"``. Raises what :func:`sweep` does.
    """
    from runners.commands.optimize import optimize as run

    return _driven("optimize", run, space, task, study, metric, {"model": model, **options})


def _driven(
    command: str,
    run: "Callable[[Arguments], Driven]",
    space: "AnySpace",
    task: "AnyTask | None",
    study: str | Path | None,
    metric: Metric | None,
    options: Mapping[str, object],
) -> LoadedStudy:
    from reports.page import write_page

    with called(study) as call, given_in_study(space, task, study) as given:
        words = {"task": given.task, "study": study, **options}
        arguments = call.arguments = arguments_of(command, [given.space], words, metric)
        try:
            driven = run(arguments)
        except KeyboardInterrupt:
            print("interrupted: what is finished is kept, and the same call goes on from here")
            raise
        write_page(Study(Path(arguments.study)), arguments.lang)
    print(driven)
    return load(arguments.study)
