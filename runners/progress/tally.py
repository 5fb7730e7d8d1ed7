"""The tally of a sweep that runs: what is done, what runs, what waits, and how long that takes. Shown by live.py."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, replace

from gridsearch.stage import LogPoint, Stage
from gridsearch.trial import Trial
from runners.progress.outlook import PROPOSALS, Outlook, course_of_stage, work_of_stage, work_of_trial
from runners.progress.time_left import MOST_OBSERVATIONS, Course, Kind, TimeLeft, Work, time_left


class Tally:
    """Counts trials and pretrainings, and knows how those that run have come along. ``now`` is Unix time.

    ``n_planned``, ``n_done`` (of which ``n_pruned`` ended early) and ``n_failed`` count trials.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._prices: Mapping[Kind, float] = {}
        self._waiting: dict[str, Work] = {}
        self._running: dict[str, Course] = {}
        self._courses: list[Course] = []
        self._logs: dict[str, list[LogPoint]] = {}
        self._stages: set[str] = set()
        self._deadline, self._is_bounded = math.inf, False
        self.n_planned = self.n_done = self.n_failed = self.n_pruned = 0

    def begin(self, outlook: Outlook, until: float = math.inf) -> None:
        """Count from here. After ``until`` seconds nothing new is begun."""
        self._prices, self._waiting = outlook.prices, dict(outlook.works)
        # What an earlier driver left under way has been closed, and runs again.
        self._running, self._courses = {}, [one for one in outlook.courses if one.ended is not None]
        self._stages = set(outlook.stages)
        self._deadline, self._is_bounded = self._now() + until, PROPOSALS in outlook.works
        self.n_planned, self.n_done, self.n_failed, self.n_pruned = (
            outlook.n_planned,
            outlook.n_done,
            outlook.n_failed,
            0,
        )

    def propose(self, trials: Iterable[Trial]) -> None:
        """Hear which trials a search has proposed: each stands for one that it was expected to propose, if any."""
        for trial in trials:
            expected = self._waiting.pop(PROPOSALS, None)
            if expected is None:
                self.n_planned += 1
            elif expected.count > 1:
                self._waiting[PROPOSALS] = replace(expected, count=expected.count - 1)
            self._waiting[trial.id] = work_of_trial(trial)

    def expect_stage(self, stage: Stage) -> None:
        """Hear that a pretraining is to be made."""
        self._stages.add(stage.id)
        self._waiting.setdefault(stage.id, work_of_stage(stage))

    def started(self, work_id: str) -> None:
        """A trial or a pretraining runs."""
        course = Course(work_id, self._waiting.pop(work_id, Work(Kind(None), 1.0)), self._now())
        self._running[work_id] = course
        self._courses.append(course)
        self._logs.pop(work_id, None)

    def epoch(self, trial_id: str, number: int) -> None:
        """A trial has finished an epoch."""
        self._running[trial_id].marks.append((float(number), self._now()))

    def logged(self, stage_id: str, point: LogPoint) -> None:
        """A pretraining has come so far."""
        log = self._logs.setdefault(stage_id, [])
        log.append(point)
        course = self._running[stage_id]
        told = course_of_stage(stage_id, course.work, log, self._now())
        course.began, course.marks = told.began, told.marks

    def ended(self, work_id: str) -> None:
        """A trial or a pretraining is finished, or need not run."""
        self._end(work_id)
        self.n_done += work_id not in self._stages

    def pruned(self, trial_id: str) -> None:
        """A trial was ended early, or spared before it began."""
        self._end(trial_id, is_whole=bool(self._running[trial_id].marks))
        self.n_done += 1
        self.n_pruned += 1

    def left_out(self, trial_id: str) -> None:
        """A trial that waited is left out."""
        self._end(trial_id)
        self.n_planned -= 1

    def failed(self, work_id: str, final: bool) -> None:
        """A trial or a pretraining has failed, for good or to be tried again."""
        course = self._end(work_id, is_whole=False)
        if course is not None and not final:
            self._waiting[work_id] = course.work
        self.n_failed += final and work_id not in self._stages

    def _end(self, work_id: str, *, is_whole: bool = True) -> Course | None:
        self._waiting.pop(work_id, None)
        course = self._running.pop(work_id, None)
        if course is not None:
            course.ended, course.is_whole = self._now(), is_whole
            past = [one for one in self._courses if one.ended is not None]
            self._courses = [*past[-MOST_OBSERVATIONS:], *self._running.values()]
        return course

    @property
    def n_running(self) -> int:
        """Trials that run."""
        return len(self._running) - self.n_pretraining

    @property
    def n_pretraining(self) -> int:
        """Pretrainings that run."""
        return len(self._stages & self._running.keys())

    @property
    def is_over(self) -> bool:
        """Whether nothing runs or waits."""
        return not self._running and not self._waiting

    def slowest_stage(self) -> tuple[LogPoint | None, int] | None:
        """Tell how far the pretraining is that has the most steps left, and its last step; None where none runs."""
        stages = [course for name, course in self._running.items() if name in self._stages]
        if not stages:
            return None
        slowest = max(stages, key=lambda one: one.work.n_units - one.n_done)
        return next(iter(self._logs.get(slowest.name, [])[-1:]), None), round(slowest.work.n_units)

    def time_left(self) -> TimeLeft | None:
        """Estimate the time that is left; None while nothing is known."""
        now = self._now()
        found = time_left(self._courses, self._waiting, now, self._prices)
        if math.isinf(self._deadline):
            return found
        # At its deadline a search proposes no more, and ends what runs; its budget of trials may be spent before.
        ahead = max(0.0, self._deadline - now)
        under_way = time_left(self._courses, {}, now, self._prices) or TimeLeft(0.0, 0.0, 0.0)
        budget = found if found and self._is_bounded else TimeLeft(math.inf, math.inf, math.inf)
        pairs = zip(astuple(under_way), astuple(budget), strict=True)
        return TimeLeft(*(min(all_of_it, max(ahead, rest)) for rest, all_of_it in pairs))
