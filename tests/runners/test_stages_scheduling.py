"""Which job is given when: trials wait for their own stage and for no other one, whatever fails on the way."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsearch.encoders.pretraining.made import folder_of
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.stage import Stage
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.training.materials import Materials
from gridsearch.trial import Failure, FailureKind, Trial, retry_after
from runners.driver import Driven
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending
from tests.runners.test_optimize import CARD, SOURCES, TASK

SPACE = """
[recipe]
epochs = 2
"pretraining.steps" = 6
[factors]
"pretraining.objective" = ["none", "mlm"]
"pretraining.seed" = [0, 1]
"pretraining.checkpoint" = ["last", 2, 4]
[design]
seeds = [0, 1]
on_dead = "collapse"
"""
"""Two runs of three checkpoints, each for trials of two seeds, and two trials without a stage."""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(parse_space(SPACE, "test"), TASK, lambda name: CARD)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk at every write: no power fails here."""
    make = Ledger.__init__

    def made(self: Ledger, path: Path, *, must_exist: bool = False) -> None:
        make(self, path, must_exist=must_exist)
        self.connection.execute("PRAGMA synchronous = OFF")

    monkeypatch.setattr(Ledger, "__init__", made)


@pytest.fixture(autouse=True)
def _pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.schedules.rounds.make_materials", lambda *_: Materials({}, {}))
    monkeypatch.setattr("runners.driver.measure_yardstick", lambda *_: None)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))


def swept(plan: Plan, runner: Pretending, study: str = "study", **options: Any) -> Driven:
    return sweep(plan, Study(Path(study)), runner, SOURCES, **options)


def rows(query: str, study: str = "study") -> list[tuple[Any, ...]]:
    with Study(Path(study)).open() as ledger:
        return [tuple(row) for row in ledger.connection.execute(query)]


KINDS: tuple[FailureKind, ...] = ("killed", "lost_worker", "out_of_memory", "diverged", "code_error", "time_limit")


def is_final(kinds: list[FailureKind]) -> bool:
    """Whether a job that fails like this, and then would run, fails for good before that."""
    return any(retry_after(kinds[: number + 1]) is None for number in range(len(kinds)))


class Watching(Pretending):
    """Sees at every moment what may run by then, and that it does."""

    def watch(self, plan: Plan, failures: Mapping[str, list[FailureKind]]) -> "Watching":
        self.stages, self.ended = plan.stages, set[str]()
        self.failures = {work: [Failure(kind, "so it was drawn") for kind in kinds] for work, kinds in failures.items()}
        self.lost = {work for work, kinds in failures.items() if is_final(kinds)}
        self.plan, self.idle = plan, self._looks_idle
        return self

    def _looks_idle(self, running: set[str]) -> None:
        made = {stage for stage in self.stages if folder_of(stage).is_dir()}
        begun = {work.id for work in self.order}
        for trial in self.plan.trials.values():
            # What failed and is tried again has a place in the next round, or alone.
            if trial.id not in begun and (trial.stage is None or trial.stage.id in made):
                raise AssertionError(f"a place is free, and {trial.short_id} may run")
        assert len(running & self.stages.keys()) == len([work for work in running if work in self.stages])


@pytest.mark.slow  # many plans, drawn at random
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), n_workers=st.integers(1, 4))
def test_every_stage_once_and_before_its_trials_whatever_fails(plan: Plan, data: st.DataObject, n_workers: int) -> None:
    works = [*plan.stages, *plan.trials]
    drawn = st.dictionaries(
        st.sampled_from(works), st.lists(st.sampled_from(KINDS), min_size=1, max_size=3), max_size=6
    )
    failures = data.draw(drawn)
    folder = mkdtemp(dir=Path.cwd())
    os.environ["GRIDSEARCH_CACHE"] = f"{folder}/cache"
    runner = Watching(n_workers=n_workers).watch(plan, failures)
    result = swept(plan, runner, folder)

    lost = runner.lost & plan.stages.keys()
    bereft = {trial.id for trial in plan.trials.values() if trial.stage is not None and trial.stage.id in lost}
    failed = bereft | (runner.lost & plan.trials.keys())
    assert not result.stopped
    assert result.coverage.failed == len(failed)
    assert result.coverage.finished == len(plan.trials) - len(failed)
    stages = result.coverage.stages
    assert stages is not None
    assert (stages.failed, stages.finished) == (len(lost), len(plan.stages) - len(lost))
    assert stages.repeated == stages.found == stages.running == 0
    kinds = dict(rows("SELECT trial, failure_kind FROM attempts WHERE final = 1", folder))
    assert {trial for trial, kind in kinds.items() if kind == "no_encoder"} == bereft
    # Each once for each attempt that the ledger has, a trial never before its stage, a checkpoint after earlier ones.
    for work in runner.order:
        assert isinstance(work, Stage) or work.id not in bereft
    begun = [work.id for work in runner.order]
    last = {work: place for place, work in enumerate(begun)}
    for place, work in enumerate(runner.order):
        if isinstance(work, Trial):
            assert work.stage is None or last[work.stage.id] < place
        else:
            before = [one for one in plan.stages.values() if one.run == work.run and one.last_step < work.last_step]
            assert all(last[one.id] < place for one in before)
    for stage in plan.stages:
        assert begun.count(stage) == min(len(failures.get(stage, [])), _n_tries(failures.get(stage, []))) + (
            stage not in lost
        )


