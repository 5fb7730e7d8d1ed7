"""The forecast of a sweep: the prices of its groups, put together for so many workers."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import fmean
from typing import Any

from gridsearch.plan.cost_groups import CostGroup, groups_of
from gridsearch.plan.plan import Plan
from runners.cli import Arguments
from runners.machine import gpu_names, usable_cores
from runners.pricing.price_cache import Circumstances, Price, circumstances_here, find_price


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
class Forecast:
    """Groups with their prices, and what the given trials take altogether: wall seconds and seconds of all workers.

    No other program takes the workers' cores. ``low`` and ``high`` are the wall seconds if every trial is as quick, or
    as slow, as the extreme visit of its group; ``disturbed`` those if others take as much as when it was measured.
    """

    groups: tuple[CostGroup, ...]
    prices: tuple[Price, ...]
    allotment: Allotment
    n_trials: int
    wall_seconds: float
    low: float
    high: float
    disturbed: float
    held_seconds: float

    @property
    def core_seconds(self) -> float:
        """Seconds of a core."""
        return self.held_seconds * self.allotment.threads

    @property
    def gpu_seconds(self) -> float:
        """Seconds of a GPU."""
        return self.held_seconds * self.allotment.n_gpus

    @property
    def measured(self) -> list[str]:
        """Days on which the prices were measured, as people write them."""
        return sorted({date.fromtimestamp(price.measured).isoformat() for price in self.prices})

    def to_json(self) -> dict[str, Any]:
        """Return what the ledger keeps of it; each group with its trials, so that nothing has to be told again."""
        return {
            "measured": self.measured,
            "workers": self.allotment.n_workers,
            "trials": self.n_trials,
            "wall_seconds": self.wall_seconds,
            "core_seconds": self.core_seconds,
            "gpu_seconds": self.gpu_seconds,
            "groups": [
                {"settings": group.settings, "seconds": price.seconds, "trials": [trial.id for trial in group.trials]}
                for group, price in zip(self.groups, self.prices, strict=True)
            ],
        }


def circumstances_of(plan: Plan, allotment: Allotment) -> Circumstances:
    """Say what the prices of a plan depend on."""
    return circumstances_here(plan.task.fingerprint, allotment.threads, allotment.gpus)


def known_prices(plan: Plan, groups: Sequence[CostGroup], allotment: Allotment) -> list[Price | None]:
    """Return the price of each group, as far as it has been measured here."""
    circumstances = circumstances_of(plan, allotment)
    return [find_price(group, circumstances, allotment.n_workers) for group in groups]


def forecast_of(plan: Plan, groups: Sequence[CostGroup], prices: Sequence[Price], allotment: Allotment) -> Forecast:
    """Put the prices of the groups' trials together, in the order in which they run."""
    price_of = {trial.id: price for group, price in zip(groups, prices, strict=True) for trial in group.trials}
    order = [price_of[trial.id] for trial in plan.in_running_order(set(price_of))]
    start = max((price.start_seconds for price in order), default=0.0)
    n_busy = min(allotment.n_workers, len(order))
    # More threads than cores wait for each other, which no price knows of.
    crowd = max(1.0, n_busy * allotment.threads / allotment.n_cores)

    def wall(seconds: Iterable[float]) -> float:
        return start + crowd * makespan(seconds, allotment.n_workers) if order else 0.0

    return Forecast(
        tuple(groups),
        tuple(prices),
        allotment,
        n_trials=len(order),
        wall_seconds=wall(price.seconds for price in order),
        low=wall(price.low for price in order),
        high=wall(price.high for price in order),
        disturbed=wall(price.seconds for price in order) / (mean_share(prices) if prices else 1.0),
        held_seconds=n_busy * start + crowd * sum(price.seconds for price in order),
    )


def mean_share(prices: Sequence[Price]) -> float:
    """Return the part of the time in which those who measured had a core."""
    return fmean(price.core_share for price in prices)


def makespan(seconds: Iterable[float], n_workers: int) -> float:
    """Return when the last of some jobs ends that free workers take in their order.

    >>> makespan([3.0, 1.0, 1.0, 4.0], 2)
    6.0
    """
    ends = [0.0] * n_workers
    for one in seconds:
        heapq.heapreplace(ends, ends[0] + one)
    return max(ends)


def known_forecast(plan: Plan, groups: Sequence[CostGroup], allotment: Allotment) -> Forecast | None:
    """Put together what is known of these groups; None where the price of any is not."""
    prices = [price for price in known_prices(plan, groups, allotment) if price is not None]
    return forecast_of(plan, groups, prices, allotment) if len(prices) == len(groups) else None


def foreseen(plan: Plan, trial_ids: set[str], arguments: Arguments) -> dict[str, object]:
    """Return what the ledger keeps of the forecast that a sweep of these trials begins with.

    Empty where their prices are not known, or where another machine runs them.
    """
    if arguments.address is not None:
        return {}
    found = known_forecast(plan, only(groups_of(plan), trial_ids), worker_allotment(arguments))
    return {} if found is None else {"predicted": found.to_json()}


def only(groups: Iterable[CostGroup], trial_ids: set[str]) -> list[CostGroup]:
    """Leave these trials in the groups, and the groups that have any of them."""
    left = [replace(one, trials=tuple(trial for trial in one.trials if trial.id in trial_ids)) for one in groups]
    return [group for group in left if group.trials]
