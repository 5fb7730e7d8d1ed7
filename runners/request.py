"""From the words of a command to what they mean: space, task, encoder, study."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.files import BUILT_IN
from gridsearch.encoders.load import describe
from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.repetition import Division
from gridsearch.space.space import Space, load_space
from gridsearch.study.manifest import TrialsManifest
from gridsearch.study.stored_logits import refuse_unknown
from gridsearch.study.study import Study
from gridsearch.study.task_entry import entry_of
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.judging.with_metric import with_metric
from gridsearch.tasks.lengths import TaskLengths
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import DOCSTRINGS, WITHOUT_FILES, load_task, parse_task_file
from gridsearch.toml_file import read_toml_text
from runners.cli import Arguments
from runners.keeper import n_kept
from runners.lengths import lengths_of
from runners.precision import with_precision
from search_spaces import find_space, find_task, names_of_tasks

if TYPE_CHECKING:
    from runners.driver import Settings


@dataclass(frozen=True)
class Question:
    """A plan, the study it belongs to, and how everything was named: kept in the ledger, to be repeated from there."""

    plan: Plan
    study: Study
    sources: Mapping[str, object]


@dataclass(frozen=True)
class Asked:
    """What a command names: a space, a task, the study's folder, and how all of it was spelled.

    ``beside`` are the folders of encoders that the space names from where its file is.
    """

    space: Space
    task: AnyTask
    study: Study
    words: Mapping[str, object]
    beside: Mapping[str, str] = field(default_factory=dict)

    def describe(self, encoder: str) -> EncoderCard:
        """Tell what an encoder is."""
        return replace(describe(self._place_of(encoder), corpus=self.task.corpus), name=encoder)

    def lengths(self, card: EncoderCard) -> TaskLengths:
        """Count the tokens of the task's texts."""
        return lengths_of(card, self.task)

    def _place_of(self, encoder: str) -> str:
        return self.beside.get(encoder, encoder)

    def sources(self, cards: Mapping[str, EncoderCard]) -> dict[str, object]:
        """Say how everything was named, to be repeated from the ledger."""
        return {
            **self.words,
            "encoders": {_from_anywhere(self._place_of(name)): card.identity for name, card in cards.items()},
        }


def read_question(arguments: Arguments) -> Question:
    """Read space, task and encoder, and resolve every cell. Nothing is written."""
    asked = read_asked(arguments)
    plan = make_plan(asked.space, asked.task, asked.describe, asked.lengths)
    return Question(plan, asked.study, asked.sources(plan.cards))


def read_asked(arguments: Arguments) -> Asked:
    """Read space and task, and resolve nothing yet."""
    space = load_space(find_space(arguments.space))
    if arguments.model is not None and (factor := space.factor_of("encoder")) is not None:
        raise RequestError(f"factor {factor.name} names an encoder for every cell: leave --model out")
    given = fixed_knobs(arguments.set) | ({} if arguments.model is None else {"encoder": arguments.model})
    beside = _encoders_beside(space, find_space(arguments.space).parent, given)
    space = space.with_fixed(given)
    if arguments.seeds is not None:
        space = space.with_design(seeds=arguments.seeds)
    if arguments.folds is not None:
        space = space.with_design(folds=arguments.folds)
    if space.design.folds is not None and arguments.keep_logits == "none":
        raise RequestError("--keep-logits none: a result over folds is of all rows together, which takes logits")
    data_dir = Path(arguments.data_dir) if arguments.data_dir else None
    if data_dir is not None and not data_dir.is_dir():
        raise RequestError(f"--data-dir must be a folder, but there is none at {data_dir}")
    named = _task_named(arguments, space)
    task = divided(load_task(find_task(named), data_dir, arguments.train_rows), space.design.division)
    task = judged_by(task, metric_given(arguments))
    words = {
        "space": arguments.space,
        "task": _from_anywhere(named),
        "model": arguments.model,
        "set": arguments.set,
        "data_dir": arguments.data_dir and _from_anywhere(arguments.data_dir),
        "train_rows": arguments.train_rows,
        "columns": _columns(find_task(named), task),
        **({"ids": True} if task.ids else {}),
    }
    study = Study(_study_folder(arguments, space, task))
    return Asked(with_precision(space, study, lambda name: beside.get(name, name)), task, study, words, beside)


def _task_named(arguments: Arguments, space: Space) -> str:
    """Return the task that is meant: --task, else what the space names, else docstrings.

    A path in a space is looked for beside its file first, and then, like that of --task, from where the command runs.
    """
    if arguments.task is not None or space.task is None:
        return DOCSTRINGS if arguments.task is None else str(arguments.task)
    beside = find_space(arguments.space).parent / space.task
    return str(beside) if space.task not in names_of_tasks() and beside.is_file() else space.task


