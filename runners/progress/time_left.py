"""How long the rest takes: from what has been done so far, and how quickly of late. Without a clock of its own.

Work is counted in units: the epochs of a trial, the steps of a pretraining. Of each unit that was heard of,

    log(seconds) = log(what its kind costs) + pace at that moment + noise

where the pace is what all workers have in common: the machine may slow down. The cost of a kind begins as the forecast
has it, or as the mean of the kinds seen so far, and moves to what is seen of it.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

import numpy as np

from runners.pricing.simulation import TimedJob, simulated

MOST_OBSERVATIONS = 150
"""What lies further back says nothing of the pace."""
MEMORY = 3.0
"""The pace is the mean of the recent past: of so many times as long as a unit takes."""
NOISE, FORECAST_ERROR, KINDS_DIFFER, DRIFT = 0.15, 0.25, 0.7, 0.33
"""Before anything is seen, in logarithms: how far two units of one kind are apart, a forecast from what is seen, kinds
from each other, and the pace of the past from that of an equally long future."""
WIDTH = 1.28
"""Standard deviations to either side: four in five of a normal distribution are within."""
SLOWER = 1.4
"""So many times as far the interval goes to the slow side: other programs come more often than they are foreseen."""
EPOCH, STEP = "epoch", "step"
"""Units: of trials, and of pretrainings."""
SHORTEST = 1.0
"""Seconds: what runs is never done at once."""


class Kind(NamedTuple):
    """What costs the same. Of a ``cost`` None nothing is known but that it is like what was seen of its unit."""

    cost: Hashable
    unit: str = EPOCH


@dataclass(frozen=True)
class Work:
    """Units of a kind, up to ``n_units``, of which ``before`` are somebody else's; ``after`` is what it waits for.

    ``count`` of a kind may stand for as many trials, of which nobody knows yet which they are.
    """

    kind: Kind
    n_units: float
    after: str | None = None
    before: float = 0.0
    count: int = 1


@dataclass
class Course:
    """How an attempt at some work (by its name) goes: when it began and ended, and when it came to how many units.

    All moments are of one clock, in seconds. ``is_whole``: it has ended as it was to end, be it earlier than planned.
    """

    name: str
    work: Work
    began: float
    marks: list[tuple[float, float]] = field(default_factory=list)
    ended: float | None = None
    is_whole: bool = False
    worker: str = ""

    @property
    def n_done(self) -> float:
        """Units that it has come to."""
        return self.marks[-1][0] if self.marks else self.work.before

    @property
    def latest(self) -> float:
        """When it was last heard of."""
        return self.marks[-1][1] if self.marks else self.began


@dataclass(frozen=True)
class TimeLeft:
    """Seconds that the rest takes, and between which four in five such rests lie."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True)
class _Seen:
    """So many units of a kind took ``seconds`` each, until ``moment``."""

    kind: Kind
    moment: float
    seconds: float
    n_units: float


def time_left(
    courses: Sequence[Course],
    waiting: Mapping[str, Work],
    now: float,
    prices: Mapping[Kind, float] | None = None,
) -> TimeLeft | None:
    """Tell how long it takes until all that runs and waits is done; None where nothing is left, or is not known yet.

    ``courses`` are the attempts so far, those under way included; ``waiting`` is what has not begun, in its order.
    ``prices`` are the forecast seconds of a unit by kind, as far as they were measured.
    """
    running = {course.name: course for course in courses if course.ended is None}
    if not running and not waiting:
        return None
    prices = prices or {}
    seen = _seen(courses)[-MOST_OBSERVATIONS:]
    works = {name: course.work for name, course in running.items()} | {**waiting}
    pace = _Pace(seen, prices, now)
    if not all(pace.knows(work.kind) for work in works.values()):
        return None
    pace.hear_of_overdue(running.values(), now)
    share = _share_of_units(courses)
    seconds = {
        name: pace.rest(running[name], now, share) if name in running else pace.whole(work, share)
        for name, work in works.items()
    }
    # What is waited for and is neither here nor there has ended.
    jobs = {
        name: TimedJob(seconds[name], work.after if work.after in works else None)
        for name, work in works.items()
        if work.count == 1
    }
    n_workers = n_workers_of(courses)
    total = max((end for _, end in simulated(jobs, jobs, n_workers).values()), default=0.0)
    total += sum(seconds[name] for name in works.keys() - jobs.keys()) / n_workers
    so_far = sum((now if one.ended is None else one.ended) - one.began for one in courses) / n_workers
    rest = [(work.kind, seconds[name], work.count) for name, work in works.items()]
    spread = WIDTH * pace.uncertainty(rest, total / (total + so_far))
    return TimeLeft(total, total * math.exp(-spread), total * math.exp(SLOWER * spread))


