"""How long the rest takes, held against how long it then took: sweeps that are made up, on a clock that is a number."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from runners.progress.time_left import STEP, Course, Kind, TimeLeft, Work, n_workers_of, time_left
from runners.progress.words import time_left_text

UNIT = 60.0


@dataclass(frozen=True)
class Sweep:
    """Trials of kinds that cost so many times as much, on workers that all become ``slower`` half-way."""

    n_trials: int = 32
    n_epochs: int = 3
    n_workers: int = 2
    kinds: Sequence[float] = (1.0,)
    noise: float = 0.1
    slower: float = 1.0

    def run(self, seed: int) -> list[Course]:
        """Return how every trial goes."""
        chance = random.Random(seed)
        works = [Work(Kind(chance.randrange(len(self.kinds))), self.n_epochs) for _ in range(self.n_trials)]
        half = sum(self.kinds[cost_of(work)] for work in works) * self.n_epochs * UNIT / self.n_workers / 2
        free, courses = [0.0] * self.n_workers, []
        for number, work in enumerate(works):
            worker = min(range(self.n_workers), key=free.__getitem__)
            course = Course(f"trial {number}", work, free[worker])
            for epoch in range(1, self.n_epochs + 1):
                seconds = UNIT * self.kinds[cost_of(work)] * math.exp(chance.gauss(0, self.noise))
                before = max(0.0, min(seconds, half - course.latest))
                course.marks.append((epoch, course.latest + before + (seconds - before) * self.slower))
            course.ended, course.is_whole = course.latest, True
            free[worker] = course.latest
            courses.append(course)
        return courses


def cost_of(work: Work) -> int:
    assert isinstance(work.kind.cost, int)
    return work.kind.cost


def known_at(now: float, courses: Sequence[Course]) -> tuple[list[Course], dict[str, Work]]:
    """Return what is known at a moment: the attempts so far, and what waits."""
    begun = [
        replace(
            one,
            marks=[mark for mark in one.marks if mark[1] <= now],
            ended=one.ended if one.ended is not None and one.ended <= now else None,
            is_whole=one.ended is not None and one.ended <= now,
        )
        for one in courses
        if one.began <= now
    ]
    return begun, {one.name: one.work for one in courses if one.began > now}


def estimates(
    sweep: Sweep, seed: int, prices: dict[Kind, float] | None = None
) -> list[tuple[int, float, TimeLeft | None]]:
    """Return at 30 moments how many trials had ended, how long it then took, and what was foretold."""
    courses = sweep.run(seed)
    end = max(one.latest for one in courses)
    found = []
    for moment in range(1, 31):
        now = end * moment / 31
        begun, waiting = known_at(now, courses)
        n_ended = sum(one.ended is not None for one in begun)
        found.append((n_ended, end - now, time_left(begun, waiting, now, prices)))
    return found


def coverage(sweep: Sweep, n_ended: int = 4, **known: dict[Kind, float]) -> float:
    """Return how often the interval holds what then comes, once so many trials have ended."""
    inside = [
        left is not None and left.low <= true <= left.high
        for seed in range(8)
        for count, true, left in estimates(sweep, seed, **known)
        if count >= n_ended
    ]
    return sum(inside) / len(inside)


def one_by_one(work: Work, n_trials: int, n_epochs: int = 3) -> list[Course]:
    """Return trials of one worker that have ended after so many epochs of 10 s."""
    seconds = 10.0 * n_epochs
    begins = [seconds * number for number in range(n_trials)]
    marks = [[(float(epoch), began + 10.0 * epoch) for epoch in range(1, n_epochs + 1)] for began in begins]
    return [
        Course(str(number), work, began, marks[number], began + seconds, is_whole=True)
        for number, began in enumerate(begins)
    ]


SWEEPS = {
    # Of 60 sweeps each, 40 moments: the share of moments at which the interval held what then came.
    "as it began": (Sweep(), 0.99),
    "noisy": (Sweep(noise=0.3), 0.97),
    "three kinds": (Sweep(kinds=(1.0, 2.0, 0.4)), 0.98),
    "twice as slow from half-way on": (Sweep(slower=2.0), 0.78),
    "twice as slow, three kinds": (Sweep(kinds=(1.0, 2.0, 0.4), slower=2.0), 0.77),
    "twice as slow, one epoch each": (Sweep(n_epochs=1, slower=2.0), 0.68),
    "twice as slow, eight workers": (Sweep(n_workers=8, n_trials=64, slower=2.0), 0.72),
}
"""Before the pace changes nobody can know of it: most of what is outside of the interval lies there."""


@pytest.mark.slow  # 1.2 s
@pytest.mark.parametrize("name", SWEEPS)
def test_the_interval_holds_what_comes_most_of_the_time(name: str) -> None:
    sweep, measured = SWEEPS[name]
    assert coverage(sweep) > measured - 0.1


def test_after_a_change_of_pace_the_estimate_comes_back() -> None:
    late = [(true, left) for seed in range(8) for _, true, left in estimates(Sweep(slower=2.0), seed)[18:-3]]
    assert sum(left is not None and left.low <= true <= left.high for true, left in late) > 0.9 * len(late)


def test_a_forecast_is_known_from_the_start() -> None:
    kinds = (1.0, 2.0, 0.4)
    prices: dict[Kind, float] = {Kind(kind): UNIT * times for kind, times in enumerate(kinds)}
    works = {str(number): Work(Kind(number % 3), 3) for number in range(12)}
    left = time_left([], works, 0.0, prices)
    assert left is not None
    assert left.seconds == pytest.approx(4 * sum(kinds) * 3 * UNIT)
    assert coverage(Sweep(kinds=kinds), n_ended=0, prices=prices) > 0.9


def test_a_forecast_of_another_machine_is_corrected() -> None:
    prices: dict[Kind, float] = {Kind(0): UNIT / 3, Kind(1): 2 * UNIT / 3}
    assert coverage(Sweep(kinds=(1.0, 2.0)), prices=prices) > 0.9


def test_nothing_is_said_before_anything_is_known() -> None:
    work = Work(Kind("a"), 3)
    assert time_left([Course("1", work, 0.0)], {"2": work}, 5.0) is None
    assert time_left_text(None) == "time left not known yet"
    assert time_left([Course("1", work, 0.0, [(1.0, 10.0)])], {"2": work}, 10.0) is not None


def test_nothing_is_left_when_all_is_done() -> None:
    course = Course("1", Work(Kind("a"), 1), 0.0, [(1.0, 10.0)], ended=10.0, is_whole=True)
    assert time_left([course], {}, 10.0) is None


def test_it_is_never_zero_or_less_while_anything_runs() -> None:
    work = Work(Kind("a"), 2)
    done = Course("1", work, 0.0, [(1.0, 10.0), (2.0, 20.0)], ended=20.0, is_whole=True)
    for now in (20.0, 30.0, 39.9, 40.0, 60.0, 500.0):
        left = time_left([done, Course("2", work, 20.0, [(1.0, 30.0)] if now >= 30 else [])], {}, now)
        assert left is not None
        assert 0 < left.low <= left.seconds <= left.high
        assert left.seconds >= 1
        assert " 0 " not in time_left_text(left)


def test_a_machine_that_stands_still_is_noticed_before_it_says_anything() -> None:
    work = Work(Kind("a"), 1)
    done = one_by_one(work, 5, n_epochs=1)
    waiting = {str(number): work for number in range(6, 20)}
    later = [time_left([*done, Course("5", work, 50.0)], waiting, 50.0 + silent, {}) for silent in (5, 20, 60, 240)]
    seconds = [left.seconds for left in later if left is not None]
    assert all(after > 1.2 * before for before, after in pairwise(seconds))


def test_a_kind_that_was_not_seen_makes_it_less_sure() -> None:
    seen, unseen = Work(Kind("a"), 3), Work(Kind("b"), 3)
    done = [
        Course(str(n), seen, 30.0 * n, [(e, 30.0 * n + 10 * e) for e in (1, 2, 3)], 30.0 * n + 30, True)
        for n in range(6)
    ]
    sure, unsure = (time_left(done, {"x": work, "y": work}, 180.0) for work in (seen, unseen))
    assert sure is not None
    assert unsure is not None
    assert unsure.high / unsure.low > 2 * sure.high / sure.low


def test_patience_ends_runs_before_their_last_epoch() -> None:
    work = Work(Kind("a"), 10)
    done = [
        Course(str(n), work, 40.0 * n, [(e, 40.0 * n + 10 * e) for e in (1, 2, 3, 4)], 40.0 * n + 40, True)
        for n in range(8)
    ]
    left = time_left(done, {"x": work}, 320.0)
    assert left is not None
    assert left.seconds == pytest.approx(40, rel=0.05)


def test_a_trial_waits_for_its_pretraining() -> None:
    stage, trial = Work(Kind("p", STEP), 100), Work(Kind("t"), 1)
    done = [Course("0", trial, 0.0, [(1.0, 10.0)], 10.0, is_whole=True)]
    running = Course("s", stage, 10.0, [(50.0, 60.0)])
    left = time_left([*done, running], {"1": replace(trial, after="s")}, 60.0)
    assert left is not None
    assert left.seconds == pytest.approx(50 + 10, rel=0.05), "though a second worker may be free"


def test_a_checkpoint_goes_on_from_the_one_before_it() -> None:
    first, second = Work(Kind("p", STEP), 100), Work(Kind("p", STEP), 300, after="1", before=100)
    left = time_left([Course("1", first, 0.0, [(50.0, 50.0)])], {"2": second}, 50.0)
    assert left is not None
    assert left.seconds == pytest.approx(50 + 200, rel=0.05)


def test_workers_are_counted_by_what_runs_beside_what_runs_now() -> None:
    work = Work(Kind("a"), 1)
    past = [Course(str(n), work, 0.0, ended=10.0) for n in range(8)]
    assert n_workers_of([*past, Course("x", work, 20.0), Course("y", work, 25.0)]) == 2
    assert n_workers_of([Course("x", work, 0.0, ended=5.0), Course("y", work, 0.0), Course("z", work, 5.0)]) == 2
    assert n_workers_of([]) == 1


def test_steps_of_a_pretraining_say_nothing_of_epochs() -> None:
    running = Course("s", Work(Kind("p", STEP), 1000), 0.0, [(50.0, 5.0), (100.0, 10.0)])
    waiting = {"1": Work(Kind("t"), 2, after="s")}
    assert time_left([running], {}, 10.0) is not None
    assert time_left([running], waiting, 10.0) is None, "no epoch has been seen"
    assert time_left([running], waiting, 10.0, {Kind("t"): 30.0}) is not None


def test_a_million_trials_that_nobody_knows_are_one_piece_of_work() -> None:
    done = one_by_one(Work(Kind("a"), 3), 6)
    left = time_left(done, {"proposals": Work(Kind(None), 3, count=1_000_000)}, 180.0)
    assert left is not None
    assert left.seconds == pytest.approx(30e6, rel=0.01)
    assert left.high / left.low < 4
