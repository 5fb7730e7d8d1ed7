"""``gridsearch skip`` at odd moments: in a halving, taken back while a driver runs, and of a driver that is killed."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gridsearch.planning.halving import halved
from gridsearch.planning.plan import Plan
from gridsearch.training.materials import Materials
from gridsearch.trial import Epoch
from runners.cli import EXIT_DONE, main
from runners.contract import Listener
from tests.runners import test_halving
from tests.runners.attending.test_skip import STUDY, WHY, Told, begun, from_another_thread, plan_of, planned, trials_of
from tests.runners.attending.test_skip import plan as plan  # fixtures
from tests.runners.attending.test_skip import told as told
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending
from tests.runners.staging import rows
from tests.runners.waiting import attempts_by_state, wait_until


class Asked(Pretending):
    """Asks for something, as another process would, when so many epochs have ended."""

    def __init__(self, told: Told, at: dict[int, tuple[str, ...]]) -> None:
        super().__init__()
        self._told, self._at = told, at
        self.answers: list[str] = []
        self.begun_before: set[str] = set()

    def _goes_on(self, trial: Any, epochs: list[Epoch], listener: Listener) -> bool:
        goes_on = super()._goes_on(trial, epochs, listener)
        if (words := self._at.get(self.n_epochs)) is not None:
            self.begun_before = begun(self)
            self.answers.append(from_another_thread(lambda: self._told("skip", *words)))
        return goes_on


@pytest.fixture(autouse=True)
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.driver.HEARTBEAT_SECONDS", 0.02)


@pytest.fixture
def halving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Return ten cells of two seeds, of which the third, fifth and sixth go on, and of these the fifth."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.schedules.rounds.make_materials", lambda *_: Materials({}, {}))
    return halved(test_halving.plan_of(test_halving.SPACE), 3)


def halve(plan: Plan, runner: Pretending) -> str:
    sources = {"space": "test", "encoders": {"tiny": test_halving.CARD.identity}}
    return str(sweep(plan, STUDY, runner, sources).coverage)


def test_in_a_halving_the_place_that_a_cell_has_won_is_taken_by_none(halving: Plan, told: Told) -> None:
    """The third is left out when the second rung has begun, and the fifth when one of its seeds runs in the last."""
    runner = Asked(told, {21: ("--cell", "3", *WHY), 33: ("--cell", "5", *WHY)})
    assert halve(halving, runner) == (
        "complete: 17 planned, 1 finished, 0 failed, 0 pending, 16 pruned, 3 skipped on purpose"
    )
    assert [answer.split(":")[0] for answer in runner.answers] == ["0", "0"]
    everyone, second, last = test_halving.standing().members
    assert (len(everyone), second, last) == (10, (3, 5, 6), (5,))
    assert runner.n_epochs == 20 + 2 * 6 + 9, "none of the third, and one seed of the fifth"
    assert halve(halving, again := Pretending()).startswith("complete: 17 planned, 1 finished")
    assert not again.begun
    assert told("skip", "--cell", "5", "--undo").startswith("0: ")
    assert halve(halving, Pretending()).startswith("complete: 18 planned, 2 finished"), "the place was kept for it"


def test_in_a_halving_that_has_not_begun_another_goes_on(halving: Plan, told: Told) -> None:
    planned(halving)
    assert told("skip", "--cell", "5", *WHY).startswith("0: ")
    runner = Pretending()
    certificate = halve(halving, runner)
    assert certificate == "complete: 18 planned, 2 finished, 0 failed, 0 pending, 16 pruned, 2 skipped on purpose"
    assert test_halving.standing().members[1:] == ((3, 4, 6), (6,))
    assert not begun(runner) & trials_of(halving, 5)


def test_what_the_driver_at_work_left_out_it_runs_when_that_is_undone(plan: Plan, told: Told) -> None:
    runner = Asked(told, {1: ("--cell", "8", *WHY), 27: ("--cell", "8", "--undo")})
    assert str(sweep(plan, STUDY, runner).coverage) == "complete: 16 planned, 16 finished, 0 failed, 0 pending"
    left_out, undone = runner.answers
    assert left_out.startswith("0: cell 8 is left out on purpose")
    assert undone.startswith("0: cell 8 is taken back in\n")
    assert not runner.begun_before & trials_of(plan, 8)
    assert trials_of(plan, 8) <= begun(runner)


def test_what_was_left_out_when_it_began_is_run_by_the_next(plan: Plan, told: Told) -> None:
    planned(plan)
    assert told("skip", "--cell", "8", *WHY).startswith("0: ")
    runner = Asked(told, {3: ("--cell", "8", "--undo")})
    result = sweep(plan, STUDY, runner)
    assert (str(result), result.exit_code) == ("incomplete: 16 planned, 14 finished, 0 failed, 2 pending", 1)
    (answer,) = runner.answers
    assert "may end without them, if they were left out when it began: run it again then" in answer
    assert str(sweep(plan, STUDY, again := Pretending()).coverage).startswith("complete: 16 planned, 16 finished")
    assert begun(again) == trials_of(plan, 8)


@pytest.mark.slow  # a driver of its own is started, and killed; then all trials are trained
def test_a_skip_whose_driver_is_killed_is_heeded_by_the_next(
    project: Path, encoder_folder: Path, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(encoder_folder, "[0]")
    last = plan.in_running_order(set(plan.trials))[-1].id
    (cell,) = [cell.index for cell in plan.cells if cell.trials[0].id == last]
    words = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    words += ["--runner", "serial"]
    driver = subprocess.Popen(
        [sys.executable, "-m", "runners.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until(attempts_by_state, driver)
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(told("skip", "--cell", str(cell), *WHY)))
    asking.start()
    wait_until(lambda: list(STUDY.folder.glob("skip-*.json")), driver)
    driver.kill()
    driver.wait()
    asking.join()
    assert answers[0].startswith(f"0: cell {cell} is left out on purpose: it takes too long\n")
    capsys.readouterr()
    assert main(words) == EXIT_DONE
    assert "complete: 7 planned, 7 finished, 0 failed, 0 pending, 1 skipped on purpose" in capsys.readouterr().out
    assert rows(f"SELECT count(*) FROM attempts WHERE trial = '{last}'") == [(0,)]
    assert not list(STUDY.folder.glob("skip-*"))
