"""When jobs begin and end that free workers take in their order, each after the one that it waits for."""

import heapq
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TimedJob:
    """So many seconds of a worker, once the job ``after`` (by its name) has ended, if any."""

    seconds: float
    after: str | None = None


def simulated(wanted: Iterable[str], jobs: Mapping[str, TimedJob], n_workers: int) -> dict[str, tuple[float, float]]:
    """Return when each job begins and ends: the wanted ones in their order, and those that they wait for.

    The order is that of runners/schedules/stages_first.py. What is waited for is begun when the first that waits for it
    has its turn; others pass those that wait; when it has ended, they come before the rest, trials before stages.

    >>> jobs = {"a": TimedJob(3.0), "b": TimedJob(1.0), "c": TimedJob(1.0), "d": TimedJob(4.0)}
    >>> max(end for _, end in simulated("abcd", jobs, 2).values())
    6.0
    """
    feed, queue, found = iter(wanted), deque[str](), dict[str, tuple[float, float]]()
    waiting: dict[str, list[str]] = {}
    ended: set[str] = set()
    busy: list[tuple[float, int, str]] = []
    now = 0.0

    def take(name: str) -> None:
        after = jobs[name].after
        if after is None or after in ended:
            queue.append(name)
            return
        is_new = after not in waiting
        waiting.setdefault(after, []).append(name)
        if is_new:
            take(after)

    while True:
        while len(busy) < n_workers:
            while not queue and (name := next(feed, None)) is not None:
                take(name)
            if not queue:
                break
            name = queue.popleft()
            found[name] = now, now + jobs[name].seconds
            heapq.heappush(busy, (found[name][1], len(found), name))
        if not busy:
            return found
        now, _, name = heapq.heappop(busy)
        ended.add(name)
        queue.extend(sorted(waiting.pop(name, []), key=waiting.__contains__))
