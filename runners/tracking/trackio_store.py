"""A study as a folder of Trackio's: an SQLite file with a project, which is the study.

It is written as Trackio's own imports are written, by its storage: no server, no thread, and the times of the trials.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError
from gridsearch.installed import needed
from runners.exporting.runs import Group, Run, groups_of, told_of
from runners.exporting.source import Source

FOLDER = "TRACKIO_DIR"
"""The variable that names the folder, and what the storage calls it."""
GROUP = "_Group"
"""Where Trackio keeps the group of a run: in its configuration."""


def write(source: Source, folder: Path, place: Path) -> str:
    """Write the project, a run a trial; the summary is the last entry of a run, at the chosen epoch.

    Raises RequestError where Trackio is not installed, or calls no project so.
    """
    groups = groups_of(source)
    with _storage_in(folder) as storage:
        try:
            storage.validate_project_name(source.name)
        except ValueError as error:
            raise RequestError(f"{error} It is that of the study's folder: give this another one") from None
        for group in groups:
            for run in group.runs:
                _write_run(storage, source.name, group, run)
    return told_of(groups)


def _write_run(storage: Any, project: str, group: Group, run: Run) -> None:
    steps = [*run.history, run.chosen]
    seconds = [run.started + (run.ended - run.started) * number / max(run.history) for number in run.history]
    times = [datetime.fromtimestamp(when, UTC).isoformat() for when in (*seconds, run.ended)]
    about = {GROUP: group.name, "_Created": times[0], **run.settings, **run.words}
    metrics = [*run.history.values(), run.numbers]
    storage.bulk_log(project, run.name, metrics, steps, times, config=about, run_id=run.trial)


@contextmanager
def _storage_in(folder: Path) -> Iterator[Any]:
    """Yield Trackio's storage, which keeps what it is given in a folder. It asks for the folder when it is imported."""
    before = os.environ.get(FOLDER)
    os.environ[FOLDER] = str(folder.absolute())
    try:
        module = needed("trackio.sqlite_storage", "Trackio", "trackio")
        known = getattr(module, FOLDER)
        setattr(module, FOLDER, folder.absolute())
        try:
            yield module.SQLiteStorage
        finally:
            setattr(module, FOLDER, known)
    finally:
        if before is None:
            del os.environ[FOLDER]
        else:
            os.environ[FOLDER] = before
