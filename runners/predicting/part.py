"""Which part of a study the rows are of that are to be labelled."""

from dataclasses import dataclass

from gridsearch.errors import RequestError, one_of
from gridsearch.study.manifest import TrialsManifest
from gridsearch.study.task_entry import TaskEntry
from gridsearch.tasks.tables.table import Columns
from gridsearch.trial import PART


@dataclass(frozen=True)
class PartOfStudy:
    """A part by name, and how its rows are read: their columns, and whether texts are ``ids``."""

    name: str
    entry: TaskEntry
    columns: Columns
    ids: bool


def read_part(manifest: TrialsManifest, asked: str | None) -> PartOfStudy:
    """Return the part that ``--part`` names; a single task is its one part, and is not asked for by name.

    Raises RequestError where it has to be named and is not, where there is none of the name, or nothing to name.
    """
    task, columns = manifest.task, manifest.sources["columns"]
    if not task.parts and asked is not None:
        raise RequestError(f"--part is for studies of several parts, but {task.name} is a single task")
    if task.parts and asked is None:
        rule = f"{task.name} has several parts, so --part must name the one that the input is of"
        raise RequestError(f"{rule}: {', '.join(task.parts)}")
    name = PART if asked is None else asked
    if name not in task.by_part:
        raise RequestError(f"--part: {one_of('part', name, list(task.parts))}")
    of_part = columns[name] if task.parts else columns
    return PartOfStudy(name, task.by_part[name], Columns.model_validate(of_part), manifest.sources.get("ids", False))
