"""``gridsearch stop``: nothing new begins, what runs ends in order, the ledger says so, and the next start goes on."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gridsearch.encoders.load import describe
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space, parse_space
from gridsearch.stage import LogPoint
from gridsearch.study.attending.stop_wish import ask_to_stop, stop_file
from gridsearch.study.study import Study
from gridsearch.tasks.target import target_of
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.materials import Materials
from gridsearch.trial import Epoch
from runners.backends.processes import ProcessesRunner
from runners.backends.ray_tune import RayRunner
from runners.backends.serial import SerialRunner
from runners.cli import main
from runners.contract import Listener, Runner
from runners.driver import Driven, Settings, drive
from runners.progress.live import Progress
from runners.recorder import Recorder, StageRecorder
from runners.schedules.search import OptunaSearch
from runners.schedules.search_settings import Search
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending
from tests.runners.staging import Counting, attempts, numbers, plan_of, rows
from tests.runners.test_optimize import CARD, FORTY, About
from tests.runners.test_stages_faults import STEPS, empty_cache

STUDY = Study(Path("study"))
RUNNERS: dict[str, Callable[[], Runner]] = {
    "serial": SerialRunner,
    "processes": lambda: ProcessesRunner(2),
    "ray": lambda: RayRunner(2, gpus_per_trial=0.0),
}
# Workers take seconds to start, and those of Ray longer.
EACH = ["serial", *(pytest.param(name, marks=pytest.mark.slow) for name in ("processes", "ray"))]


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def tell(*words: str) -> str:
        capsys.readouterr()
        code = main([*words, "study"])
        printed = capsys.readouterr()
        return f"{code}: {printed.out}{printed.err}"

    return tell


class Watched(Pretending):
    """Does something once, when so many epochs have ended."""

    def __init__(self, do: Callable[[], object], after: int = 1, dies: bool = False) -> None:
        super().__init__(n_workers=2)
        self._do, self._after, self._dies = do, after, dies

    def _goes_on(self, trial: Any, epochs: list[Epoch], listener: Listener) -> bool:
        goes_on = super()._goes_on(trial, epochs, listener)
        if self.n_epochs == self._after:
            self._do()
            if self._dies:
                raise RuntimeError("killed")
        return goes_on


def states() -> list[str]:
    return [state for (state,) in rows("SELECT state FROM attempts ORDER BY id")]


def test_those_that_run_end_and_the_rest_waits_for_the_next_start(plan: Plan, told: Callable[..., str]) -> None:
    seen: list[str] = []

    def ask() -> None:
        seen.extend(told(command) for command in ("stop", "stop", "status"))

    result = sweep(plan, STUDY, Watched(ask))
    first, again, status = seen
    assert first.startswith("0: process ")
    assert " is asked to stop: nothing new begins, and the trials that run go on to their end\n" in first
    assert " has been asked already: process " in again
    assert status.startswith("0: process ")
    assert " asked for a stop " in status.splitlines()[0]
    assert str(result.coverage) == "incomplete: 8 planned, 2 finished, 0 failed, 6 pending"
    assert states() == ["finished"] * 2, "what ran ended in order, and nothing else began"
    assert result.stopped.endswith(" asked for it; the same command goes on from here")
    assert result.was_asked
    assert told("status").startswith("0: its driver has ended in order: process ")
    assert not list(STUDY.folder.glob("stop-*"))
    assert sweep(plan, STUDY, Pretending()).coverage.complete
    assert "ended in order" not in told("status")


def test_where_nobody_is_at_work_there_is_nothing_to_stop(plan: Plan, told: Callable[..., str]) -> None:
    assert told("stop") == "2: gridsearch stop: there is no study at study: no ledger.sqlite in it\n"
    sweep(plan, STUDY, Pretending())
    assert told("stop") == "0: nobody is at work on study: there is nothing to stop\n"
    assert not list(STUDY.folder.glob("stop-*"))


def test_a_stop_that_its_driver_did_not_live_to_take_stops_no_other(plan: Plan, told: Callable[..., str]) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        sweep(plan, STUDY, Watched(lambda: told("stop"), dies=True))
    # A driver that dies of an exception tidies up; one that is killed leaves the wish there.
    ask_to_stop(STUDY.folder, "0123456789abcdef")
    assert told("status").startswith("0: nobody is at work on it: the same command goes on from here")
    assert sweep(plan, STUDY, Pretending()).coverage.complete
    assert not list(STUDY.folder.glob("stop-*"))


def test_one_that_still_prepares_begins_nothing(plan: Plan, told: Callable[..., str]) -> None:
    class Asking(Progress):
        def say(self, text: str) -> None:
            if text == "tokenising the texts":
                told("stop")

    runner = Pretending()
    result = sweep(plan, STUDY, runner, progress=Asking(plan.task.target, {}, Console(quiet=True)))
    assert runner.begun == []
    assert result.was_asked
    assert str(result.coverage) == "incomplete: 8 planned, 0 finished, 0 failed, 8 pending"


def test_asked_while_the_last_run_there_is_nothing_left_to_go_on_with(plan: Plan, told: Callable[..., str]) -> None:
    result = sweep(plan, STUDY, Watched(lambda: told("stop"), after=15))
    assert result.coverage.complete
    assert (result.stopped, result.was_asked) == ("", False)
    assert "ended in order" not in told("status")


def test_a_wish_without_words_is_one_too(plan: Plan) -> None:
    """As somebody makes it by hand: `touch`; and the name is all that the driver looks for."""

    def touch() -> None:
        note = STUDY.driver_note()
        assert note is not None
        stop_file(STUDY.folder, note.token).touch()

    assert sweep(plan, STUDY, Watched(touch)).stopped.startswith("somebody asked for it")


def test_a_driver_beyond_the_locks_of_this_machine(
    project: Path, told: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk without locks only the ledger tells who drives, and whether that one lives: it changes."""

    def no_locks(lock: object, how: object) -> None:
        raise OSError

    monkeypatch.setattr("gridsearch.study.study.fcntl.flock", no_locks)
    monkeypatch.setattr("gridsearch.study.lease.this_machine", lambda: "another")
    with STUDY.held() as hold, hold.ledger() as ledger:
        over, before = threading.Event(), hold.stop_wish()

        def beat() -> None:
            with ledger.beside() as own:
                while not over.wait(0.05):
                    own.heartbeat()

        beating = threading.Thread(target=beat)
        beating.start()
        try:
            ledger.connection.execute("INSERT INTO study VALUES ('kind', '\"trials\"')")
            ledger.connection.commit()
            answer = told("stop")
        finally:
            over.set()
            beating.join()
        assert f"{hold.name} is asked to stop" in answer
        assert before is None
        assert hold.stop_wish() is not None
        monkeypatch.setattr("gridsearch.study.lease.WATCH_SECONDS", 0.3)
        assert told("stop").endswith("nobody is at work on study: there is nothing to stop\n"), "it beats no more"


