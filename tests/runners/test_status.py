"""``gridsearch status`` at every moment of a study's life, as somebody sees it who asks from a second terminal."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gridsearch.encoders.load import describe
from gridsearch.errors import StudyLockedError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.tasks.taskfile import load_task
from gridsearch.this_process import this_process
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch
from runners.cli import main
from runners.contract import Listener
from runners.progress.live import Progress
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending

STUDY = Study(Path("study"))
NOBODY = (
    "the study study has not begun: nothing is planned in it, and nobody on this machine is at work on it: "
    "give its command again"
)


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


@pytest.fixture
def status(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def told() -> str:
        capsys.readouterr()
        code = main(["status", "study"])
        printed = capsys.readouterr()
        return printed.out if code == 0 else f"{code}: {printed.err}"

    return told


class Watched(Pretending):
    """Looks at the status whenever an epoch has ended; gives up after so many, as a driver does that is killed."""

    def __init__(self, look: Callable[[], None], dies_after: int = 10**9) -> None:
        super().__init__(n_workers=2)
        self._look, self._dies_after = look, dies_after

    def _goes_on(self, trial: Any, epochs: list[Epoch], listener: Listener) -> bool:
        goes_on = super()._goes_on(trial, epochs, listener)
        self._look()
        if self.n_epochs >= self._dies_after:
            raise RuntimeError("killed")
        return goes_on


def test_of_no_study_and_of_one_in_which_nothing_was_planned(project: Path, status: Callable[[], str]) -> None:
    assert status() == "2: gridsearch status: there is no study at study: no ledger.sqlite in it\n"
    with STUDY.held():
        before = f"2: gridsearch status: the study study has not begun: {this_process()} prepares it: ask again when "
        assert status().startswith(before), "its driver has not said yet what it prepares"
    assert not STUDY.folder.exists(), "a driver that has made no ledger leaves nothing behind"
    with STUDY.driven():
        pass
    assert status() == f"2: gridsearch status: {NOBODY}\n"


@pytest.mark.parametrize("n_tables", [None, 0, 1], ids=["no ledger", "an empty one", "one without a plan"])
@pytest.mark.parametrize("lives", [True, False], ids=["its driver lives", "its driver was killed"])
def test_of_one_that_has_not_begun_every_command_says_so(
    n_tables: int | None, lives: bool, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[str, str] = {}
    with STUDY.held() as hold:
        if n_tables is not None:
            STUDY.ledger_path.touch()
        if n_tables:
            Ledger(STUDY.ledger_path).connection.close()
        hold.tell("tokenising the texts")
        if not lives:
            hold._lock.close()  # the kernel does it so
        for command in ("status", "stop", "verify", "skip"):
            code = main([command, "study", *(["--cell", "1", "--why", "slow"] if command == "skip" else [])])
            printed = capsys.readouterr()
            told[command] = f"{code}: {printed.out}{printed.err}"
    if lives:
        assert told["status"].startswith("0: preparing: tokenising the texts, for ")
        assert told["stop"].startswith(f"0: {this_process()} is asked to stop: ")
        doing = f"the study study has not begun: {this_process()} prepares it (tokenising the texts)"
        for command in ("verify", "skip"):
            wanted = f"2: gridsearch {command}: {doing}: ask again when gridsearch status counts its trials\n"
            assert told[command] == wanted
    else:
        for command in ("status", "verify", "skip"):
            assert told[command] == f"2: gridsearch {command}: {NOBODY}\n"
        if n_tables:
            assert told["stop"] == "0: nobody is at work on study: there is nothing to stop\n"
        else:
            assert told["stop"] == f"2: gridsearch stop: {NOBODY}\n"


def test_while_it_is_prepared(plan: Plan, status: Callable[[], str]) -> None:
    seen: dict[str, str] = {}

    class Telling(Progress):
        def say(self, text: str) -> None:
            seen[text] = ""

    class Looking(Pretending):
        def __enter__(self) -> "Pretending":
            seen["the runner starts"] = status()
            return self

        def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, **how: Any) -> None:
            seen["no worker has begun"] = status()
            super().run(jobs, materials, listener, **how)

    progress = Telling(plan.task.target, {}, Console(quiet=True))
    sweep(plan, STUDY, Looking(), progress=progress)
    assert seen["the runner starts"].startswith("preparing: starting the runner pretending, for ")
    assert "tokenising the texts" in seen
    lines = seen["no worker has begun"].splitlines()
    assert lines[0].startswith("preparing: waiting for the first worker, for ")
    assert lines[-1] == "incomplete: 8 planned, 0 finished, 0 failed, 8 pending"


def test_while_it_runs_and_when_it_is_done(plan: Plan, status: Callable[[], str]) -> None:
    seen: list[str] = []
    sweep(plan, STUDY, Watched(lambda: seen.append(status())))
    first, *_ = seen
    assert " on pretended: epoch 1 of 2, for " in first
    assert " on pretended: epoch 2 of 2, for " in first
    assert first.splitlines()[-1] == "incomplete: 8 planned, 0 finished, 0 failed, 6 pending, 2 running"
    assert all("nobody is at work" not in one for one in seen)
    assert all(" left" in one for one in seen[1:-1])
    assert status().splitlines()[-1] == "complete: 8 planned, 8 finished, 0 failed, 0 pending"
    assert "left" not in status()


def test_of_one_whose_driver_was_killed(
    plan: Plan, status: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        sweep(plan, STUDY, Watched(lambda: None, dies_after=5))
    lines = status().splitlines()
    assert lines[0] == "nobody is at work on it: the same command goes on from here"
    with STUDY.open() as ledger:
        n_finished = len(ledger.dev_results())
        assert ledger.coverage().running == 2
    certificate = f"incomplete: 8 planned, {n_finished} finished, 0 failed, {8 - n_finished} pending"
    assert lines[-1] == certificate, "what was under way is to be run again"
    assert main(["verify", "study"]) == 1
    assert capsys.readouterr().out == f"{certificate}\n"


def test_a_second_driver_is_refused_before_it_prepares_anything(plan: Plan) -> None:
    with STUDY.held() as hold:
        hold.tell("tokenising the texts")
        with pytest.raises(StudyLockedError, match="is being driven by process"):
            sweep(plan, STUDY, Pretending())
        note = STUDY.driver_note()
        assert note is not None
        assert (note.doing, note.name) == ("tokenising the texts", hold.name)


def test_what_an_older_driver_has_written_is_its_name(project: Path) -> None:
    with STUDY.held() as hold:
        hold._lock.seek(0)
        hold._lock.truncate()
        hold._lock.write("process 7 on desk")
        hold._lock.flush()
        assert STUDY.driver() == "process 7 on desk"
