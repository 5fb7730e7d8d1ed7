"""Progress, for a waiting user: a live line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from gridsearch.plan.rungs import Standing
from gridsearch.stage import LogPoint
from gridsearch.study.survey import Coverage
from gridsearch.tasks.target import Target
from gridsearch.trial import Failure, Outcome
from reports.formats.markdown import seconds_text

PLAIN_LINE_SECONDS = 10.0
"""Without a terminal, a line is printed at most so often."""


class Progress:
    """Counts trials done, running and failed, keeps the best result so far and an estimate of the time left."""

    def __init__(self, target: Target, names: Mapping[str, str], console: Console) -> None:
        """``names`` maps trial ids to what people call them (the row of the table)."""
        self._target, self._names, self._console = target, names, console
        self._running: set[str] = set()
        self._n_planned = self._n_done = self._n_failed = self._n_pruned = self._n_done_here = 0
        self._best: tuple[float, str] | None = None
        self._begun = self._last_line = time.monotonic()
        self._bar: Bar | None = None
        self._stages: dict[str, LogPoint | None] = {}
        self._first_points: dict[str, LogPoint] = {}
        self._n_steps: dict[str, int] = {}
        self._only_stage = ""

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def begin(self, coverage: Coverage, best: tuple[float, str] | None) -> None:
        """Start counting; ``best`` is the value and the trial that are to be beaten."""
        if coverage.finished:
            self.say(f"{coverage.finished} of {coverage.planned} trials are finished already")
        self._count(coverage.planned, coverage.finished, coverage.failed, best)

    def begin_rung(self, standing: Standing, best: tuple[float, str] | None) -> None:
        """Start counting the trials that have come to the end of a rung; ``best`` is of those that are finished."""
        self.close()
        self.say(rung_text(standing))
        self._count(standing.n_trials, standing.n_trials - len(standing.lacking), 0, best)

    def _count(self, n_planned: int, n_done: int, n_failed: int, best: tuple[float, str] | None) -> None:
        self._best = (best[0], self._names.get(best[1], best[1][:8])) if best else None
        self._n_planned, self._n_done, self._n_failed = n_planned, n_done, n_failed
        self._n_pruned = self._n_done_here = 0
        self._begun = time.monotonic()
        if self._console.is_terminal:
            columns = (MofNCompleteColumn(), BarColumn(bar_width=12), TextColumn("{task.description}"))
            self._bar = Bar(*columns, console=self._console, refresh_per_second=4)
            self._task = self._bar.add_task("", total=self._n_planned, completed=self._n_done)
            self._bar.start()

    def expect(self, n_planned: int) -> None:
        """So many trials are planned by now."""
        self._n_planned = n_planned
        if self._bar is not None:
            self._bar.update(self._task, total=n_planned)

    def started(self, trial_id: str) -> None:
        """A trial runs."""
        self._running.add(trial_id)
        self._show()

    def expect_stages(self, n_steps: Mapping[str, int]) -> None:
        """Some more pretrainings have so many steps, by their ids."""
        self._n_steps |= n_steps

    def begin_stage(self, stage_id: str) -> None:
        """Show one pretraining, and no trials."""
        self._only_stage = stage_id
        self._stages[stage_id] = None
        if self._console.is_terminal:
            self._bar = Bar(BarColumn(bar_width=12), TextColumn("{task.description}"), console=self._console)
            self._task = self._bar.add_task("", total=self._n_steps[stage_id])
            self._bar.start()

    def stage_started(self, stage_id: str) -> None:
        """A pretraining runs."""
        self._stages[stage_id] = None
        self._first_points.pop(stage_id, None)
        self._show()

    def stage_logged(self, stage_id: str, point: LogPoint) -> None:
        """A pretraining has come so far."""
        self._stages[stage_id] = point
        self._first_points.setdefault(stage_id, point)
        self._show()

    def stage_ended(self, stage_id: str) -> None:
        """A pretraining runs no more."""
        self._stages.pop(stage_id, None)
        self._show()

    def _stages_line(self) -> str:
        """Say how far the pretraining is that has the most steps left, and how many others there are."""

        def n_left(stage_id: str) -> int:
            point = self._stages[stage_id]
            return self._n_steps.get(stage_id, 0) - (point.step if point else 0)

        line, n_others = self._stage_line(max(self._stages, key=n_left)), len(self._stages) - 1
        return f"{line} (+{n_others})" if n_others else line

    def _stage_line(self, stage_id: str) -> str:
        """Say how far a pretraining is, its loss, and how long it takes from here at the pace so far."""
        point, n_steps = self._stages[stage_id], self._n_steps.get(stage_id, 0)
        if point is None:
            return "pretraining begins"
        first = self._first_points[stage_id]
        parts = [f"pretraining step {point.step}/{n_steps}", f"loss {point.loss:.3f}"]
        if point.step > first.step and point.step < n_steps:
            pace = (point.seconds - first.seconds) / (point.step - first.step)
            parts.append(f"{seconds_text(pace * (n_steps - point.step))} left")
        return ", ".join(parts)

    def finished(self, trial_id: str, outcome: Outcome) -> None:
        """A trial is finished."""
        self._running.discard(trial_id)
        self._n_done += 1
        self._n_done_here += 1
        value = self._target.of(outcome.dev)
        if self._target.is_better(value, self._best[0] if self._best else None):
            self._best = (value, self._names.get(trial_id, trial_id[:8]))
        if outcome.diverged_in is not None:
            self.say(
                f"{self._names.get(trial_id, trial_id[:8])}: numbers were not finite in epoch {outcome.diverged_in}; "
                f"epoch {outcome.chosen_epoch} is chosen from those before it"
            )
        if outcome.not_learned:
            self.say(f"{self._names.get(trial_id, trial_id[:8])} did not learn: {outcome.not_learned}")
        self._show()

    def pruned(self, trial_id: str) -> None:
        """A trial was ended early: it is done, and has no result."""
        self._running.discard(trial_id)
        self._n_done += 1
        self._n_done_here += 1
        self._n_pruned += 1
        self._show()

    def failed(self, trial_id: str, failure: Failure, final: bool) -> None:
        """A trial has failed, for good or to be tried again."""
        self._running.discard(trial_id)
        self._n_failed += final
        then = "failed" if final else "will be tried again"
        self.say(f"{self._names.get(trial_id, trial_id[:8])} {then} ({failure.kind}): {failure.message}")
        self._show()

    def close(self) -> None:
        """Stop the live line."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        elif self._n_done_here:
            self.say(f"{self._n_done}/{self._n_planned} done, {self._line()}")

    def _line(self) -> str:
        parts = [f"{len(self._running)} running", f"{self._n_failed} failed"]
        if self._n_pruned:
            parts.insert(1, f"{self._n_pruned} pruned")
        if self._best:
            parts.append(f"best {self._best[0]:.4f} ({self._best[1]})")
        if self._stages:
            parts.append(self._stages_line())
        left = self._n_planned - self._n_done - self._n_failed
        if self._n_done_here and left:
            seconds = (time.monotonic() - self._begun) / self._n_done_here * left
            parts.append(f"{seconds_text(seconds)} left")
        return ", ".join(parts)

    def _show(self) -> None:
        if self._only_stage:
            self._show_stage(self._only_stage)
        elif self._bar is not None:
            self._bar.update(self._task, completed=self._n_done, description=self._line())
        elif time.monotonic() - self._last_line > PLAIN_LINE_SECONDS:
            self._last_line = time.monotonic()
            self.say(f"{self._n_done}/{self._n_planned} done, {self._line()}")

    def _show_stage(self, stage_id: str) -> None:
        point, line = self._stages[stage_id], self._stage_line(stage_id)
        if self._bar is not None:
            self._bar.update(self._task, completed=point.step if point else 0, description=line)
        elif time.monotonic() - self._last_line > PLAIN_LINE_SECONDS:
            self._last_line = time.monotonic()
            self.say(line)


def rung_text(standing: Standing) -> str:
    """Say which rung of a halving is being run, and how much of it is done.

    >>> from gridsearch.plan.rungs import Halving, make_rungs
    >>> rung_text(Standing(Halving(3, make_rungs(4, 9, 3)), ((1, 2, 3, 4),), {"a": 3}, {}, n_trials=4))
    'rung 1 of 2: 4 cells to epoch 3 of 9, 3 of 4 trials there'
    """
    n_cells, n_there = len(standing.members[-1]), standing.n_trials - len(standing.lacking)
    return (
        f"rung {len(standing.members)} of {len(standing.halving.rungs)}: {n_cells} cell{'s' * (n_cells > 1)} to epoch "
        f"{standing.rung.epochs} of {standing.halving.n_epochs}, {n_there} of {standing.n_trials} trials there"
    )
