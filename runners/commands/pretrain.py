"""``gridsearch pretrain``: an encoder that has read a task's texts, or those of files, as a folder for ``--model``."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.load import describe
from gridsearch.encoders.pretraining.made import find
from gridsearch.errors import GridSearchError, RequestError, one_of
from gridsearch.planning.plan import ExcludedCell
from gridsearch.planning.planner import Planner, refuse_dead
from gridsearch.recipe.prefixes import PREFIXES
from gridsearch.recipe.pretraining.knobs import PREFIX
from gridsearch.recipe.recipe import Recipe
from gridsearch.space.design import Design
from gridsearch.space.space import Space
from gridsearch.stage import LogPoint, Stage
from gridsearch.study.study import Study
from gridsearch.tasks.corpus import corpus_of_files
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.execution import Execution
from gridsearch.whole_file import new_folder, refuse_to_replace
from reports.formats.markdown import seconds_text
from runners.cli import Arguments
from runners.lengths import lengths_of
from runners.materials import materials_on_demand
from runners.precision import with_precision
from runners.pretrain_here import pretrain_here
from runners.programs.answer import Answer, lines
from runners.progress.live import Progress
from runners.request import fixed_knobs
from search_spaces import find_task, names_of_tasks

SHORTEST = 4
OTHER_KNOBS = ("precision",)
"""Knobs of a fine-tune that a pretraining has too."""


def run(arguments: Arguments) -> Answer:
    """Pretrain, and write the folder."""
    folder = Path(arguments.output)
    refuse_to_replace(folder, force=arguments.force)
    task = _task(arguments)
    starts: dict[str, EncoderCard] = {}
    stage = _stage(arguments, task, starts)
    console = Console(highlight=False)
    progress = Progress(task.target, {}, console)
    materials = materials_on_demand(task, starts, progress.say)
    progress.say(f"pretraining {stage.short_id}: {stage.last_step:,} steps on {len(materials.corpus_of(stage)):,} rows")
    execution = Execution(threads=arguments.threads, time_limit=arguments.time_limit)
    progress.begin_stage(stage)
    try:
        outcome = pretrain_here(stage, materials, execution, lambda point: progress.stage_logged(stage.id, point))
    finally:
        progress.close()
    made = find(stage.id)
    if made is None:
        raise GridSearchError("what the pretraining made is not in the cache: was it emptied meanwhile?")
    with new_folder(folder) as draft:
        for name, content in made.files().items():
            (draft / name).write_bytes(content)
    metric, zero_shot = task.target.name, None
    if outcome.zero_shot is not None:
        zero_shot = outcome.zero_shot[metric]
    text = lines(
        _told(stage, outcome.log, outcome.run_seconds, found=outcome.found),
        "" if zero_shot is None else f"{metric} on dev without fine-tuning: {zero_shot:.4f}",
        f"encoder: {shlex.quote(str(folder))} (sweep with --model {shlex.quote(str(folder))})",
    )
    facts = {
        "encoder": folder,
        "pretraining": stage.id,
        "found": outcome.found,
        "steps": stage.last_step,
        "seconds": outcome.run_seconds,
        "log": outcome.log,
        "zero_shot": zero_shot,
    }
    return Answer(facts, text)


def _told(stage: Stage, log: Iterable[LogPoint], seconds: float, *, found: bool) -> str:
    last = list(log)[-1:]
    loss = f", loss {last[0].loss:.4f} at the end" if last else ""
    made = "made before and taken from the cache" if found else "done"
    return f"pretraining {stage.short_id} {made}: {stage.last_step:,} steps, {seconds_text(seconds)}{loss}"


def _task(arguments: Arguments) -> AnyTask:
    """Read a task, or make one without labels of the texts in files."""
    sources = arguments.sources
    if len(sources) == 1 and (sources[0] in names_of_tasks() or Path(sources[0]).suffix == ".toml"):
        return load_task(find_task(sources[0]), Path(arguments.data_dir) if arguments.data_dir else None)
    paths = [Path(source) for source in sources]
    for path in paths:
        if not path.is_file():
            what = "a task (a built-in name, or a TOML file) or files of texts"
            raise RequestError(f"what is read must be {what}, but there is no file {str(path)!r}")
    corpus = corpus_of_files(paths)
    train = Split(corpus.texts, tuple(0 for _ in corpus.texts))
    return Task("texts", "single", "accuracy", ("text",), train, Split((), ()))


def _stage(arguments: Arguments, task: AnyTask, starts: dict[str, EncoderCard]) -> Stage:
    """Resolve the knobs as those of a sweep's cell. Raises RequestError for what is wrong with them."""
    fixed = fixed_knobs(arguments.set)
    known = [name for name in Recipe.model_fields if name.startswith(PREFIXES)] + list(OTHER_KNOBS)
    for name in fixed:
        if name not in known:
            raise RequestError(f"--set: {one_of('knob of a pretraining', name, known)}")
    if fixed.get("pretraining.objective") == "none":
        raise RequestError("pretraining.objective must be a pretraining's, such as mlm, but is none")
    # No trial reads anything; the default of its longest length might be too long for the encoder.
    values = {PREFIX + "objective": "mlm", "encoder": arguments.model or "tiny", "max_length": SHORTEST} | fixed
    space = Space("the pretraining", "", "", {}, (), (), Design()).with_fixed(values)
    space = with_precision(space, Study(Path(arguments.output, "none")))
    planner = Planner(space, task, lambda name: describe(name, task.corpus), lambda card: lengths_of(card, task))
    cell = space.cell([])
    resolved = planner.resolved(cell)
    assert not isinstance(resolved, ExcludedCell), "there are no rules"
    planned = planner.planned(cell, resolved, 1)
    refuse_dead([planned], space)
    (trial,) = planned.trials
    starts |= planner.starts
    assert trial.stage is not None, "an objective that cannot act is refused"
    return trial.stage
