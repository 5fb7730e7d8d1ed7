"""Measuring what a plan costs: several visits to each group of trials or pretrainings, by as many workers at a time as
a sweep has.

Workers compute beside each other in a sweep, and slow each other down; so do those that measure.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any, NamedTuple, TypeVar

from rich.console import Console
from rich.progress import Progress

from gridsearch.errors import GridSearchError
from gridsearch.planning.cost_groups import CostGroup
from gridsearch.planning.plan import Plan
from gridsearch.planning.stage_groups import StageGroup
from gridsearch.stage import MADE, LogPoint
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Work
from gridsearch.training.stage_timing import StageVisit, measuring_stage
from gridsearch.training.step_timing import Effort, Visit, measuring
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch, Failure
from runners.backends.processes import ProcessesRunner
from runners.materials import make_materials
from runners.pricing.price_cache import Price, StagePrice
from runners.pricing.stand_ins import with_stand_ins

SECONDS = 16.0
"""Each worker measures steps for about so long, all groups together; slow encoders take longer."""
MOST_SECONDS = 4.0
"""No visit measures steps for longer than that: more of them say no more."""
FEWEST_VISITS = 2
Item = TypeVar("Item")


class Measurement:
    """Hears what the visits found (a :class:`runners.contract.Listener`)."""

    def __init__(self, tell_done: Callable[[], object]) -> None:
        self._tell_done = tell_done
        self.visits: dict[str, list[Any]] = {}
        self.failure: Failure | None = None
        self.what_failed = ""
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

    def finished(self, work_id: str, outcome: Any) -> None:
        """Keep a visit. Of the first ones, the quickest tells what the start of a worker takes."""
        self._tell_done()
        self.visits.setdefault(work_id, []).append(outcome)
        start = time.perf_counter() - self._begun - outcome.busy_seconds - outcome.waited_seconds
        self.start_seconds = min(self.start_seconds, start)

    def failed(self, work_id: str, failure: Failure) -> None:
        """What cannot be measured could not be trained either."""
        self.failure, self.what_failed = failure, "pretraining" if work_id.startswith(MADE) else "trial"

    def stop_wanted(self) -> bool:
        """Whether a visit has failed."""
        return self.failure is not None


def measure(
    plan: Plan, groups: Sequence[CostGroup], stage_groups: Sequence[StageGroup], n_workers: int, threads: int
) -> tuple[list[Price], list[StagePrice]]:
    """Measure what a trial, and a pretraining, of each group costs: about half a minute for an encoder like tiny.

    Raises GridSearchError where one cannot be computed (out of memory, say).
    """
    n_kinds = len(groups) + len(stage_groups)
    n_visits = _n_visits(n_kinds, n_workers)
    seconds = min(MOST_SECONDS, SECONDS * n_workers / (n_kinds * n_visits))
    console = Console(stderr=True)
    # A visit takes another trial of its group each time: one that costs something else would show in the spread.
    visited = {_one_of(group.trials, visit).id for group in groups for visit in range(n_visits)}
    trials, materials = with_stand_ins(groups, make_materials(plan, visited, console.print))
    stages = [[work.stage for work in group.works] for group in stage_groups]
    kinds: list[Sequence[Work]] = [*trials, *stages]
    works = [[_one_of(kind, visit) for visit in range(n_visits)] for kind in kinds]
    jobs = [Job(of_kind[visit], Execution(threads)) for visit in range(n_visits) for of_kind in works]
    kinds_of_trials = "1 kind of trials" if len(groups) == 1 else f"{len(groups)} kinds of trials"
    told = [kinds_of_trials, *([f"{len(stage_groups)} of pretrainings"] if stage_groups else [])]
    console.print(f"measuring {' and '.join(told)}, {n_workers} at a time", highlight=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("measured", total=len(jobs))
        heard = Measurement(lambda: bar.advance(line))
        what, pretrain = partial(measuring, seconds=seconds), partial(measuring_stage, seconds=seconds)
        with ProcessesRunner(n_workers, threads, what, pretrain) as runner:
            runner.run(jobs, materials, heard)
    if heard.failure is not None:
        raise GridSearchError(
            f"a {heard.what_failed} cannot be measured ({heard.failure.kind}): {heard.failure.message}"
        )
    found = [[visit for id_ in {work.id for work in of_kind} for visit in heard.visits[id_]] for of_kind in works]
    about = _About(n_visits, n_workers, heard.start_seconds)
    return (
        [_price(visits, about) for visits in found[: len(groups)]],
        [_stage_price(visits, about) for visits in found[len(groups) :]],
    )


def _one_of(several: Sequence[Item], visit: int) -> Item:
    return several[visit % len(several)]


def _n_visits(n_groups: int, n_workers: int) -> int:
    """Return so many visits a group that no worker is without one while others measure, and two at least."""
    n_visits = n_workers // math.gcd(n_groups, n_workers)
    return n_visits * math.ceil(FEWEST_VISITS / n_visits)


class _About(NamedTuple):
    """What is the same for all that are measured together."""

    n_visits: int
    n_workers: int
    start_seconds: float


def _price(visits: Sequence[Visit], about: _About) -> Price:
    parts = ("seconds", "setup_seconds", "step_seconds", "dev_seconds", "test_seconds", "core_share")
    return Price(
        **_means(visits, parts),
        **about._asdict(),
        low=min(visit.seconds for visit in visits),
        high=max(visit.seconds for visit in visits),
        n_steps=visits[0].n_steps,
        peak_bytes=max(visit.peak_bytes for visit in visits),
        peak_of=min(visit.peak_of for visit in visits if visit.peak_bytes == max(one.peak_bytes for one in visits)),
        measured=time.time(),
    )


def _stage_price(visits: Sequence[StageVisit], about: _About) -> StagePrice:
    return StagePrice(
        **_means(visits, ("setup_seconds", "step_seconds", "core_share")),
        **about._asdict(),
        low_step_seconds=min(visit.step_seconds for visit in visits),
        high_step_seconds=max(visit.step_seconds for visit in visits),
        measured=time.time(),
    )


def _means(visits: Sequence[Effort], parts: Sequence[str]) -> dict[str, Any]:
    return {name: fmean(getattr(visit, name) for visit in visits) for name in parts}
