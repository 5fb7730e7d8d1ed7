"""Spaces and tasks that are given in Python become the files that a command would name, so that all goes on alike."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import tomli_w
from pydantic import BaseModel

from gridsearch.canonical import fingerprint
from gridsearch.errors import GridSearchError, RequestError
from gridsearch.scratch import scratch_folder
from gridsearch.study.study import Study
from gridsearch.whole_file import whole_file
from runners.api.calls import plain
from runners.api.guessed import GivenTask
from runners.api.guessed import task as guessed_task
from runners.api.tables import arrow_bytes, is_table, splits_of

SPACE_FILE, TASK_FILE = "space.toml", "task.toml"
_PATHS: Final = ("train", "dev", "test", "file", "counts")
"""Keys of a task file that name a file."""


@dataclass(frozen=True)
class Named:
    """What a command would name: files, or names as they were given."""

    space: str
    task: str | None


@contextlib.contextmanager
def given_in_scratch(space: object, task: object) -> Iterator[Named]:
    """Write what is given into a folder that goes when all is done."""
    files = _files_of(space, task)
    with scratch_folder() as folder:
        _write(files, folder)
        yield _named(space, task, folder)


@contextlib.contextmanager
def given_in_study(space: object, task: object, folder: str | Path | None) -> Iterator[Named]:
    """Write what is given into the study's folder, where it is found again; what no ledger speaks of is removed.

    Raises RequestError where no folder is named for it.
    """
    files = _files_of(space, task)
    if not files:
        yield _named(space, task, Path())
        return
    if folder is None:
        rule = "a space or task that is given in Python is kept in the study's folder"
        raise RequestError(f"{rule}: name one, as in study='studies/mine'")
    study = Study(Path(folder))
    made = [one for one in (study.folder, *study.folder.parents) if not one.exists()]
    own = study.given_folder / _digest(files)
    try:
        _write(files, own)
        yield _named(space, task, own)
    finally:
        _forget_all_but(_spoken_of(study), study.given_folder)
        with contextlib.suppress(OSError):  # what is not empty stays
            for one in (study.given_folder, *made):
                one.rmdir()


def _named(space: object, task: object, folder: Path) -> Named:
    space_name = str(space) if _is_name(space) else str(folder / SPACE_FILE)
    return Named(space_name, None if task is None else str(task) if _is_name(task) else str(folder / TASK_FILE))


def _is_name(value: object) -> bool:
    return isinstance(value, (str, Path))


def _files_of(space: object, task: object) -> dict[str, bytes]:
    """Return the files that stand for what is given: name and content."""
    files: dict[str, bytes] = {}
    if not _is_name(space):
        files[SPACE_FILE] = _toml(
            _mapping(space, "space", "a name, a path, or a mapping as in docs/spaces.md"), "space"
        )
    if task is not None and not _is_name(task):
        files |= _task_files(task)
    return files


def _task_files(task: object) -> dict[str, bytes]:
    if is_table(task) or splits_of(task) is not None:
        task = guessed_task(task)
        print(task)  # what was guessed has to be seen
    if isinstance(task, GivenTask):
        task = task.keys
    keys = _mapping(task, "task", "a name, a path, a table, or a mapping as in docs/tasks.md")
    tables: dict[str, bytes] = {}
    placed = _placed(keys, "", tables)
    return {TASK_FILE: _toml(placed, "task"), **tables}


def _mapping(value: object, what: str, wanted: str) -> Mapping[str, Any]:
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True)
    if not isinstance(value, Mapping):
        raise RequestError(f"{what} must be {wanted}, but is {type(value).__name__}")
    return value


def _placed(value: Any, place: str, tables: dict[str, bytes]) -> Any:
    """Put the names of files where tables stand, and gather these; paths are meant from where the call is made."""
    if isinstance(value, Mapping) and place.endswith("counts"):
        tables[name := f"{place}.json"] = json.dumps(dict(value), ensure_ascii=False).encode()
        return name
    key = place.rpartition("-")[2]
    if isinstance(value, Mapping) and not (key in _PATHS and is_table(value)):
        return {key: _placed(one, f"{place}-{key}" if place else str(key), tables) for key, one in value.items()}
    if isinstance(value, (str, Path)) and (key in _PATHS or key.isdigit()):
        path = Path(value).expanduser()
        return str(path.resolve()) if path.exists() else str(value)
    if key in _PATHS and is_table(value):
        tables[name := f"{place.removeprefix('files-')}.arrow"] = arrow_bytes(value, place.replace("-", "."))
        return name
    if isinstance(value, (list, tuple)) and (key == "files" or key == "parts"):
        return [
            _placed(one, f"{place}-{'train' if is_table(one) else ''}{number}", tables)
            for number, one in enumerate(value)
        ]
    return value


def _toml(value: Mapping[str, Any], what: str) -> bytes:
    try:
        return tomli_w.dumps(plain(value)).encode()
    except (TypeError, ValueError) as error:
        raise RequestError(f"the {what} holds what no TOML file can: {error}") from None


def _digest(files: Mapping[str, bytes]) -> str:
    return fingerprint({name: sha256(content).hexdigest() for name, content in files.items()})[:16]


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with whole_file(folder / name) as draft:
            draft.write_bytes(content)


def _spoken_of(study: Study) -> set[str]:
    """Return the names of those of its folders that a study's ledger speaks of."""
    try:
        with study.open() as ledger:
            sources = ledger.trials_manifest().sources
    except GridSearchError:
        return set()
    paths = [Path(str(sources.get(name) or "")) for name in ("space", "task")]
    return {path.parent.name for path in paths if path.parent.parent.name == study.given_folder.name}


def _forget_all_but(kept: set[str], folder: Path) -> None:
    for one in folder.iterdir() if folder.is_dir() else ():
        if one.name not in kept:
            shutil.rmtree(one, ignore_errors=True)
