"""``gridsearch init``: a stranger's data becomes a task TOML."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import CAUTION, guess_task, write_toml
from gridsearch.tasks.parts.guess import guess_parts, write_parts
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.roles import Wanted
from gridsearch.tasks.task import Task
from runners.cli import Arguments
from runners.programs.answer import Answer, lines

Guessed: TypeAlias = tuple[AnyTask, list[str]]
"""The task, and what there is to say of how it was read."""
HEADER = {None: None, "yes": True, "no": False}


def run(arguments: Arguments) -> Answer:
    """Guess, write, read back, and tell what was guessed."""
    output = Path(arguments.output)
    task, remarks = (_of_parts if arguments.part else _single)(arguments, output, arguments.name or output.stem)
    facts = {
        "task": output,
        "name": task.name,
        "metric": task.target.name,
        "parts": [_part_facts(name, part) for name, part in task.parts.items()],
        "remarks": remarks,
    }
    return Answer(facts, lines(*map(_wrapped, remarks), *_about(task, output)))


def _part_facts(name: str, part: Task) -> Mapping[str, Any]:
    return {
        "name": name,
        "kind": part.kind,
        "labels_are": part.labels_are,
        "labels": part.label_names,
        "metric": part.metric,
        "train": len(part.train),
        "dev": len(part.dev),
        "test": None if part.test is None else len(part.test),
    }


def _about(task: AnyTask, output: Path) -> Iterator[str]:
    for name, part in task.parts.items():
        what = f"{output}, part {name}" if isinstance(task, JointTask) else output
        labels = "a number a row" if part.labels_are == "score" else f"{len(part.label_names)} labels"
        several = ", any of them in a row" if part.labels_are == "multilabel" else ""
        yield (f"{what}: {len(part.train)} train and {len(part.dev)} dev rows, {labels}{several}")
    if isinstance(task, JointTask):
        yield (f"target: {task.target.name}, the mean over the parts ([target] in the file may say otherwise)")
    yield (f"look it over, then: gridsearch plan finetune64 --task {output}")


def _single(arguments: Arguments, output: Path, name: str) -> Guessed:
    draft, sentences = guess_task([Path(file) for file in arguments.files], name, _wanted(arguments))
    task = write_toml(draft, output, sentences, overwrite=arguments.force)
    return task, _in_order([*sentences, *task.notes])


def _of_parts(arguments: Arguments, output: Path, name: str) -> Guessed:
    if arguments.files:
        rule = "with --part all files stand behind the name of one, as in --part NAME FILE"
        raise RequestError(f"{rule}; {', '.join(arguments.files)} stands behind none")
    groups = [(part, map(Path, files)) for part, *files in arguments.part]
    draft, sentences = guess_parts(groups, name, _wanted(arguments))
    task = write_parts(draft, output, sentences, overwrite=arguments.force)
    told = (f"part {part}: {sentence}" for part, several in sentences.items() for sentence in several)
    return task, _in_order([*told, *task.notes])


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


def _in_order(sentences: list[str]) -> list[str]:
    """Return them such that what a user has to know stands last."""
    return sorted(sentences, key=lambda sentence: f"{CAUTION}: " in sentence)


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, 80, subsequent_indent="  ", break_on_hyphens=False)
