"""Measuring what a plan's trials cost: several visits to each group, by as many workers at a time as a sweep has.

Workers compute beside each other in a sweep, and slow each other down; so do those that measure.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.progress import Progress

from gridsearch.errors import GridSearchError
from gridsearch.plan.cost_groups import CostGroup
from gridsearch.plan.plan import Plan
from gridsearch.stage import LogPoint
from gridsearch.training.execution import Execution
from gridsearch.training.step_timing import Visit, measuring
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch, Failure
from runners.backends.processes import ProcessesRunner
from runners.materials import make_materials
from runners.pricing.price_cache import Price

SECONDS = 16.0
"""Each worker measures steps for about so long, all groups together; slow encoders take longer."""
MOST_SECONDS = 4.0
"""No visit measures steps for longer than that: more of them say no more."""
FEWEST_VISITS = 2


class Measurement:
    """Hears what the visits found (a :class:`runners.contract.Listener`)."""

    def __init__(self, tell_done: Callable[[], object]) -> None:
        self._tell_done = tell_done
        self.visits: dict[str, list[Visit]] = {}
        self.failure: Failure | None = None
        self.start_seconds = math.inf
        self._begun = time.perf_counter()

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        """Nothing is leased."""

    def epoch(self, trial_id: str, epoch: Epoch) -> None:
        """A visit has no epochs."""

    def logged(self, stage_id: str, point: LogPoint) -> None:
        """A visit has no log."""

    def prune_wanted(self, trial_id: str) -> bool:
        """Never."""
        return False

    def pruned(self, trial_id: str) -> None:
        """No visit is pruned."""

    def finished(self, trial_id: str, outcome: Any) -> None:
        """Keep a visit. Of the first ones, the quickest tells what the start of a worker takes."""
        self._tell_done()
        self.visits.setdefault(trial_id, []).append(outcome)
        start = time.perf_counter() - self._begun - outcome.busy_seconds - outcome.waited_seconds
        self.start_seconds = min(self.start_seconds, start)

    def failed(self, trial_id: str, failure: Failure) -> None:
        """What cannot be measured could not be trained either."""
        self.failure = failure

    def stop_wanted(self) -> bool:
        """Whether a visit has failed."""
        return self.failure is not None


def measure(plan: Plan, groups: Sequence[CostGroup], n_workers: int, threads: int) -> list[Price]:
    """Measure what a trial of each group costs, in about half a minute for an encoder like tiny.

    Raises GridSearchError where a trial cannot be computed (out of memory, say).
    """
    n_visits = _n_visits(len(groups), n_workers)
    per_worker = len(groups) * n_visits / n_workers
    console = Console(stderr=True)
    # A visit takes another trial of its group each time: one that costs something else would show in the spread.
    trials = [[group.trials[visit % len(group.trials)] for visit in range(n_visits)] for group in groups]
    materials = make_materials(plan, {trial.id for several in trials for trial in several}, console.print)
    what = partial(measuring, seconds=min(MOST_SECONDS, SECONDS / per_worker))
    jobs = [Job(several[visit], Execution(threads)) for visit in range(n_visits) for several in trials]
    console.print(f"measuring {len(groups)} kinds of trials, {n_workers} at a time", highlight=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("measured", total=len(jobs))
        heard = Measurement(lambda: bar.advance(line))
        with ProcessesRunner(n_workers, threads, what) as runner:
            runner.run(jobs, materials, heard)
    if heard.failure is not None:
        raise GridSearchError(f"a trial cannot be measured ({heard.failure.kind}): {heard.failure.message}")
    found = [[visit for id_ in {trial.id for trial in several} for visit in heard.visits[id_]] for several in trials]
    return [_price(visits, n_workers, heard.start_seconds) for visits in found]


def _n_visits(n_groups: int, n_workers: int) -> int:
    """Return so many visits a group that no worker is without one while others measure, and two at least."""
    n_visits = n_workers // math.gcd(n_groups, n_workers)
    return n_visits * math.ceil(FEWEST_VISITS / n_visits)


def _price(visits: Sequence[Visit], n_workers: int, start_seconds: float) -> Price:
    parts = ("seconds", "setup_seconds", "step_seconds", "dev_seconds", "test_seconds", "core_share")
    return Price(
        **{name: fmean(getattr(visit, name) for visit in visits) for name in parts},
        low=min(visit.seconds for visit in visits),
        high=max(visit.seconds for visit in visits),
        n_steps=visits[0].n_steps,
        n_visits=len(visits),
        n_workers=n_workers,
        start_seconds=start_seconds,
        measured=time.time(),
    )
