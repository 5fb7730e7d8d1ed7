"""The contract of every runner: run the jobs given, tell the listener, and nothing else.

A runner does not expand a space, order its trials, store a result or try anything twice: the driver does.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, Self

from gridsearch.stage import LogPoint
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Event, Job
from gridsearch.trial import Epoch, Failure

KILLED = "the worker was killed, perhaps by the system because memory was short"
GRACE_SECONDS = 10.0
"""A trial looks at its time limit between its steps; a worker that has not come back so long after it is ended."""


class TrialListener(Protocol):
    """Who hears what happens to the trials, always in the driver's process and thread."""

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        """A worker has begun the trial."""

    def epoch(self, trial_id: str, epoch: Epoch) -> None:
        """The trial has finished an epoch."""

    def prune_wanted(self, trial_id: str) -> bool:
        """Whether the trial, or the stage, is to end after what was just told. Asked after every epoch and point."""

    def pruned(self, trial_id: str) -> None:
        """The trial has ended before its last epoch, as it was wanted; a stage has saved where it is."""

    def finished(self, trial_id: str, outcome: Any) -> None:
        """The trial is finished, with an Outcome; a stage with a StageOutcome."""

    def failed(self, trial_id: str, failure: Failure) -> None:
        """The trial has failed, perhaps before it was said to have started."""

    def stop_wanted(self) -> bool:
        """Whether to begin no more trials; those that run go on to their end."""


class Listener(TrialListener, Protocol):
    """Who hears of stages as well, by their ids."""

    def logged(self, stage_id: str, point: LogPoint) -> None:
        """A stage has come as far as this."""


def tell(listener: Listener, work_id: str, event: Event) -> bool:
    """Tell what a worker says while it goes on; return whether it is to end now."""
    if isinstance(event, LogPoint):
        listener.logged(work_id, event)
    else:
        listener.epoch(work_id, event)
    return listener.prune_wanted(work_id)


class Runner(Protocol):
    """A way to execute jobs.

    Workers that die are told as failures of their trials, by kind. A job's time limit holds for a trial that hangs
    too, but in the driver's own process (the serial runner), where no more can be done than look between its steps.
    """

    name: str

    def __enter__(self) -> Self:
        """Take what the runner needs (a cluster, processes)."""

    def __exit__(self, *exception: object) -> None:
        """Give it back."""

    def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        """Run every job once, in about the order given; ``alone``: one at a time. Returns when all have ended.

        A job is taken when a worker is free for it. None in its place means that there is none for now: the next is
        taken after a trial has ended. Where none runs, it is the end.
        """
