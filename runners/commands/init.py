"""``gridsearch init``: a stranger's data becomes a task TOML."""

import textwrap
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import CAUTION, guess_task, write_toml
from gridsearch.tasks.parts.guess import guess_parts, write_parts
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.roles import Wanted
from runners.cli import EXIT_DONE, Arguments

HEADER = {None: None, "yes": True, "no": False}


def run(arguments: Arguments) -> int:
    """Guess, write, read back, and show what was guessed."""
    output = Path(arguments.output)
    task = (_of_parts if arguments.part else _single)(arguments, output, arguments.name or output.stem)
    for name, part in task.parts.items():
        what = f"{output}, part {name}" if isinstance(task, JointTask) else output
        labels = "a number a row" if part.labels_are == "score" else f"{len(part.label_names)} labels"
        several = ", any of them in a row" if part.labels_are == "multilabel" else ""
        print(f"{what}: {len(part.train)} train and {len(part.dev)} dev rows, {labels}{several}")
    if isinstance(task, JointTask):
        print(f"target: {task.target.name}, the mean over the parts ([target] in the file may say otherwise)")
    print(f"look it over, then: gridsearch plan finetune64 --task {output}")
    return EXIT_DONE


def _single(arguments: Arguments, output: Path, name: str) -> AnyTask:
    draft, sentences = guess_task([Path(file) for file in arguments.files], name, _wanted(arguments))
    task = write_toml(draft, output, sentences, overwrite=arguments.force)
    _tell([*sentences, *task.notes])
    return task


def _of_parts(arguments: Arguments, output: Path, name: str) -> AnyTask:
    if arguments.files:
        rule = "with --part all files stand behind the name of one, as in --part NAME FILE"
        raise RequestError(f"{rule}; {', '.join(arguments.files)} stands behind none")
    groups = [(part, map(Path, files)) for part, *files in arguments.part]
    draft, sentences = guess_parts(groups, name, _wanted(arguments))
    task = write_parts(draft, output, sentences, overwrite=arguments.force)
    _tell([*(f"part {part}: {sentence}" for part, several in sentences.items() for sentence in several), *task.notes])
    return task


def _wanted(arguments: Arguments) -> Wanted:
    """Return what the user says about the data, beyond its files."""
    label, *further = arguments.label or [None]
    if further and arguments.kind != "multilabel":
        rule = "--label for each of several labels belongs to --kind multilabel"
        raise RequestError(f"{rule}; {len(arguments.label)} are named, and the kind is {arguments.kind}")
    if arguments.separator is not None and (arguments.kind != "multilabel" or further):
        raise RequestError("--separator stands between several labels of one cell, which is --kind multilabel")
    return Wanted(
        arguments.text,
        arguments.pair,
        label,
        arguments.kind,
        tuple(further),
        arguments.separator,
        header=HEADER[arguments.header],
        drop_unlabelled=arguments.drop_unlabelled,
    )


def _tell(sentences: list[str]) -> None:
    """Print a sentence a line, wrapped; what a user has to know stands last."""
    for sentence in sorted(sentences, key=lambda sentence: f"{CAUTION}: " in sentence):
        print(textwrap.fill(sentence, 80, subsequent_indent="  ", break_on_hyphens=False))
