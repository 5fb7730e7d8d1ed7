"""The driver: retries by kind, fail-fast, exactly one finished attempt, kept weights; on the serial runner."""

import io
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gridsearch.encoders.load import describe
from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.study.study import Study
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Job
from gridsearch.trial import PART, Failure, FailureKind
from runners.backends.serial import SerialRunner
from runners.contract import Listener
from runners.driver import Driven
from runners.progress.live import Progress
from tests.fixtures_core import slow
from tests.runners.driving import sweep


class Stumbling(SerialRunner):
    """The serial runner, on which some trials fail so and so often before they run."""

    def __init__(self, stumbles: dict[int, list[FailureKind]], message: str = "it stumbled") -> None:
        super().__init__()
        self.stumbles, self.message = stumbles, message
        self.seen: list[tuple[str, int, bool]] = []

    def run(self, jobs: Iterable[Job], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        for job in jobs:
            if listener.stop_wanted():
                return
            self.seen.append((job.work.id, job.execution.micro_batch_divisor, alone))
            row = self.rows[job.work.id]
            if self.stumbles.get(row):
                listener.started(job.work.id, "stumbling", {})
                listener.failed(job.work.id, Failure(self.stumbles[row].pop(0), self.message))
            else:
                super().run([job], materials, listener, alone=alone)


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder), "epochs": 1})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


def swept(plan: Plan, runner: SerialRunner, **options: Any) -> Driven:
    if isinstance(runner, Stumbling):
        runner.rows = {trial.id: cell.index for cell in plan.cells for trial in cell.trials}
    return sweep(plan, Study(Path("study")), runner, **options)


def attempts() -> list[Mapping[str, object]]:
    with Study(Path("study")).open() as ledger:
        return [dict(row) for row in ledger.connection.execute("SELECT * FROM attempts ORDER BY id")]


def test_a_driver_that_died_before_it_wrote_the_plan_is_no_hindrance(plan: Plan) -> None:
    Path("study").mkdir()
    Path("study/ledger.sqlite").touch()
    assert swept(plan, SerialRunner()).coverage.complete


@pytest.mark.slow  # 1.3 s; those that are too large are quick
def test_two_stumble_once_and_all_are_done_exactly_once(plan: Plan) -> None:
    result = swept(plan, Stumbling({2: ["lost_worker"], 5: ["lost_worker", "lost_worker"]}))
    assert str(result.coverage) == "complete: 8 planned, 8 finished, 0 failed, 0 pending"
    assert sum(row["state"] == "failed" for row in attempts()) == 3, "the ledger shows the retries"


@pytest.mark.slow  # 1.2 s; test_trials_that_are_all_too_large is quick
def test_out_of_memory_is_tried_alone_and_then_with_less_at_a_time(plan: Plan) -> None:
    runner = Stumbling({3: ["out_of_memory", "out_of_memory"]})
    result = swept(plan, runner)
    assert result.coverage.complete
    trial = plan.cells[2].trials[0].id
    assert [seen[1:] for seen in runner.seen if seen[0] == trial] == [(1, False), (1, True), (2, True)]
    assert runner.seen[-2][0] == runner.seen[-1][0] == trial, "the others are not kept waiting"


def test_a_code_error_is_final_and_the_sweep_settles_without_it(plan: Plan) -> None:
    result = swept(plan, Stumbling({4: ["code_error"]}))
    assert str(result.coverage) == "settled: 8 planned, 7 finished, 1 failed, 0 pending"
    assert swept(plan, SerialRunner()).coverage.failed == 1, "not tried again by itself"
    assert swept(plan, SerialRunner(), retry_failed=True).coverage.complete


def test_the_same_error_at_the_start_stops_the_sweep_and_does_not_count_for_good(plan: Plan) -> None:
    result = swept(plan, Stumbling({row: ["code_error"] for row in range(1, 9)}, "no such kernel"))
    assert result.stopped == "the first 3 trials all failed alike: no such kernel"
    assert str(result.coverage) == "incomplete: 8 planned, 0 finished, 0 failed, 8 pending"
    assert swept(plan, SerialRunner()).coverage.complete


