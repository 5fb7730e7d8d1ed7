"""The TOML task: which files, columns, labels and metric; and the way from there to a Task whose rows are checked."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gridsearch.errors import RequestError, about
from gridsearch.tasks.built_in import docstring_pairs, docstring_parts, docstrings
from gridsearch.tasks.parts.joint_file import MULTI, AnyTaskFile, JointFile, parse_joint, place_of
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.parts.notes import notes_across, notes_by_part
from gridsearch.tasks.parts.part_file import TaskFile, parse_part
from gridsearch.tasks.parts.read_part import judgeable, read_part, sampled
from gridsearch.tasks.task import Task
from gridsearch.toml_file import parse_toml, read_toml_text

DOCSTRINGS = docstrings.NAME
"""The task that is meant where none is named."""
WITHOUT_FILES: Mapping[str, Callable[[], AnyTask]] = {
    docstrings.NAME: docstrings.load,
    docstring_pairs.NAME: docstring_pairs.load,
    docstring_parts.NAME: docstring_parts.load,
}
"""Tasks without a file, by name: their rows are read from the installed libraries."""


def load_task(name_or_path: str | Path, data_dir: Path | None = None, train_rows: int | None = None) -> AnyTask:
    """Read a task: by its name if it has no file (WITHOUT_FILES), else from a TOML file.

    Data files are found beside the TOML file, else below ``data_dir``, else below ``$GRIDSEARCH_DATA``.
    ``train_rows`` overrules the file's own: a stratified sample of the training rows, for quick studies; so many of
    each part.

    Raises:
        RequestError: anything that is wrong with the task or its data, in one sentence with file and row.
    """
    if load := WITHOUT_FILES.get(str(name_or_path)):
        task = load()
        if isinstance(task, JointTask):
            return task.changed(lambda part: judgeable(sampled(part, train_rows, 0), f"{task.name}, part {part.name}"))
        return judgeable(sampled(task, train_rows, 0), task.name)
    path = Path(name_or_path)
    file = parse_task_file(_read_toml(path), path.name)
    return read_task(file, path, data_dir, train_rows)


def parse_task_file(text: str, name: str) -> AnyTaskFile:
    """Check the text of a task file; ``name`` is what the file is called in messages."""
    raw = parse_toml(text, name)
    if "parts" in raw or raw.get("kind") == MULTI:
        return parse_joint(raw, name)
    return parse_part(raw, TaskFile, name)


def read_task(file: AnyTaskFile, path: Path, data_dir: Path | None = None, train_rows: int | None = None) -> AnyTask:
    """Read the data of a task file that stands, or is to stand, at ``path``; see :func:`load_task`.

    A file of one part is the single task that its sections would be without [[parts]].
    """
    folders = [path.parent, *([data_dir] if data_dir else []), *_folder_of_environment()]
    if isinstance(file, JointFile):
        parts = {name: _read_named(name, file, path, folders, train_rows) for name in file.parts}
        if len(parts) == 1:
            return replace(*parts.values(), name=file.name)
        weights = {name: part.weight for name, part in file.parts.items()}
        notes = (*notes_by_part({name: part.notes for name, part in parts.items()}), *notes_across(parts))
        return JointTask(file.name, parts, file.target, weights, notes)
    return judgeable(read_part(file, folders, train_rows), file.name)


def _read_named(name: str, file: JointFile, path: Path, folders: Sequence[Path], train_rows: int | None) -> Task:
    where = place_of(path.name, name)
    with about(where):
        task = read_part(file.parts[name], folders, train_rows)
    return judgeable(task, where)


def _read_toml(path: Path) -> str:
    if not path.is_file():
        known = ", ".join(map(repr, WITHOUT_FILES))
        raise RequestError(f"a task is {known} or a TOML file; there is no file {str(path)!r}")
    return read_toml_text(path)


def _folder_of_environment() -> list[Path]:
    chosen = os.environ.get("GRIDSEARCH_DATA")
    return [Path(chosen)] if chosen else []
