"""Prices that were measured on this machine, kept in the cache: one small file each, replaced as a whole or not at all.

A file's folder is named by all that a price depends on, machine and versions included: on another machine that shares
the cache, or after an update, there is none yet.
"""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import gridsearch
from gridsearch.cache import cache_folder, kept, write_kept
from gridsearch.canonical import fingerprint
from gridsearch.planning.cost_groups import CostGroup
from gridsearch.planning.stage_groups import StageGroup
from runners.machine import processor, usable_cores

LIBRARIES = ("torch", "transformers")
"""Whose versions a price depends on."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How a price was measured: by ``n_visits``, of ``n_workers`` at the same time, as in a sweep.

    Each worker took ``start_seconds`` to start. ``measured`` is the Unix time. Time in which a worker waited for its
    core is in no price; in ``core_share`` of it there was no wait.
    """

    n_visits: int
    n_workers: int
    start_seconds: float
    measured: float
    core_share: float


@dataclass(frozen=True, kw_only=True)
class Price(Measured):
    """What a trial of a group costs, in seconds: means over visits; ``low`` and ``high`` are their extremes.

    ``peak_bytes`` is the largest peak of memory, ``peak_of`` whose it is (see gridsearch/training/step_timing.py); None
    in prices that an older version measured.
    """

    seconds: float
    low: float
    high: float
    setup_seconds: float
    step_seconds: float
    dev_seconds: float
    test_seconds: float
    n_steps: int
    peak_bytes: int | None = None
    peak_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class StagePrice(Measured):
    """What pretrainings of a group cost, in seconds: all but their steps, and a step.

    They are means over visits; ``low_step_seconds`` and ``high_step_seconds`` are the extremes.
    """

    setup_seconds: float
    step_seconds: float
    low_step_seconds: float
    high_step_seconds: float

    def seconds(self, n_steps: int) -> float:
        """Return what so many steps cost."""
        return self.setup_seconds + n_steps * self.step_seconds

    def low(self, n_steps: int) -> float:
        """Return what they cost if every step is as quick as those of the quickest visit."""
        return self.setup_seconds + n_steps * self.low_step_seconds

    def high(self, n_steps: int) -> float:
        """Return what they cost if every step is as slow as those of the slowest visit."""
        return self.setup_seconds + n_steps * self.high_step_seconds


AnyPrice = TypeVar("AnyPrice", Price, StagePrice)
Priced = tuple[CostGroup, Price] | tuple[StageGroup, StagePrice]
Fresh = dict[str, Price | StagePrice]
"""Prices that this process has measured, by the names of their folders: the cache may have no room for them."""


@dataclass(frozen=True)
class Circumstances:
    """What prices depend on beside what is priced: task, threads, machine, versions. Without GPUs all is on cores."""

    task: str
    threads: int
    gpus: tuple[str, ...]
    host: str
    processor: str
    cores: int
    versions: Mapping[str, str]

    def of(self, group: CostGroup | StageGroup) -> dict[str, Any]:
        """Return all that the price of a group depends on. A stage reads a corpus, whichever task it is of."""
        if isinstance(group, StageGroup):
            return {**asdict(self), "task": None, "stage": group.cost}
        return {**asdict(self), "encoder": group.encoder, "cost": group.cost}


def circumstances_here(task: str, threads: int, gpus: tuple[str, ...]) -> Circumstances:
    """Describe this machine; ``task`` is the fingerprint of a task."""
    versions = {"gridsearch": gridsearch.__version__, **{name: version(name) for name in LIBRARIES}}
    n_cores = len(usable_cores())
    return Circumstances(task, threads, gpus, socket.gethostname(), processor(), n_cores, versions)


def save_prices(prices: Iterable[Priced], circumstances: Circumstances) -> tuple[Fresh, OSError | None]:
    """Keep prices as far as that can be; return all of them, and the first error of the disk."""
    fresh: Fresh = {}
    first: OSError | None = None
    for group, price in prices:
        fresh[fingerprint(circumstances.of(group))] = price
        try:
            save_price(price, group, circumstances)
        except OSError as error:
            first = first or error
    return fresh, first


def save_price(price: Price | StagePrice, group: CostGroup | StageGroup, circumstances: Circumstances) -> None:
    """Keep a price; one that was measured with as many workers before is replaced."""
    about = circumstances.of(group)
    write_kept(_folder(about) / f"{price.n_workers}.json", {"about": about, "price": asdict(price)})


def find_price(
    group: CostGroup, circumstances: Circumstances, n_workers: int, fresh: Fresh | None = None
) -> Price | None:
    """Return the last price with so many workers, or else with the next best number of them; None without any.

    One that is ``fresh`` is the last.
    """
    return _nearest(circumstances.of(group), Price, n_workers, fresh)


def find_stage_price(
    group: StageGroup, circumstances: Circumstances, n_workers: int, fresh: Fresh | None = None
) -> StagePrice | None:
    """Return the price of a group of stages, as :func:`find_price` does."""
    return _nearest(circumstances.of(group), StagePrice, n_workers, fresh)


def _nearest(about: Mapping[str, Any], kind: type[AnyPrice], n_workers: int, fresh: Fresh | None) -> AnyPrice | None:
    if isinstance(known := (fresh or {}).get(fingerprint(about)), kind):
        return known
    found = [price for file in _folder(about).glob("*.json") if (price := _read(file, kind))]
    return min(found, key=lambda price: abs(price.n_workers - n_workers), default=None)


def _folder(about: Mapping[str, Any]) -> Path:
    return cache_folder() / "prices" / fingerprint(about)


def _read(file: Path, kind: type[AnyPrice]) -> AnyPrice | None:
    """Read a price; what an older version wrote, or a disk has damaged, is none."""
    try:
        return kind(**kept(file)["price"])
    except (TypeError, KeyError):
        return None
