"""What an experiment tracker does with runs."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Protocol

from runners.tracking.runs import Group, Run


class Tracker(Protocol):
    """Keeps runs. ``name`` is its own, ``place`` says where it keeps them, in words that name no other place.

    A run is begun, logged as it goes, and ended; a group ends with its own numbers when all of its runs have. What is
    called may raise whatever its package raises.
    """

    name: ClassVar[str]
    place: str

    def begin(self, group: Group, run: Run) -> None:
        """Begin a run with its settings. One of the same trial, which was not ended or is not true any more, goes."""

    def log(self, run: Run, epochs: Sequence[int]) -> None:
        """Add what was measured after some epochs, at least one."""

    def end(self, run: Run) -> None:
        """Add the run's summary, and end it."""

    def end_group(self, group: Group) -> None:
        """Add the numbers of a group. Where a study is written as it stands, one that has not ended is among them."""

    def close(self) -> None:
        """Let go of what is open: runs that have not ended may be begun anew, by another process."""


def replay(tracker: Tracker, groups: Iterable[Group]) -> None:
    """Write what has ended, all at once."""
    for group in groups:
        for run in group.runs:
            tracker.begin(group, run)
            if run.history:
                tracker.log(run, tuple(run.history))
            tracker.end(run)
        tracker.end_group(group)
    tracker.close()
