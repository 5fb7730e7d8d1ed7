"""Killed without a word at several moments and started again: nothing finished is lost, nothing is run twice."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from runners.cli import main
from tests.runners.waiting import attempts_by_state, state_of, wait_until

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def finished() -> dict[str, int]:
    """Map every finished trial to its finished attempt."""
    try:
        with sqlite3.connect("study/ledger.sqlite") as connection:
            return dict(connection.execute("SELECT trial, id FROM attempts WHERE state = 'finished'").fetchall())
    except sqlite3.OperationalError:  # killed before the tables were made
        return {}


MOMENTS = {
    "before anything has run": lambda: Path("study/ledger.sqlite").exists(),
    "the first trials run": lambda: attempts_by_state()["running"] > 0,
    "one has finished": lambda: attempts_by_state()["finished"] >= 1,
    "several have finished": lambda: attempts_by_state()["finished"] >= 4,
    "almost done": lambda: attempts_by_state()["finished"] >= 7,
}


WAYS = {
    "serial": ["sweep", "--runner", "serial"],
    "ray": ["sweep", "--runner", "ray", "--workers", "2"],
    "optimize": ["optimize", "--trials", "8", "--workers", "2"],
}


def workers() -> list[int]:
    """Name the processes that have run a trial."""
    with sqlite3.connect("study/ledger.sqlite") as connection:
        found = connection.execute("SELECT DISTINCT worker FROM attempts").fetchall()
    return [int(worker.split(":")[1]) for (worker,) in found]


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended may still wait for a parent that takes note of it."""
    try:
        return state_of(process) != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# Each start takes seconds, Ray's most: at five moments they need a minute or two, and are slow. One moment of the
# serial runner is quick.
ONE = ("several have finished",)


@pytest.mark.parametrize(
    ("way", "moments"),
    [
        ("serial", ONE),
        pytest.param("ray", ONE, marks=pytest.mark.slow),
        pytest.param("optimize", ONE, marks=pytest.mark.slow),
        pytest.param("serial", tuple(MOMENTS), marks=pytest.mark.slow),
        pytest.param("ray", tuple(MOMENTS), marks=pytest.mark.long),
        pytest.param("optimize", tuple(MOMENTS), marks=pytest.mark.long),
    ],
    ids=["serial, one", "ray, one", "optimize, one", "serial, five", "ray, five", "optimize, five"],
)
def test_killed_at_some_moments(
    way: str, moments: tuple[str, ...], project: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = WAYS[way]
    words = [command, "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    words += [*options, "--keep", "best"]
    before: dict[str, int] = {}
    for moment in moments:
        process = subprocess.Popen(
            [sys.executable, "-m", "runners.cli", *words], start_new_session=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(MOMENTS[moment], process)
        if way == "optimize":  # the driver alone: its workers see to it that they end
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = finished()
        assert before.items() <= now.items(), f"{moment}: a finished trial was lost or run again"
        before = now
    assert main(words) == 0
    assert before.items() <= finished().items()
    with sqlite3.connect("study/ledger.sqlite") as connection:
        n_finished = connection.execute("SELECT trial, count(*) FROM attempts WHERE state = 'finished' GROUP BY trial")
        assert [count for _, count in n_finished] == [1] * 8
        kinds = connection.execute("SELECT DISTINCT failure_kind FROM attempts WHERE state = 'failed'").fetchall()
        assert kinds in ([], [("lost_driver",)])
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert main(["verify", "study"]) == 0
    assert "complete: 8 planned, 8 finished, 0 failed, 0 pending" in capsys.readouterr().out
    assert len(list(Path("study/weights").iterdir())) == 1
    if way == "optimize":
        assert not any(map(is_alive, workers()))
