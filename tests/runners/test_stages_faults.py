"""Stages that go wrong, trained for real: what each is called, what is tried again, and who else is told."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gridsearch.encoders.pretraining.made import folder_of
from gridsearch.errors import DivergedError
from gridsearch.planning.plan import Plan
from gridsearch.stage import LogPoint, Stage
from gridsearch.study.study import Study
from gridsearch.training.materials import Materials
from runners.backends.processes import ProcessesRunner
from runners.backends.serial import SerialRunner
from runners.cli import main
from runners.contract import Listener
from runners.driver import Driven
from runners.recorder import StageRecorder
from tests.runners.driving import sweep
from tests.runners.faults import after_the_mark, leaving_a_mark
from tests.runners.staging import OWN_SEEDS, Counting, attempts, numbers, plan_of, plan_of_space, rows, space_of

pytestmark = pytest.mark.usefixtures("project")
STEPS = '"pretraining.steps" = [4, 6]'


def swept(plan: Plan, pretrain: Counting | None = None, study: str = "study", **options: Any) -> Driven:
    return sweep(plan, Study(Path(study)), SerialRunner(pretrain=pretrain or Counting()), **options)


def empty_cache() -> None:
    shutil.rmtree(folder_of("x").parent)


class Failing(Counting):
    """Stages of so many steps go wrong at the third one, so often as there are errors for it."""

    def __init__(self, last_step: int, *errors: Exception) -> None:
        super().__init__(at_point=self._fail)
        self._last_step, self._errors = last_step, list(errors)
        self.points: list[tuple[int, int]] = []

    def _fail(self, stage: Stage, point: LogPoint) -> None:
        self.points.append((stage.last_step, point.step))
        if stage.last_step == self._last_step and point.step == 3 and self._errors:
            raise self._errors.pop(0)


def by_steps(plan: Plan, last_step: int) -> tuple[str, set[str]]:
    """Return the stage of so many steps, and its trials."""
    (stage,) = (stage for stage in plan.stages.values() if stage.last_step == last_step)
    return stage.id, {trial.id for trial in plan.trials.values() if trial.encoder == stage.id}


@pytest.mark.slow  # 2 s
@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (DivergedError("the loss is not finite"), "diverged", "the loss is not finite"),
        (KeyError("no such kernel"), "code_error", "KeyError: 'no such kernel'"),
    ],
    ids=["diverged", "code error"],
)
def test_a_stage_that_fails_for_good_fails_its_own_trials_and_no_others(
    error: Exception, kind: str, why: str, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(encoder_folder, STEPS, seeds="[0, 1, 2, 3]")  # more trials than stop a sweep that fail alike
    failing = Failing(6, error)
    result = swept(plan, failing)
    stage, bereft = by_steps(plan, 6)
    assert not result.stopped
    assert str(result.coverage) == (
        "settled: 8 planned, 4 finished, 4 failed, 0 pending; 2 pretrainings, 1 finished, 1 failed"
    )
    told = f"its pretraining {plan.stages[stage].short_id} failed: {why}"
    failed = rows("SELECT trial, failure_kind, message, final FROM attempts WHERE state = 'failed'")
    assert sorted(failed) == sorted((trial, "no_encoder", told, 1) for trial in bereft)

    assert main(["verify", "study"]) == 1
    said = capsys.readouterr().out
    assert f"pretraining {plan.stages[stage].short_id} failed ({kind}): {why}\n" in said
    assert said.count(f"failed (no_encoder): {told}\n") == 4
    assert swept(plan, failing).coverage.failed == 4, "not tried again by itself"
    assert failing.begun.count(stage) == 1
    result = swept(plan, failing, retry_failed=True)
    assert str(result.coverage) == "complete: 8 planned, 8 finished, 0 failed, 0 pending; 2 pretrainings, 2 finished"
    assert main(["verify", "study"]) == 0


def test_out_of_memory_is_tried_again_and_then_with_less_at_a_time(encoder_folder: Path) -> None:
    plan = plan_of(encoder_folder, STEPS, seeds="[0]")
    stage, _ = by_steps(plan, 6)
    failing = Failing(6, torch.OutOfMemoryError("so it was asked"), MemoryError())
    assert swept(plan, failing).coverage.complete
    tries = rows(f"SELECT failure_kind, json_extract(resources, '$.micro_batch_divisor') FROM stage_attempts "
                 f"WHERE stage = '{stage}' ORDER BY id")  # fmt: skip
    assert tries == [("out_of_memory", 1), ("out_of_memory", 1), (None, 2)]


def test_a_limit_of_time_is_a_stages_too_and_what_it_got_is_kept(
    encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that jumps: the stage is over its limit between two steps. A second try goes on from there."""
    jumped = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + jumped)
    monkeypatch.setattr("gridsearch.training.deadline.time", clock)

    def jump(stage: Stage, point: LogPoint) -> None:
        nonlocal jumped
        seen.append((stage.last_step, point.step))
        if seen == [(6, 1), (6, 2), (6, 3)]:
            jumped += 10**6

    seen: list[tuple[int, int]] = []
    plan = plan_of(encoder_folder, '"pretraining.steps" = [6]', seeds="[0]")
    result = swept(plan, Counting(at_point=jump), time_limit=3600.0, save_seconds=0.0)
    assert result.coverage.failed == 1
    assert rows("SELECT failure_kind, message FROM stage_attempts") == [
        ("time_limit", "not finished within 1h, its --time-limit")
    ]
    swept(plan, Counting(at_point=jump), retry_failed=True, time_limit=3600.0)
    assert seen == [(6, step) for step in range(1, 7)]
    once = numbers()
    empty_cache()
    swept(plan, study="whole")
    assert numbers("whole") == once


