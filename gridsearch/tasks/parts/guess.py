"""The data files of several parts become one task file, whose every guess is told and checked."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gridsearch.errors import RequestError, about
from gridsearch.tasks.guess import FIRST_COMMENT, comment, guess_task, relative, toml_lines, toml_value, write_text
from gridsearch.tasks.parts.joint_file import MULTI, JointFile, PartFile
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.roles import GUESS_ALL, Wanted
from gridsearch.tasks.target import Target


def guess_parts(
    groups: Sequence[tuple[str, Iterable[Path]]],
    name: str,
    wanted: Wanted = GUESS_ALL,
) -> tuple[JointFile, dict[str, list[str]]]:
    """Guess the parts of a task: each has a name, and one to three files (train, dev, test). Their mean is the target.

    Sentences tell every guess, by part. Paths in the result are those given; ``write_parts`` makes them relative.
    What is ``wanted`` is so of every part.

    Raises:
        RequestError: two parts of one name, or what cannot be guessed of one of them.
    """
    parts: dict[str, PartFile] = {}
    sentences: dict[str, list[str]] = {}
    for part, files in groups:
        if part in parts:
            raise RequestError(f"two parts have the name {part!r}; all files of a part stand behind one --part")
        with about(f"part {part}"):
            file, sentences[part] = guess_task(list(files), part, wanted)
        parts[part] = PartFile(**dict(file))
    return JointFile(name, parts, Target(tuple((part, file.metric) for part, file in parts.items()))), sentences


def write_parts(
    task: JointFile, path: Path, sentences: Mapping[str, Sequence[str]], *, overwrite: bool = False
) -> AnyTask:
    """Write a task file of several parts, after reading it back with all its data; return what was read.

    Nothing is written where reading fails. Raises RequestError where the file exists, or the data does not fit.
    """
    parts = {name: relative(part, path.parent) for name, part in task.parts.items()}
    return write_text(parts_text(JointFile(task.name, parts, task.target), sentences), path, overwrite=overwrite)


def parts_text(task: JointFile, sentences: Mapping[str, Sequence[str]]) -> str:
    """Return several parts as the text of a TOML file, each with its sentences as comments."""
    lines = [comment(FIRST_COMMENT), f"name = {toml_value(task.name)}", f"kind = {toml_value(MULTI)}"]
    lines += ["", "[target]", f"mean = {toml_value([part for part, _ in task.target.metrics])}"]
    for name, part in task.parts.items():
        lines += ["", *map(comment, sentences[name]), "[[parts]]", *toml_lines(part, "parts.")]
    return "\n".join(lines) + "\n"
