"""Progress, for a waiting user: live lines on a terminal or in a notebook, plain ones with the time elsewhere."""

import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gridsearch.stage import LogPoint, Stage
from gridsearch.tasks.target import Target
from gridsearch.trial import Failure, Outcome, Trial
from runners.progress.notebook import NotebookLine
from runners.progress.outlook import Outlook
from runners.progress.tally import Tally
from runners.progress.words import best_text, counts_text, stage_text, time_left_text

PLAIN_LINE_SECONDS, SHARE_OF_ALL_TIME = 10.0, 0.01
"""Without a terminal, a line is printed at most so often: these seconds, or this share of the time so far."""
REFRESHES_PER_SECOND, BAR_WIDTH = 1, 12


class Progress:
    """Hears how a sweep goes, and shows it: how many trials are done, the time that is left, the best result so far."""

    def __init__(self, target: Target, names: Mapping[str, str], console: Console) -> None:
        """``names`` maps trial ids to what people call them (the row of the table)."""
        self._target, self._names, self._console = target, names, console
        self._lock = threading.RLock()  # a thread draws the live lines
        # The ledger's moments are Unix time; a clock that is set meanwhile must not move those of this process.
        offset = time.time() - time.monotonic()
        self._tally = Tally(lambda: time.monotonic() + offset)
        self._best: tuple[float, str] | None = None
        self._live: Live | None = None
        self._notebook: NotebookLine | None = None
        self._is_of_trials = True
        self._begun = self._last_line = time.monotonic()
        self._is_told = True

    def say(self, text: str) -> None:
        """Print a line, with the time of day."""
        told = f"{time.strftime('%H:%M:%S')} {text}"
        self._console.print(told, highlight=False, markup=False, soft_wrap=True)

    def begin(self, outlook: Outlook, best: tuple[float, str] | None, until: float = math.inf) -> None:
        """Start counting. ``best`` is the value and the trial that are to be beaten.

        After ``until`` seconds nothing new is begun.
        """
        self.close()
        self._best = (best[0], self._name(best[1])) if best else None
        with self._lock:
            self._tally.begin(outlook, until)
        self._go_live()

    def begin_stage(self, stage: Stage) -> None:
        """Show one pretraining, and no trials."""
        self._is_of_trials = False
        self._tally.expect_stage(stage)
        self._tally.started(stage.id)
        self._go_live()

    def propose(self, trials: Iterable[Trial]) -> None:
        """Hear which trials a search has proposed."""
        with self._lock:
            self._tally.propose(trials)

    def expect_stage(self, stage: Stage) -> None:
        """Hear that a pretraining is to be made."""
        with self._lock:
            self._tally.expect_stage(stage)

    def started(self, work_id: str) -> None:
        """A trial or a pretraining runs."""
        with self._heard() as tally:
            tally.started(work_id)

    def epoch(self, trial_id: str, number: int) -> None:
        """A trial has finished an epoch."""
        with self._heard() as tally:
            tally.epoch(trial_id, number)

    def stage_logged(self, stage_id: str, point: LogPoint) -> None:
        """A pretraining has come so far."""
        with self._heard() as tally:
            tally.logged(stage_id, point)

    def stage_ended(self, stage_id: str) -> None:
        """What a pretraining makes is there."""
        with self._heard() as tally:
            tally.ended(stage_id)

    def stage_failed(self, stage_id: str, final: bool) -> None:
        """A pretraining has failed, for good or to be tried again."""
        with self._heard() as tally:
            tally.failed(stage_id, final)

    def finished(self, trial_id: str, outcome: Outcome) -> None:
        """A trial is finished."""
        name = self._name(trial_id)
        if outcome.diverged_in is not None:
            self.say(
                f"{name}: numbers were not finite in epoch {outcome.diverged_in}; "
                f"epoch {outcome.chosen_epoch} is chosen from those before it"
            )
        if outcome.not_learned:
            self.say(f"{name} did not learn: {outcome.not_learned}")
        with self._heard() as tally:
            tally.ended(trial_id)
            value = self._target.of(outcome.dev)
            if self._target.is_better(value, self._best[0] if self._best else None):
                self._best = value, name

    def pruned(self, trial_id: str) -> None:
        """A trial was ended early: it is done, and has no result."""
        with self._heard() as tally:
            tally.pruned(trial_id)

    def left_out(self, trial_id: str) -> None:
        """A trial that waited is left out: it is planned no more."""
        with self._heard() as tally:
            tally.left_out(trial_id)

    def failed(self, trial_id: str, failure: Failure, final: bool) -> None:
        """A trial has failed, for good or to be tried again."""
        then = "failed" if final else "will be tried again"
        self.say(f"{self._name(trial_id)} {then} ({failure.kind}): {failure.message}")
        with self._heard() as tally:
            tally.failed(trial_id, final)

    def close(self) -> None:
        """Stop the live lines; elsewhere, say once more how far it is."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        elif self._notebook is not None:
            self._notebook.show(self.line())
            self._notebook = None
        elif not self._is_told:
            self.say(self.line())
        self._is_told = True

    def line(self) -> str:
        """Say how far it is in one line."""
        tally = self._tally
        done = (
            [f"{tally.n_done}/{tally.n_planned} done", *self._counts(), self._best_text()] if self._is_of_trials else []
        )
        return ", ".join(filter(None, [*done, self._stage_text(), self._rest()]))

    def drawn(self) -> RenderableType:
        """Return the same in several lines for a terminal, where it is drawn again and again."""
        with self._lock:
            done, planned = self._tally.n_done, self._tally.n_planned
            if not self._is_of_trials and (slowest := self._tally.slowest_stage()) is not None:
                done, planned = slowest[0].step if slowest[0] else 0, slowest[1]
            first = ", ".join(filter(None, [self._rest(), *(self._counts() if self._is_of_trials else [])]))
            bar = Table.grid(padding=(0, 1))
            bar.add_row(f"{done}/{planned}", ProgressBar(planned, done, BAR_WIDTH), Text(first, no_wrap=True))
            return Group(bar, *(Text(line, no_wrap=True) for line in (self._best_text(), self._stage_text()) if line))

    def _name(self, trial_id: str) -> str:
        return self._names.get(trial_id, trial_id[:8])

    def _counts(self) -> list[str]:
        tally = self._tally
        return counts_text(tally.n_running, tally.n_pretraining, tally.n_pruned, tally.n_failed)

    def _rest(self) -> str:
        return "" if self._tally.is_over else time_left_text(self._tally.time_left())

    def _best_text(self) -> str:
        return best_text(self._target, *self._best) if self._best else ""

    def _stage_text(self) -> str:
        slowest = self._tally.slowest_stage()
        if slowest is None:
            return ""
        n_others = self._tally.n_pretraining - 1
        return f"pretraining {stage_text(*slowest)}{f' (+{n_others})' if n_others else ''}"

    def _go_live(self) -> None:
        self._begun = self._last_line = time.monotonic()
        if self._console.is_terminal:
            self._live = Live(get_renderable=self.drawn, console=self._console, refresh_per_second=REFRESHES_PER_SECOND)
            self._live.start()
        elif self._console.is_jupyter:
            self._notebook = NotebookLine()
            self._notebook.show(self.line())

    @contextmanager
    def _heard(self) -> Iterator[Tally]:
        """Change what is counted, and show it where no thread does."""
        with self._lock:
            yield self._tally
        self._is_told = False
        now = time.monotonic()
        if self._notebook is not None:
            if now - self._last_line > 1 / REFRESHES_PER_SECOND:
                self._last_line = now
                self._notebook.show(self.line())
        elif self._live is None and now - self._last_line > self._pause(now):
            self._last_line, self._is_told = now, True
            self.say(self.line())

    def _pause(self, now: float) -> float:
        """Seconds between two plain lines."""
        return max(PLAIN_LINE_SECONDS, SHARE_OF_ALL_TIME * (now - self._begun))
