"""Runs in a folder of Trackio's: an SQLite file a project, which is a study.

They are written as Trackio's own imports are, by its storage: no server, no thread, and the times of the trials.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError
from gridsearch.installed import needed
from runners.tracking.runs import Group, Run
from runners.tracking.tracker import Tracker

FOLDER = "TRACKIO_DIR"
"""The variable that names the folder, and what the storage calls it."""
GROUP = "_Group"
"""Where Trackio keeps the group of a run: in its configuration."""


class Trackio(Tracker):
    """Writes into the folder that Trackio knows. A run's last entry is its summary, at the chosen epoch.

    Raises RequestError where Trackio is not installed, or calls no project so.
    """

    name = "trackio"

    def __init__(self, project: str) -> None:
        module = needed("trackio.sqlite_storage", "Trackio", "trackio")
        self._storage, self._project = module.SQLiteStorage, project
        self._groups: dict[str, str] = {}
        self.place = f"project {project} in {getattr(module, FOLDER)}"
        try:
            self._storage.validate_project_name(project)
        except ValueError as error:
            raise RequestError(f"{error} It is that of the study's folder: give this another one") from None
        self._is_new = not self._storage.get_project_db_path(project).is_file()

    def begin(self, group: Group, run: Run) -> None:
        """Forget an earlier run of the trial. Trackio has no run without an entry: the first one begins it."""
        if not self._is_new or run.trial in self._groups:
            self._storage.delete_run(self._project, run.name, run_id=run.trial)
        self._groups[run.trial] = group.name

    def log(self, run: Run, epochs: Sequence[int]) -> None:
        """Add an entry an epoch."""
        entries = [(run.history[epoch], epoch, run.time_of(epoch)) for epoch in epochs]
        self._add(run, entries, {})

    def end(self, run: Run) -> None:
        """Add the summary."""
        self._add(run, [(run.numbers, run.chosen, run.ended)], run.words)

    def end_group(self, group: Group) -> None:
        """Do nothing: a group has no numbers but its runs'."""

    def close(self) -> None:
        """Do nothing: the storage is closed after each call."""

    def _add(self, run: Run, entries: Sequence[tuple[Any, int, float]], words: Any) -> None:
        metrics, steps, seconds = zip(*entries, strict=True)
        created = _time(run.started)
        about = {GROUP: self._groups[run.trial], "_Created": created, **run.settings, **words}
        times = [_time(when) for when in seconds]
        self._storage.bulk_log(
            self._project, run.name, list(metrics), list(steps), times, config=about, run_id=run.trial
        )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@contextmanager
def storage_in(folder: Path) -> Iterator[None]:
    """Let Trackio's storage keep what it is given in a folder. It asks for the folder when it is imported."""
    before = os.environ.get(FOLDER)
    os.environ[FOLDER] = str(folder.absolute())
    try:
        module = needed("trackio.sqlite_storage", "Trackio", "trackio")
        known = getattr(module, FOLDER)
        setattr(module, FOLDER, folder.absolute())
        try:
            yield
        finally:
            setattr(module, FOLDER, known)
    finally:
        if before is None:
            del os.environ[FOLDER]
        else:
            os.environ[FOLDER] = before