def n_workers_of(courses: Sequence[Course]) -> int:
    """Count the attempts that ran at the same time at most, since those that run now began: so many workers there are.

    >>> work = Work(Kind("a"), 1)
    >>> n_workers_of([Course("1", work, 0, ended=2), Course("2", work, 1, ended=3), Course("3", work, 1)])
    3
    """
    since = min((one.began for one in courses if one.ended is None), default=-math.inf)
    ends = [(math.inf if one.ended is None else one.ended, one.began) for one in courses]
    # What ends at a moment makes room for what begins at it.
    changes = sorted(change for end, began in ends if end > since for change in ((began, 1), (end, -1)))
    most = count = 0
    for _, change in changes:
        count += change
        most = max(most, count)
    return max(1, most)


def _seen(courses: Iterable[Course]) -> list[_Seen]:
    """Return how long units took, by the moment at which that was known."""
    found = []
    for course in courses:
        marks = [(0.0, course.began), *course.marks]
        if course.is_whole and course.ended is not None:
            # What is done after the last unit, such as judging test, is a part of it.
            last = course.n_done if course.marks else course.work.n_units
            marks = [*(marks[:-1] if course.marks else marks), (last, course.ended)]
        for (before, since), (after, until) in pairwise(marks):
            if after > before and until > since:
                found.append(_Seen(course.work.kind, until, (until - since) / (after - before), after - before))
    return sorted(found, key=lambda one: one.moment)


def _share_of_units(courses: Iterable[Course]) -> float:
    """Return which part of its units an attempt takes: runs that patience or a pruner ends take fewer."""
    whole = [course for course in courses if course.is_whole and course.marks]
    planned = sum(course.work.n_units for course in whole)
    return sum(course.n_done for course in whole) / planned if planned else 1.0