def _n_tries(kinds: list[FailureKind]) -> int:
    """Count the attempts that fail, up to the one that is final."""
    return next((number for number in range(1, len(kinds) + 1) if retry_after(kinds[:number]) is None), len(kinds))


def failing(plan: Plan, *kinds: FailureKind, n_workers: int = 2) -> Watching:
    """Return a runner on which the first stage of the plan fails like this."""
    return Watching(n_workers=n_workers).watch(plan, {next(iter(plan.stages)): list(kinds)})


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_lost_stage_fails_all_of_its_trials_at_once(plan: Plan, n_workers: int) -> None:
    """Those that the runner is not yet asked to take as well: none of them waits for a round of its own."""
    runner = failing(plan, "diverged", n_workers=n_workers)
    n_rounds = 0
    run = runner.run

    def counted(*arguments: Any, **options: Any) -> None:
        nonlocal n_rounds
        n_rounds += 1
        run(*arguments, **options)

    runner.run = counted  # type: ignore[method-assign]
    assert swept(plan, runner).coverage.settled
    assert n_rounds == 1


def test_a_new_trial_of_a_lost_stage_fails_with_its_reason(plan: Plan) -> None:
    swept(plan, failing(plan, "diverged"))
    more = make_plan(plan.space.with_design(seeds=[0, 1, 2]), plan.task, lambda name: CARD)
    runner = Pretending()
    assert swept(more, runner).coverage.failed == 3
    assert not [work for work in runner.order if isinstance(work, Stage)]


def test_a_stage_that_the_runner_gives_up_is_asked_for_again(plan: Plan) -> None:
    """Also where nothing else was begun: all that is left waits for it."""

    class Forgetful(Watching):
        n_forgotten = 0

        def run(self, jobs: Any, materials: Materials, listener: Any, *, alone: bool = False) -> None:
            if self.n_forgotten < 2:
                self.n_forgotten += 1
                listener.started(next(job for job in jobs if isinstance(job.work, Stage)).id, "forgetful", {})
            else:
                super().run(jobs, materials, listener, alone=alone)

    only = replace(plan, cells=tuple(cell for cell in plan.cells if cell.trials[0].stage is not None)[:1])
    result = swept(only, Forgetful().watch(only, {}))
    assert not result.stopped
    assert result.coverage.complete
    assert [kind for (kind,) in rows("SELECT failure_kind FROM stage_attempts ORDER BY id")] == ["lost_worker"] * 2 + [
        None
    ]


TABLES = ("attempts", "stage_attempts")


@pytest.mark.parametrize("kind", ["killed", "out_of_memory"])
def test_what_was_short_of_memory_is_tried_while_nothing_else_runs(plan: Plan, kind: FailureKind) -> None:
    (first, *_), beside = plan.stages, list[int]()

    class Looking(Pretending):
        def _make(self, stage: Stage, listener: Any) -> None:
            if stage.id == first:
                running = [rows(f"SELECT id FROM {table} WHERE state = 'running'") for table in TABLES]
                beside.append(sum(map(len, running)))
            super()._make(stage, listener)

    runner = Looking(n_workers=3, failures={first: [Failure(kind, "so it was drawn")]})
    assert swept(plan, runner).coverage.complete
    assert beside == [1], "itself"