class Interrupting(SerialRunner):
    """Begins nothing: Ctrl-C comes first."""

    def run(self, jobs: Any, materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        raise KeyboardInterrupt


@pytest.mark.slow  # 3 s
def test_page_status_and_certificate_at_every_moment_of_a_stage(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(encoder_folder, STEPS, seeds="[0]")
    stage, _ = by_steps(plan, 6)
    name = plan.stages[stage].short_id

    def look(certificate: str, *also: str) -> None:
        capsys.readouterr()
        assert main(["verify", "study"]) == int(not certificate.startswith("complete"))
        assert main(["status", "study"]) == 0
        said = capsys.readouterr().out
        assert said.count(certificate) == 2
        for sentence in also:
            assert sentence in said
        assert main(["report", "study"]) == 0
        assert "retraining" in Path("study/page.md").read_text(encoding="utf-8")

    with pytest.raises(KeyboardInterrupt):
        sweep(plan, Study(Path("study")), Interrupting())
    look("incomplete: 2 planned, 0 finished, 0 failed, 2 pending; 2 pretrainings, 0 finished, 2 pending")

    def look_in(seen: Stage, point: LogPoint) -> None:
        failing._fail(seen, point)
        if seen.id == stage and point.step in (2, 5):
            loss = f"step {point.step - 1}/6, loss "
            look("; 2 pretrainings", f"pretraining {name} on ", loss)

    failing = Failing(6, DivergedError("the loss is not finite"))
    failing.at_point = look_in
    swept(plan, failing)
    look(
        "settled: 2 planned, 1 finished, 1 failed, 0 pending; 2 pretrainings, 1 finished, 1 failed",
        f"pretraining {name} failed (diverged): the loss is not finite",
    )
    swept(plan, failing, retry_failed=True)
    look("complete: 2 planned, 2 finished, 0 failed, 0 pending; 2 pretrainings, 2 finished")


class Interrupted(StageRecorder):
    """Ctrl-C, while the driver writes down how far a stage is."""

    def logged(self, stage_id: str, point: LogPoint) -> None:
        super().logged(stage_id, point)
        if point.step == 3:
            raise KeyboardInterrupt


def test_an_interrupted_stage_lets_go_of_what_it_holds(encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver of the same process may come after it, while somebody still looks at the exception."""
    plan = plan_of(encoder_folder, STEPS, seeds="[0]")
    with monkeypatch.context() as patch:
        patch.setattr("runners.driver.StageRecorder", Interrupted)
        with pytest.raises(KeyboardInterrupt) as interrupt:
            swept(plan, save_seconds=0.0)
    assert [state for _, state, _, _ in attempts()] == ["failed"]
    points: list[int] = []
    assert swept(plan, Counting(at_point=lambda stage, point: points.append(point.step))).coverage.complete
    assert points[0] == 4, "it goes on after the last step that was taken: what is closed saves where it is"
    assert interrupt.value


DRIVER = """
import sys
from pathlib import Path
from gridsearch.study.study import Study
from runners.backends.serial import SerialRunner
from tests.runners.driving import sweep
from tests.runners.staging import OWN_SEEDS, Counting, plan_of
def tell(stage, point):
    print(stage.last_step, point.step, flush=True)
plan = plan_of(Path(sys.argv[1]), '"pretraining.steps" = [40]', OWN_SEEDS)
sweep(plan, Study(Path("study")), SerialRunner(pretrain=Counting(at_point=tell)), save_seconds=0.0)
"""


@pytest.mark.slow  # starts the command anew each time
@pytest.mark.parametrize(
    "moments", [(17,), (5, 17, 31)], ids=["once", "three times"]
)  # each kill is of a process of its own, which takes seconds to start
def test_a_driver_killed_while_a_stage_trains_goes_on_from_where_it_got(
    encoder_folder: Path, moments: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    top = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(top)}
    for moment in moments:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(encoder_folder)], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert process.stdout is not None
        begun = None
        for line in process.stdout:
            step = int(line.split()[1])
            begun = begun or step
            if step >= moment:
                process.kill()
                break
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        assert moment == moments[0] or (begun or 0) > 1, "each goes on from where the one before had got"
    assert main(["verify", "study"]) == 1
    points: list[int] = []
    plan = plan_of(encoder_folder, '"pretraining.steps" = [40]', OWN_SEEDS)
    result = swept(plan, Counting(at_point=lambda stage, point: points.append(point.step)))
    assert str(result.coverage) == "complete: 2 planned, 2 finished, 0 failed, 0 pending; 2 pretrainings, 2 finished"
    assert moments[-1] <= points[0] <= moments[-1] + 1
    killed, *_ = attempts()
    assert killed[1:] == ("failed", "lost_driver", None)
    kinds = [kind for stage, _, kind, _ in attempts() if stage == killed[0]]
    assert kinds == ["lost_driver"] * len(moments) + [None]
    assert main(["verify", "study"]) == 0
    once = numbers()
    empty_cache()
    swept(plan, study="whole")
    assert numbers("whole") == once, "as if nobody had been killed"


def kill_once(monkeypatch: pytest.MonkeyPatch, at_step: int) -> list[str]:
    """Kill the first worker that has come so far in a stage; return the stages whose worker was killed."""
    hear, started, victims, workers = StageRecorder.logged, StageRecorder.started, list[str](), dict[str, str]()

    def begun(self: StageRecorder, stage_id: str, worker: str, resources: Mapping[str, object]) -> None:
        workers[stage_id] = worker
        started(self, stage_id, worker, resources)

    def logged(self: StageRecorder, stage_id: str, point: LogPoint) -> None:
        hear(self, stage_id, point)
        if not victims and point.step == at_step:
            victims.append(stage_id)
            os.kill(int(workers[stage_id].split(":")[1]), signal.SIGKILL)

    monkeypatch.setattr(StageRecorder, "started", begun)
    monkeypatch.setattr(StageRecorder, "logged", logged)
    return victims


@pytest.mark.slow  # 17 s
@pytest.mark.parametrize(
    ("n_workers", "recipe"), [(1, ""), (2, OWN_SEEDS)], ids=["one", "two"]
)  # two workers, and a third for the one that is killed, take seconds each to start
def test_a_worker_killed_while_a_stage_trains_is_replaced_and_all_ends_as_without(
    n_workers: int, recipe: str, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what processes make is what the serial runner makes, to the last bit."""
    plan = plan_of(encoder_folder, STEPS, recipe)
    swept(plan, study="whole")
    empty_cache()
    victims = kill_once(monkeypatch, at_step=3)
    result = sweep(plan, Study(Path("study")), ProcessesRunner(n_workers), save_seconds=0.0)
    n_stages = len(plan.stages)
    told = f"complete: 4 planned, 4 finished, 0 failed, 0 pending; {n_stages} pretrainings, {n_stages} finished"
    assert str(result.coverage) == told
    assert numbers() == numbers("whole")
    (victim,) = victims
    assert [row[1:3] for row in attempts() if row[0] == victim] == [("failed", "killed"), ("finished", None)]
    assert sorted(attempts()) == sorted(set(attempts())), "and every other one was trained once"
    first = rows(f"SELECT min(step) FROM stage_log JOIN stage_attempts ON attempt = id WHERE stage = '{victim}'")
    assert first == [(1,)], "a finished attempt has all points of its run"


@pytest.mark.slow  # two workers to start; test_stages_scheduling.py shows it of the jobs as they are given
def test_a_trial_without_a_stage_ends_while_a_stage_trains(encoder_folder: Path) -> None:
    space = space_of("bert_adam = [false]", '"pretraining.steps" = 4', "[0]").replace(
        '"pretraining.objective" = "mlm"\n', ""
    )
    space = space.replace("[factors]", '[factors]\n"pretraining.objective" = ["mlm", "none"]')
    plan = plan_of_space(encoder_folder, space.replace("[design]", '[design]\non_dead = "collapse"'))
    runner = ProcessesRunner(2, what=leaving_a_mark, pretrain=after_the_mark)
    result = sweep(plan, Study(Path("study")), runner)
    assert str(result.coverage) == "complete: 2 planned, 2 finished, 0 failed, 0 pending; 1 pretraining, 1 finished"
