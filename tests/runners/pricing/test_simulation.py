"""When jobs begin and end: worked out by hand, and beside the very order that stages-first gives."""

import contextlib
import heapq
import json
import sqlite3
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsearch.encoders.pretraining.made import MODEL, RECORD
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.recipe.recipe import Recipe
from gridsearch.stage import Stage, StageOutcome, make_stage
from gridsearch.study.schema import make_up_to_date
from gridsearch.study.stages import StageLedger, insert_stages
from gridsearch.training.execution import Execution
from gridsearch.training.worker import Job
from gridsearch.trial import Trial, make_trial
from runners.pricing.simulation import TimedJob, simulated
from runners.schedules.schedule import Batch
from runners.schedules.stages_first import StagesFirst


def test_a_trial_waits_for_its_own_pretraining_and_others_pass_it() -> None:
    jobs = {
        "stage": TimedJob(10.0),
        "with": TimedJob(1.0, "stage"),
        "also with": TimedJob(1.0, "stage"),
        "without": TimedJob(4.0),
        "another": TimedJob(7.0),
    }
    assert simulated(["with", "without", "also with", "another"], jobs, 2) == {
        "stage": (0.0, 10.0),
        "without": (0.0, 4.0),
        "another": (4.0, 11.0),
        "with": (10.0, 11.0),
        "also with": (11.0, 12.0),
    }


def test_a_checkpoint_waits_for_the_one_before_and_lets_its_trials_go_first() -> None:
    jobs = {
        "half": TimedJob(5.0),
        "whole": TimedJob(5.0, "half"),
        "of half": TimedJob(2.0, "half"),
        "of whole": TimedJob(2.0, "whole"),
    }
    assert simulated(["of whole", "of half", "without"], {**jobs, "without": TimedJob(20.0)}, 2) == {
        "half": (0.0, 5.0),
        "without": (0.0, 20.0),
        "of half": (5.0, 7.0),
        "whole": (7.0, 12.0),
        "of whole": (12.0, 14.0),
    }
    # A worker by itself has not yet heard of the second trial when the first checkpoint is there.
    assert simulated(["of whole", "of half"], jobs, 1)["of whole"] == (10.0, 12.0)


def test_what_nobody_waits_for_is_not_done() -> None:
    assert simulated(["a"], {"a": TimedJob(1.0), "b": TimedJob(9.0)}, 3) == {"a": (0.0, 1.0)}
    assert simulated([], {}, 2) == {}


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[list[Trial], dict[str, Stage], dict[str, float], int]:
    """Draw trials that start from checkpoints of some runs, the seconds of every job, and workers."""
    n_runs = draw(st.integers(1, 3))
    starts = draw(st.lists(st.tuples(st.integers(0, n_runs), st.integers(1, 3)), min_size=1, max_size=8))
    stages: dict[str, Stage] = {}
    trials = []
    for number, (run, checkpoint) in enumerate(starts):
        stage = None
        if run:
            recipe = PretrainingRecipe(objective="mlm", steps=4, seed=run, checkpoint=checkpoint)
            stage = make_stage(recipe, trial_seed=0, precision="fp32", base="base", corpus="corpus", n_rows=9)
            stages[stage.id] = stage
        trials.append(make_trial(Recipe(), seed=number, task="task", encoder="base", stage=stage))
    names = [*(trial.id for trial in trials), *stages]
    # Whole numbers would end at the same moment, and then either order is right.
    seconds = draw(st.lists(st.floats(0.1, 9.0), min_size=len(names), max_size=len(names), unique=True))
    return trials, stages, dict(zip(names, seconds, strict=True)), draw(st.integers(1, 3))


class Heard:
    """A study's stages, and nobody who writes down what happens to them."""

    def __init__(self, connection: sqlite3.Connection, stages: dict[str, Stage]) -> None:
        connection.row_factory = sqlite3.Row
        make_up_to_date(connection)
        insert_stages(connection, stages.values())
        self.ledger, self.stages = self, StageLedger(connection, partial(contextlib.nullcontext, connection))

    def job(self, work: Any, retry: Any) -> Job:
        return Job(work, Execution())

    def state(self, trial_id: str) -> str:
        return "planned"

    def asked(self, stage: Stage) -> None:
        pass

    def finished(self, work_id: str, outcome: Any) -> None:
        pass


def as_stages_first(
    trials: list[Trial], stages: dict[str, Stage], seconds: dict[str, float], n_workers: int
) -> dict[str, tuple[float, float]]:
    """Let workers with a clock of their own take the jobs that stages-first gives."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        return by_workers(Heard(connection, stages), trials, seconds, n_workers)


def by_workers(
    heard: Any, trials: list[Trial], seconds: dict[str, float], n_workers: int
) -> dict[str, tuple[float, float]]:
    staged = StagesFirst(Batch([Job(trial, Execution()) for trial in trials], heard), heard, heard)
    feed: Iterator[Job | None] = staged.jobs()
    found: dict[str, tuple[float, float]] = {}
    busy: list[tuple[float, str]] = []
    now = 0.0
    record = json.dumps({"checksum": sha256(b"weights").hexdigest()}).encode()
    outcome = StageOutcome((), "", 0.0, 0.0, 0, files={MODEL: b"weights", RECORD: record})
    while True:
        while len(busy) < n_workers and (job := next(feed, None)) is not None:
            found[job.id] = now, now + seconds[job.id]
            heapq.heappush(busy, (found[job.id][1], job.id))
        if not busy:
            return found
        now, work_id = heapq.heappop(busy)
        staged.finished(work_id, outcome)


@pytest.mark.slow  # many plans, drawn at random
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sweeps())
def test_the_order_is_that_of_stages_first(
    tmp_path_factory: pytest.TempPathFactory, sweep: tuple[list[Trial], dict[str, Stage], dict[str, float], int]
) -> None:
    trials, stages, seconds, n_workers = sweep
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDSEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        expected = as_stages_first(trials, stages, seconds, n_workers)
    jobs = {trial.id: TimedJob(seconds[trial.id], trial.stage and trial.stage.id) for trial in trials}
    for run in {stage.run for stage in stages.values()}:
        of_run = sorted((one for one in stages.values() if one.run == run), key=lambda one: one.last_step)
        befores = [None, *(one.id for one in of_run)]
        jobs |= {one.id: TimedJob(seconds[one.id], before) for one, before in zip(of_run, befores, strict=False)}
    assert simulated([trial.id for trial in trials], jobs, n_workers) == expected
    for trial in trials:
        if trial.stage is not None:
            assert expected[trial.stage.id][1] <= expected[trial.id][0]
    for first, second in pairwise(sorted(expected.values())):
        assert n_workers > 1 or first[1] <= second[0]
