"""Runs as TensorBoard's event files: a folder a trial, below that of its cell, with what the HParams tab needs."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gridsearch.installed import needed
from runners.tracking.runs import Group, Run
from runners.tracking.tracker import Tracker

WHAT = "the writer of TensorBoard's files"


class TensorBoard(Tracker):
    """Writes below a folder, an event file a run. Raises RequestError where what writes them is not installed."""

    name = "tensorboard"

    def __init__(self, folder: Path) -> None:
        needed("tensorboardX", WHAT)
        # Its SummaryWriter hands events to a thread a file, which writes them at some time.
        self._files = needed("tensorboardX.event_file_writer", WHAT)
        self._summaries = needed("tensorboardX.summary", WHAT)
        self._events = needed("tensorboardX.proto.event_pb2", WHAT)
        self._folder, self._open = folder, dict[str, Any]()
        self.place = str(folder)

    def begin(self, group: Group, run: Run) -> None:
        """Make the run's folder anew."""
        self._let_go(run.trial)
        folder = self._folder / f"cell-{group.index}" / run.name
        if folder.is_dir():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        self._open[run.trial] = self._files.EventsWriter(str(folder / "events"))

    def log(self, run: Run, epochs: Sequence[int]) -> None:
        """Write a point a number."""
        for epoch in epochs:
            for name, value in run.history[epoch].items():
                self._write(run, self._summaries.scalar(name, value), epoch, run.time_of(epoch))
        self._open[run.trial].flush()

    def end(self, run: Run) -> None:
        """Write settings and summary such that they stand side by side, and close the file."""
        # The numbers are given as scalars; here is said which of them are to stand beside the settings.
        for summary in self._summaries.hparams(dict(run.settings), dict.fromkeys(run.numbers, 0.0)):
            self._write(run, summary, 0, run.started)
        for name, value in run.numbers.items():
            self._write(run, self._summaries.scalar(name, value), run.chosen, run.ended)
        for name, text in run.words.items():
            self._write(run, self._summaries.text(name, text), run.chosen, run.ended)
        self._let_go(run.trial)

    def end_group(self, group: Group) -> None:
        """Do nothing: a group is a folder."""

    def close(self) -> None:
        """Close what is open."""
        for trial in list(self._open):
            self._let_go(trial)

    def _write(self, run: Run, summary: Any, step: int, seconds: float) -> None:
        event = self._events.Event(summary=summary, step=step, wall_time=seconds)
        self._open[run.trial].write_event(event)

    def _let_go(self, trial: str) -> None:
        if (file := self._open.pop(trial, None)) is not None:
            file.close()
