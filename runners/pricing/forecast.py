"""The forecast of a sweep: the prices of its trials and pretrainings, put together for so many workers."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import fmean
from typing import Any

from gridsearch.encoders.pretraining.made import find
from gridsearch.planning.cost_groups import CostGroup, groups_of
from gridsearch.planning.plan import Plan
from gridsearch.planning.stage_groups import StageGroup, StageWork, stage_groups_of, works_of
from runners.cli import Arguments
from runners.machine import gpu_names, usable_cores
from runners.pricing.price_cache import (
    Circumstances,
    Fresh,
    Measured,
    Price,
    StagePrice,
    circumstances_here,
    find_price,
    find_stage_price,
)
from runners.pricing.simulation import TimedJob, simulated


@dataclass(frozen=True)
class Allotment:
    """Where the trials of a sweep run: so many at a time, each with its threads and its share of a GPU."""

    n_workers: int
    threads: int
    gpus: tuple[str, ...]
    gpu_share: float
    n_cores: int

    @property
    def n_gpus(self) -> float:
        """GPUs that a trial holds."""
        return self.gpu_share if self.gpus else 0.0


def worker_allotment(arguments: Arguments) -> Allotment:
    """Tell where a command's trials run on this machine: its options, and the defaults of the runners."""
    n_cores = len(usable_cores())
    asked, share = arguments.workers, getattr(arguments, "gpus_per_trial", None)
    gpus = () if share == 0 else gpu_names()
    if getattr(arguments, "runner", "") == "serial":
        n_workers = 1
    elif gpus:
        n_workers = asked or max(1, int(len(gpus) / (share or 1)))
    else:
        n_workers = asked or max(1, n_cores // arguments.threads)
    return Allotment(n_workers, arguments.threads, gpus, min(1.0, share or len(gpus) / n_workers), n_cores)


@dataclass(frozen=True)
class PricedStages:
    """The pretrainings that trials have to wait for, in groups with their prices."""

    groups: tuple[StageGroup, ...] = ()
    prices: tuple[StagePrice, ...] = ()

    @property
    def works(self) -> list[tuple[StageWork, StagePrice]]:
        """Each of them, and the price of its group."""
        return [(work, price) for group, price in zip(self.groups, self.prices, strict=True) for work in group.works]


@dataclass(frozen=True)
class Forecast:
    """Groups with their prices, and what the given trials take altogether: wall seconds and seconds of all workers.

    The pretrainings that they wait for are part of both: the workers hold ``stage_seconds`` for them. From the first
    trial's begin on it is ``wall_seconds_of_trials``.

    No other program takes the workers' cores. ``low`` and ``high`` are the wall seconds if everything is as quick, or
    as slow, as the extreme visit of its group; ``disturbed`` those if others take as much as when it was measured.
    """

    groups: tuple[CostGroup, ...]
    prices: tuple[Price, ...]
    stages: PricedStages
    allotment: Allotment
    n_trials: int
    wall_seconds: float
    low: float
    high: float
    disturbed: float
    held_seconds: float
    stage_seconds: float
    wall_seconds_of_trials: float

    @property
    def core_seconds(self) -> float:
        """Seconds of a core."""
        return self.held_seconds * self.allotment.threads

    @property
    def gpu_seconds(self) -> float:
        """Seconds of a GPU."""
        return self.held_seconds * self.allotment.n_gpus

    @property
    def all_prices(self) -> tuple[Measured, ...]:
        """Those of trials and of pretrainings."""
        return (*self.prices, *self.stages.prices)

    @property
    def measured(self) -> list[str]:
        """Days on which the prices were measured, as people write them."""
        return sorted({date.fromtimestamp(price.measured).isoformat() for price in self.all_prices})

    def to_json(self) -> dict[str, Any]:
        """Return what the ledger keeps of it; each group with its trials, so that nothing has to be told again.

        Seconds of pretrainings stand by themselves, by the stage's id: the others are of the trials alone.
        """
        of_trials = self.held_seconds - self.stage_seconds
        return {
            "measured": self.measured,
            "workers": self.allotment.n_workers,
            "trials": self.n_trials,
            "wall_seconds": self.wall_seconds_of_trials,
            "core_seconds": of_trials * self.allotment.threads,
            "gpu_seconds": of_trials * self.allotment.n_gpus,
            "groups": [
                {"settings": group.settings, "seconds": price.seconds, "trials": [trial.id for trial in group.trials]}
                for group, price in zip(self.groups, self.prices, strict=True)
            ],
            "pretraining": {work.stage.id: price.seconds(work.n_steps) for work, price in self.stages.works},
        }


def circumstances_of(plan: Plan, allotment: Allotment) -> Circumstances:
    """Say what the prices of a plan depend on."""
    return circumstances_here(plan.task.fingerprint, allotment.threads, allotment.gpus)


def known_prices(
    plan: Plan, groups: Sequence[CostGroup], allotment: Allotment, fresh: Fresh | None = None
) -> list[Price | None]:
    """Return the price of each group, as far as it has been measured here; ``fresh``: just now."""
    circumstances = circumstances_of(plan, allotment)
    return [find_price(group, circumstances, allotment.n_workers, fresh) for group in groups]


def known_stage_prices(
    plan: Plan, groups: Sequence[StageGroup], allotment: Allotment, fresh: Fresh | None = None
) -> list[StagePrice | None]:
    """Return the price of each group of pretrainings, as far as it has been measured here; ``fresh``: just now."""
    circumstances = circumstances_of(plan, allotment)
    return [find_stage_price(group, circumstances, allotment.n_workers, fresh) for group in groups]


def forecast_of(
    plan: Plan,
    groups: Sequence[CostGroup],
    prices: Sequence[Price],
    allotment: Allotment,
    stages: PricedStages | None = None,
) -> Forecast:
    """Put the prices of the groups' trials together, in the order in which they run.

    ``stages`` are the pretrainings that are not made yet.
    """
    stages = stages or PricedStages()
    price_of = {trial.id: price for group, price in zip(groups, prices, strict=True) for trial in group.trials}
    order, works = plan.in_running_order(set(price_of)), stages.works
    to_be_made = {work.stage.id for work, _ in works}
    all_prices: tuple[Measured, ...] = (*prices, *stages.prices)
    start = max((price.start_seconds for price in all_prices), default=0.0)
    n_busy = min(allotment.n_workers, len(order) + len(works))
    # More threads than cores wait for each other, which no price knows of.
    crowd = max(1.0, n_busy * allotment.threads / allotment.n_cores)

    def spans(which: str) -> dict[str, tuple[float, float]]:
        """Tell when each job begins and ends, at the prices that the attributes of this name are."""
        jobs = {work.stage.id: TimedJob(getattr(price, which)(work.n_steps), work.after) for work, price in works}
        for trial in order:
            after = trial.encoder if trial.encoder in to_be_made else None
            jobs[trial.id] = TimedJob(getattr(price_of[trial.id], which), after)
        return simulated((trial.id for trial in order), jobs, allotment.n_workers)

    def wall(found: dict[str, tuple[float, float]]) -> float:
        return start + crowd * max(end for _, end in found.values()) if found else 0.0

    found = spans("seconds")
    wall_seconds = wall(found)
    before_trials = min((found[trial.id][0] for trial in order), default=0.0)
    stage_seconds = crowd * sum(price.seconds(work.n_steps) for work, price in works)
    return Forecast(
        tuple(groups),
        tuple(prices),
        stages,
        allotment,
        n_trials=len(order),
        wall_seconds=wall_seconds,
        low=wall(spans("low")),
        high=wall(spans("high")),
        disturbed=wall_seconds / (mean_share(all_prices) if all_prices else 1.0),
        held_seconds=n_busy * start + crowd * sum(price_of[trial.id].seconds for trial in order) + stage_seconds,
        stage_seconds=stage_seconds,
        wall_seconds_of_trials=wall_seconds - crowd * before_trials,
    )


def mean_share(prices: Sequence[Measured]) -> float:
    """Return the part of the time in which those who measured had a core."""
    return fmean(price.core_share for price in prices)


def made_stages(plan: Plan) -> set[str]:
    """Return the pretrainings whose encoder lies in the cache: they cost nothing."""
    return {stage_id for stage_id in plan.stages if find(stage_id) is not None}


def known_forecast(
    plan: Plan,
    groups: Sequence[CostGroup],
    stage_groups: Sequence[StageGroup],
    allotment: Allotment,
    fresh: Fresh | None = None,
) -> Forecast | None:
    """Put together what is known of these groups; None where the price of any is not."""
    prices = [price for price in known_prices(plan, groups, allotment, fresh) if price is not None]
    stage_prices = [price for price in known_stage_prices(plan, stage_groups, allotment, fresh) if price is not None]
    if len(prices) + len(stage_prices) < len(groups) + len(stage_groups):
        return None
    return forecast_of(plan, groups, prices, allotment, PricedStages(tuple(stage_groups), tuple(stage_prices)))


def foreseen(plan: Plan, trial_ids: set[str], arguments: Arguments) -> dict[str, object]:
    """Return what the ledger keeps of the forecast that a sweep of these trials begins with.

    Empty where their prices are not known, or where another machine runs them.
    """
    if arguments.address is not None:
        return {}
    stage_groups = stage_groups_of(works_of(plan, trial_ids, made_stages(plan)), plan)
    found = known_forecast(plan, only(groups_of(plan), trial_ids), stage_groups, worker_allotment(arguments))
    return {} if found is None else {"predicted": found.to_json()}


def only(groups: Iterable[CostGroup], trial_ids: Collection[str]) -> list[CostGroup]:
    """Leave these trials in the groups, and the groups that have any of them."""
    left = [replace(one, trials=tuple(trial for trial in one.trials if trial.id in trial_ids)) for one in groups]
    return [group for group in left if group.trials]
