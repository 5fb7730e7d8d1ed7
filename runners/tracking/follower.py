"""Follows a study while it runs: a thread that reads the ledger, and tells a tracker what is new in it.

Whatever a tracker does, slowly or wrongly, the driver does not wait for it, and the ledger has everything.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from gridsearch.canonical import fingerprint
from gridsearch.errors import first_line
from gridsearch.study.ledger import Ledger
from gridsearch.withheld import without_secrets
from reports.study.read import read_study
from runners.background import repeated
from runners.tracking.runs import ENDED, Group, Run, groups_with_news
from runners.tracking.sent import Sent
from runners.tracking.tracker import Tracker

SHORTEST_PAUSE_SECONDS: Final = 2.0
PAUSES_PER_PASS: Final = 20
"""A pass reads the whole study: the pause after it is so many times as long, so that it costs a twentieth of a core."""


class Follower:
    """Tells a tracker what it has not been told."""

    def __init__(self, tracker: Tracker, sent: Sent) -> None:
        self._tracker, self._sent = tracker, sent
        self._last: dict[str, int] = {}

    def tell_news(self, ledger: Ledger) -> None:
        """Send what is new. What fails is begun anew by the next call. Raises whatever the tracker does."""

        def is_new(trial: str, state: str) -> bool:
            return not self._sent.has(trial, state)

        now = time.time()
        for group in groups_with_news(read_study(ledger), ledger, is_new, now):
            for run in group.runs:
                try:
                    self._tell(group, run)
                except BaseException:
                    self._last.pop(run.trial, None)
                    raise
            self._tell_group(group)

    def _tell(self, group: Group, run: Run) -> None:
        if run.trial not in self._last:
            self._tracker.begin(group, run)
            self._last[run.trial] = 0
        # An attempt that takes a trial up again measures the same in the same epochs.
        if epochs := [epoch for epoch in sorted(run.history) if epoch > self._last[run.trial]]:
            self._tracker.log(run, epochs)
            self._last[run.trial] = epochs[-1]
        if run.state in ENDED:
            self._tracker.end(run)
            self._sent.note(run.trial, run.state)
            del self._last[run.trial]

    def _tell_group(self, group: Group) -> None:
        what, now = f"cell {group.index}", fingerprint([group.state, group.numbers])
        if group.state in ENDED and not self._sent.has(what, now):
            self._tracker.end_group(group)
            self._sent.note(what, now)


@contextlib.contextmanager
def followed(ledger: Ledger, tracker: Tracker, sent: Sent, say: Callable[[str], None]) -> Iterator[None]:
    """Keep a tracker up to date meanwhile; at the end, tell it the rest."""
    follower, failing = Follower(tracker, sent), ""

    def tell() -> float:
        nonlocal failing
        begun = time.monotonic()
        try:
            with ledger.beside() as own:
                follower.tell_news(own)
        except Exception as error:  # whatever a package of somebody else's raises
            reason = without_secrets(first_line(error))
            if not failing:
                say(f"what tracks the trials fails, and is tried again: {reason}")
            failing = reason
        else:
            if failing:
                say("what tracks the trials works again, and has everything")
            failing = ""
        return max(SHORTEST_PAUSE_SECONDS, PAUSES_PER_PASS * (time.monotonic() - begun))

    try:
        with repeated("tracking", tell, 0.0):
            yield
    finally:
        tell()
        with contextlib.suppress(Exception):
            tracker.close()
        if failing:
            say(f"{tracker.place} lacks what it could not be told ({failing}): the same command tells it")