class _Pace:
    """What kinds cost and how quick the machine is now, fitted to what was seen."""

    def __init__(self, seen: Sequence[_Seen], prices: Mapping[Kind, float], now: float) -> None:
        self._prices, self._n_seen = prices, len(seen)
        logs = np.array([math.log(one.seconds) for one in seen])
        told = [(kind.unit, math.log(price)) for kind, price in prices.items()]
        told += [(one.kind.unit, log) for one, log in zip(seen, logs.tolist(), strict=True)]
        self._common = {unit: fmean(log for one, log in told if one == unit) for unit, _ in told}
        self._kinds: dict[Kind, float] = {}
        self._counts: dict[Kind, int] = {}
        self._units: dict[Kind, float] = {}
        self._noise, self._drift, self._now, self._n_now = NOISE, DRIFT, 0.0, 0.0
        if seen:
            self._fit(seen, logs, now)

    def _fit(self, seen: Sequence[_Seen], logs: np.ndarray, now: float) -> None:
        """Take turns: kinds by what the pace leaves, the pace by what the kinds leave."""
        lengths = np.array([one.seconds * one.n_units for one in seen])
        moments = np.array([one.moment for one in seen])
        self._memory = MEMORY * float((lengths**2).sum() / lengths.sum())
        places: dict[Kind, list[int]] = {}
        for place, one in enumerate(seen):
            places.setdefault(one.kind, []).append(place)
        self._counts = {kind: len(those) for kind, those in places.items()}
        self._units = {kind: fmean(seen[place].n_units for place in those) for kind, those in places.items()}
        above = logs - np.array([self._base(one.kind) for one in seen])
        near = self._weights(np.abs(moments[:, None] - moments[None, :])) * lengths
        self._recent = self._weights(now - moments) * lengths
        of_kind, pace = np.zeros(len(seen)), np.zeros(len(seen))
        for _ in range(8):
            for kind, those in places.items():
                shrunk = len(those) + (NOISE / self._spread_of(kind)) ** 2
                self._kinds[kind] = float((above[those] - pace[those]).sum() / shrunk)
                of_kind[those] = self._kinds[kind]
            pace = near @ (above - of_kind) / near.sum(axis=1)
        rest = above - of_kind
        self._sum, self._weight = float(self._recent @ rest), float(self._recent.sum())
        self._now = self._sum / self._weight
        self._n_now = self._weight**2 / float((self._recent**2).sum())
        # A few observations say little of how far others lie from them.
        squares = float(((rest - pace) ** 2).sum())
        self._noise = math.sqrt((4 * NOISE**2 + squares) / (4 + max(0, len(seen) - len(places))))
        self._drift = math.sqrt(DRIFT**2 + float(np.cov(pace, aweights=lengths)) if len(seen) > 2 else DRIFT**2)

    def _weights(self, ages: np.ndarray) -> np.ndarray:
        """What is latest counts most, however long ago that is."""
        weights: np.ndarray = np.exp(-(ages - ages.min(axis=-1, keepdims=True)) / self._memory)
        return weights

    def _base(self, kind: Kind) -> float:
        return math.log(self._prices[kind]) if kind in self._prices else self._common[kind.unit]

    def _spread_of(self, kind: Kind) -> float:
        return FORECAST_ERROR if kind in self._prices else KINDS_DIFFER

    def _variance_of(self, kind: Kind) -> float:
        """Return how sure the cost of a kind is; of one that may be any, how sure the mean of those seen is."""
        if kind.cost is not None:
            return 1 / (1 / self._spread_of(kind) ** 2 + self._counts.get(kind, 0) / self._noise**2)
        effects = [(self._kinds[one], count) for one, count in self._counts.items() if one.unit == kind.unit]
        n_seen = sum(count for _, count in effects)
        middle = sum(effect * count for effect, count in effects) / max(1, n_seen)
        squares = sum(count * (effect - middle) ** 2 for effect, count in effects)
        return (KINDS_DIFFER**2 + squares) / (1 + n_seen) ** 2

    def knows(self, kind: Kind) -> bool:
        """Whether anything is known of its unit: a step of a pretraining says nothing of an epoch."""
        return kind.unit in self._common

    def cost(self, kind: Kind) -> float:
        """Return the seconds of a unit at the pace of now; of a kind that is not known, the mean of what is."""
        if kind in self._prices or kind in self._kinds:
            return math.exp(self._base(kind) + self._kinds.get(kind, 0.0) + self._now)
        others = {one: self._counts.get(one, 0) for one in (*self._prices, *self._kinds) if one.unit == kind.unit}
        # A forecast may be of more kinds than were seen; each of them counts once.
        weights = [max(1, count) for count in others.values()]
        return fmean(map(self.cost, others), weights)

    def whole(self, work: Work, share: float) -> float:
        """Return the seconds that some work takes from its begin, or from where the work before it ends."""
        return work.count * max(SHORTEST, self.cost(work.kind) * (work.n_units - work.before) * share)

    def hear_of_overdue(self, running: Iterable[Course], now: float) -> None:
        """Slow down by what should have been heard of by now: a machine that stands still says nothing."""
        for course in running:
            silent = now - course.latest
            expected = self.cost(course.work.kind) * self._units.get(course.work.kind, 1.0)
            if self._n_seen and silent > expected:
                self._sum += silent * (self._now + math.log(silent / expected))
                self._weight += silent
        if self._n_seen:
            self._now = self._sum / self._weight

    def rest(self, course: Course, now: float, share: float) -> float:
        """Return the seconds that an attempt under way still takes; one that is overdue takes a little longer yet."""
        n_left = (course.work.n_units - course.n_done) * share
        silent = now - course.latest
        return max(SHORTEST, self.cost(course.work.kind) * n_left - silent, 0.1 * silent)

    def uncertainty(self, rest: Sequence[tuple[Kind, float, int]], share_ahead: float) -> float:
        """Return the standard deviation, in logarithms, of the time that some work takes.

        ``rest`` is of so many seconds, of a kind, in so many pieces. ``share_ahead`` of all the time lies ahead: the
        more, the more may change.
        """
        total = sum(seconds for _, seconds, _ in rest)
        by_kind: dict[Kind, float] = {}
        for kind, seconds, _ in rest:
            by_kind[kind] = by_kind.get(kind, 0.0) + seconds / total
        of_kinds = sum(part**2 * self._variance_of(kind) for kind, part in by_kind.items())
        of_each = sum((seconds / total * self._noise) ** 2 / count for _, seconds, count in rest)
        of_now = self._noise**2 / self._n_now if self._n_seen else FORECAST_ERROR**2
        return math.sqrt(of_kinds + of_each + of_now + self._drift**2 * share_ahead)