def test_a_runner_that_begins_nothing_does_not_go_round_for_ever(plan: Plan) -> None:
    class Idle(SerialRunner):
        def run(self, jobs: Iterable[Job], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
            pass

    assert swept(plan, Idle()).stopped == "the runner began none of 8 trials"


@pytest.mark.slow  # 1.1 s
def test_a_trial_that_a_runner_gives_up_is_capped(plan: Plan) -> None:
    class Forgetful(SerialRunner):
        def run(self, jobs: Iterable[Job], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
            feed = iter(jobs)
            listener.started(next(feed).id, "here", {})
            super().run(feed, materials, listener)

    assert swept(plan, Forgetful()).coverage.failed == 1


def test_lost_workers_are_capped(plan: Plan) -> None:
    result = swept(plan, Stumbling({1: ["lost_worker"] * 9}))
    assert result.coverage.failed == 1
    assert sum(row["failure_kind"] == "lost_worker" for row in attempts()) == 3


@pytest.mark.parametrize(("keep", "expected"), [slow("none", 0), slow("best", 1), ("top-3", 3), slow("all", 8)])
def test_kept_weights(plan: Plan, keep: str, expected: int) -> None:
    swept(plan, SerialRunner(), keep=keep)
    folder = Path("study/weights")
    kept = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    assert len(kept) == expected
    with Study(Path("study")).open() as ledger:
        ranked = sorted(ledger.dev_results().items(), key=lambda row: -row[1][PART]["accuracy"])
    assert kept == {trial for trial, _ in ranked[:expected]}


@pytest.mark.slow  # 3 s
def test_a_later_sweep_without_keep_deletes_nothing(plan: Plan, project: Path) -> None:
    swept(plan, SerialRunner(), keep="top-3")
    kept = set(Path("study/weights").iterdir())
    more = make_plan(plan.space.with_design(seeds=[0, 1]), plan.task, lambda name: plan.cards[name])
    assert swept(more, SerialRunner()).coverage.planned == 16
    assert set(Path("study/weights").iterdir()) == kept != set()


@pytest.mark.slow  # 3 s
def test_only_kept_trials_of_this_study_are_deleted(plan: Plan) -> None:
    swept(plan, SerialRunner(), keep="top-3")
    weights = Path("study/weights")
    kept = {path.name for path in weights.iterdir()}
    one = next(iter(plan.trials.keys() - kept))
    (weights / ".DS_Store").write_text("a file")
    (weights / "mine").mkdir()
    (weights / "mine" / "notes.txt").write_text("a user's own")
    shutil.copytree(weights / min(kept), weights / "of another study")
    (weights / f"{one}.part").mkdir()
    Path("elsewhere").mkdir()
    (weights / "link").symlink_to(Path("elsewhere").resolve())
    more = make_plan(plan.space.with_design(seeds=[0, 1]), plan.task, lambda name: plan.cards[name])
    (weights / min(more.trials.keys() - plan.trials.keys())).write_text("a file where a trial is to go")
    assert swept(more, SerialRunner(), keep="best").coverage.complete
    with Study(Path("study")).open() as ledger:
        best = max(ledger.dev_results().items(), key=lambda row: row[1][PART]["accuracy"])[0]
    left = {path.name for path in weights.iterdir() if path.is_dir()}
    assert left == {best, "mine", "of another study", "link"}
    assert (weights / "mine" / "notes.txt").read_text() == "a user's own"
    assert (weights / ".DS_Store").is_file()


def test_weights_that_cannot_be_kept_show_before_anything_is_trained(plan: Plan) -> None:
    Path("study").mkdir()
    Path("study/weights").write_text("a file")
    with pytest.raises(FileExistsError):
        swept(plan, SerialRunner(), keep="best")
    assert attempts() == []


@pytest.mark.slow  # 1.1 s
def test_a_finished_trial_costs_as_many_questions_early_and_late(plan: Plan) -> None:
    """The whole path of a finished trial: nothing may read what all the others came to."""

    class Counting(SerialRunner):
        def __init__(self) -> None:
            super().__init__()
            self.asked: list[list[str]] = []

        def run(self, jobs: Iterable[Job], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
            for job in jobs:
                self.asked.append([])
                listener._session.ledger.connection.set_trace_callback(self.asked[-1].append)
                super().run([job], materials, listener, alone=alone)
                listener._session.ledger.connection.set_trace_callback(None)

    runner = Counting()
    swept(plan, runner, keep="best")
    for asked in runner.asked:
        reads = [statement for statement in asked if statement.lstrip().startswith("SELECT")]
        of_others = (statement for statement in reads if " WHERE attempt = " not in statement)
        assert all(" WHERE " in statement and " ORDER BY" not in statement for statement in of_others), reads


def test_trials_that_are_all_too_large_climb_down_the_ladder(plan: Plan) -> None:
    runner = Stumbling({row: ["out_of_memory", "out_of_memory"] for row in range(1, 9)}, "out of memory")
    assert swept(plan, runner).coverage.complete
    assert {seen[1:] for seen in runner.seen} == {(1, False), (1, True), (2, True)}


@pytest.mark.slow  # 1.4 s
def test_a_reopened_trial_has_all_its_retries_again(plan: Plan) -> None:
    swept(plan, Stumbling({4: ["code_error"]}))
    assert swept(plan, Stumbling({4: ["lost_worker"]}), retry_failed=True).coverage.complete


@pytest.mark.slow  # 1.3 s
def test_a_message_is_shown_as_it_is(plan: Plan) -> None:
    shown = io.StringIO()
    progress = Progress(plan.task.target, {}, Console(file=shown, width=80))
    message = "cannot open [/usr/lib/x.so] of [cls]"
    runner = Stumbling({4: ["code_error"]}, message)
    runner.rows = {trial.id: cell.index for cell in plan.cells for trial in cell.trials}
    sweep(plan, Study(Path("study")), runner, progress=progress)
    assert message in shown.getvalue()


def test_the_ledger_tells_how_a_trial_was_executed(plan: Plan) -> None:
    plan = replace(plan, cells=plan.cells[2:4])  # two threads on a busy core take turns, and their time
    swept(plan, Stumbling({3: ["out_of_memory", "out_of_memory"]}), threads=2)
    with Study(Path("study")).open() as ledger:
        halved, whole = (ledger.execution(cell.trials[0].id) for cell in plan.cells)
    assert (halved["micro_batch_divisor"], whole["micro_batch_divisor"]) == (2, 1)
    assert halved["threads"] == whole["threads"] == 2


def test_an_interrupt_leaves_nothing_running(plan: Plan) -> None:
    class Interrupted(SerialRunner):
        def run(self, jobs: Iterable[Job], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
            feed = iter(jobs)
            super().run(islice(feed, 2), materials, listener)
            listener.started(next(feed).id, "here", {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept(plan, Interrupted())
    assert [row["state"] for row in attempts()] == ["finished", "finished", "failed"]
    assert swept(plan, SerialRunner()).coverage.complete


def test_nothing_is_written_when_the_encoder_cannot_be_read(plan: Plan, encoder_folder: Path, project: Path) -> None:
    assert not Path("study").exists()
    (project / "broken").mkdir()
    for path in encoder_folder.iterdir():
        (project / "broken" / path.name).write_bytes(path.read_bytes())
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(project / "broken")})
    broken = make_plan(space, task, partial(describe, corpus=task.corpus))
    # A plan finds what is wrong with files; here it becomes so between the plan and the first trial.
    (project / "broken" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(RequestError, match="broken"):
        swept(broken, SerialRunner())
    assert not Path("study").exists(), "a half-written study"


@pytest.mark.slow  # 1.3 s
def test_the_yardstick_is_measured_once(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsearch.tasks.tfidf_yardstick.N_ROWS_MOST", 10)
    swept(plan, SerialRunner())
    swept(plan, SerialRunner())
    with Study(Path("study")).open() as ledger:
        rows = ledger.connection.execute("SELECT name, dev FROM yardsticks").fetchall()
    (name,) = (row["name"] for row in rows)
    assert name.startswith("TF-IDF + logistic regression (fitted on 10 of ")
    assert 0 < json.loads(rows[0]["dev"])["accuracy"] <= 1