def _encoders_beside(space: Space, folder: Path, given: Mapping[str, Any]) -> dict[str, str]:
    """Find the encoders that a space names by a path from its own file; what is ``given`` is meant from elsewhere."""
    names = [name for name in space.values_of("encoder") if name not in (*BUILT_IN, given.get("encoder"))]
    return {name: str(folder / name) for name in names if (folder / name).is_dir()}


def _study_folder(arguments: Arguments, space: Space, task: AnyTask) -> Path:
    if not arguments.study:
        # A study may grow by an encoder, and stays where it is.
        first, *others = space.values_of("encoder")
        name = f"{space.name}-{task.name}-{'encoders' if others else Path(first).name}"
        arguments.study = str(Path("studies") / name)  # whatever goes wrong from here on is told of this folder
    return Path(arguments.study)


def _from_anywhere(name: str) -> str:
    """Spell a file or folder so that a later command finds it from another place; other names stay as they are."""
    path = Path(name).expanduser()
    return str(path.resolve()) if path.exists() and name not in (*names_of_tasks(), *BUILT_IN) else name


def _columns(path: Path, task: AnyTask) -> dict[str, Any]:
    """Return where a task's files have their texts, so that `predict` reads new ones alike; of parts by part."""
    if str(path) in WITHOUT_FILES:
        columns = {name: _columns_without_file(part) for name, part in task.parts.items()}
    else:
        file = parse_task_file(read_toml_text(path), path.name)
        columns = {name: part.columns for name, part in file.parts.items()}
    dumped = {name: one.model_dump() for name, one in columns.items()}
    return dumped if isinstance(task, JointTask) else next(iter(dumped.values()))


def _columns_without_file(task: Task) -> Columns:
    """Return where a file of new rows has its texts, for a task that has none of its own."""
    return Columns(header=False, text=0, **({"label": 1} if task.kind == "single" else {"pair": 1, "label": 2}))


def fixed_knobs(settings: list[str]) -> dict[str, Any]:
    """Read ``knob=value`` texts; a value is spelled as in TOML, and a bare word is a text."""
    knobs = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise RequestError(f"--set takes KNOB=VALUE, but got {setting!r}")
        try:
            knobs[name.strip()] = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            knobs[name.strip()] = text.strip()
    return knobs


def divided(task: AnyTask, division: Division | None) -> AnyTask:
    """Return the task as its rows are divided into folds; RequestError where nothing would judge its runs."""
    if division is not None:
        return with_folds(task, division)
    for name, part in task.parts.items():
        if not len(part.dev):
            is_one = isinstance(task, Task)
            who, section = (task.name, "[files]") if is_one else (f"{task.name}, part {name}", "[parts.files]")
            remedy = f"give dev a file or a share under {section}, or divide the rows: --folds 5"
            raise RequestError(f"{who} has no dev rows, by which runs are judged; {remedy}")
    return task


def metric_given(arguments: Arguments) -> OwnMetric | None:
    """Return the function that judges: no command has one, it comes from Python, as ``arguments.metric``."""
    found: OwnMetric | None = getattr(arguments, "metric", None)
    return found


def judged_by(task: AnyTask, metric: OwnMetric | None) -> AnyTask:
    """Return the task with a metric that is the user's own function, if there is one; RequestError where it fails."""
    return task if metric is None else with_metric(task, metric)


def settings_of(arguments: Arguments) -> "Settings":
    """Read how trials are executed and what is kept. Raises RequestError for words that are unknown."""
    from runners.driver import Settings  # with it comes torch, which a plan does without

    n_kept(arguments.keep)
    refuse_unknown(arguments.keep_logits)
    return Settings(
        arguments.threads,
        arguments.keep,
        arguments.keep_logits,
        arguments.retry_failed,
        arguments.time_limit,
        train_metric=arguments.train_metric,
    )


def reload_task(manifest: TrialsManifest, metric: OwnMetric | None = None) -> AnyTask:
    """Read the task of a study again, with the function that judges it, where one does.

    Raises RequestError when its rows are no longer the same, or the function is not at hand.
    """
    if (own := manifest.task.own_metric) is not None and metric is None:
        raise RequestError(f"nothing can be trained for this study from here: {own.only_from_python}")
    sources = manifest.sources
    data_dir = Path(sources["data_dir"]) if sources["data_dir"] else None
    task = divided(load_task(find_task(sources["task"]), data_dir, sources["train_rows"]), manifest.division)
    task = judged_by(task, metric)
    if own is not None and isinstance(task, Task) and entry_of(task).own_metric != own:
        raise RequestError(f"the metric {own.name} is no longer the function that the study was made with")
    if task.fingerprint != manifest.task.fingerprint:
        raise RequestError(f"the rows of task {sources['task']} are no longer those that the study was made with")
    return task