@pytest.mark.parametrize("name", EACH)
def test_trials_of_every_runner_end_in_order(
    name: str, plan: Plan, told: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hear = Recorder.epoch

    def epoch(self: Recorder, trial_id: str, epoch: Epoch) -> None:
        hear(self, trial_id, epoch)
        if not list(STUDY.folder.glob("stop-*")):
            told("stop")

    monkeypatch.setattr(Recorder, "epoch", epoch)
    result = sweep(plan, STUDY, RUNNERS[name]())
    assert result.was_asked
    assert set(states()) == {"finished"}
    assert 1 <= len(states()) <= 3, "those that ran, and one that was begun at the same moment"
    assert rows("SELECT max(number) FROM epochs GROUP BY attempt") == [(2,)] * len(states())
    monkeypatch.undo()


@pytest.mark.slow  # 3 s
@pytest.mark.parametrize("name", EACH)
def test_a_pretraining_of_every_runner_saves_where_it_is(
    name: str, project: Path, encoder_folder: Path, told: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(encoder_folder, STEPS, seeds="[0]")
    sweep(plan, Study(Path("whole")), SerialRunner())
    empty_cache()
    hear, heard = StageRecorder.logged, dict.fromkeys(plan.stages, 0)

    def logged(self: StageRecorder, stage_id: str, point: LogPoint) -> None:
        hear(self, stage_id, point)
        heard[stage_id] = point.step
        if point.step == 3:
            told("stop")

    with monkeypatch.context() as patch:
        patch.setattr(StageRecorder, "logged", logged)
        result = sweep(plan, STUDY, RUNNERS[name]())
    assert result.was_asked
    assert attempts()[0][1:3] == ("failed", "lost_driver")
    assert rows("SELECT DISTINCT message FROM stage_attempts WHERE state = 'failed'") == [
        ("its driver was asked to stop: it goes on from where it got",)
    ]
    assert rows("SELECT count(*) FROM attempts") == [(0,)]
    first: dict[str, int] = {}
    counting = Counting(at_point=lambda stage, point: first.setdefault(stage.id, point.step))
    assert sweep(plan, STUDY, SerialRunner(pretrain=counting)).coverage.complete
    assert 4 in first.values()
    assert first == {stage: heard[stage] + 1 for stage in first}, "no step is taken twice, whenever it was last saved"
    assert numbers() == numbers("whole"), "as if nobody had stopped it"


def searched(runner: Runner, n_trials: int) -> Driven:
    asked = About(parse_space(FORTY, "test"))
    schedule = OptunaSearch(asked, STUDY, Search(n_trials=n_trials), {})
    progress = Progress(target_of("accuracy"), {}, Console(quiet=True))
    return drive(schedule, STUDY, runner, Settings(), provenance=dict, progress=progress)


def test_a_search_proposes_no_more_and_goes_on_to_its_budget(
    tmp_path: Path, told: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.driver.measure_yardstick", lambda *_: None)
    monkeypatch.setattr("runners.schedules.search.materials_on_demand", lambda *_: Materials({CARD.identity: None}, {}))
    stopped = searched(Watched(lambda: told("stop"), after=2), 12)
    assert stopped.was_asked, "all that was proposed is finished, but the budget is not spent"
    assert stopped.coverage.planned == stopped.coverage.finished == len(states())
    assert stopped.coverage.planned < 12
    assert told("status").startswith("0: its driver has ended in order: process ")
    whole = searched(Pretending(), 12)
    assert str(whole.coverage) == "complete: 12 planned, 12 finished, 0 failed, 0 pending"
    assert not whole.was_asked
    assert states() == ["finished"] * 12
