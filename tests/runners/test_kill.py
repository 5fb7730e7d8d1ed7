"""Killed without a word at five moments and started again: nothing finished is lost, nothing is run twice."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runners.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def counts() -> dict[str, int]:
    try:
        with sqlite3.connect("study/ledger.sqlite") as connection:
            return dict(connection.execute("SELECT state, count(*) FROM attempts GROUP BY state").fetchall())
    except sqlite3.Error:
        return {}


def finished() -> dict[str, int]:
    """Map every finished trial to its finished attempt."""
    try:
        with sqlite3.connect("study/ledger.sqlite") as connection:
            return dict(connection.execute("SELECT trial, id FROM attempts WHERE state = 'finished'").fetchall())
    except sqlite3.OperationalError:  # killed before the tables were made
        return {}


MOMENTS = {
    "before anything has run": lambda: Path("study/ledger.sqlite").exists(),
    "the first trials run": lambda: counts().get("running", 0) > 0,
    "one has finished": lambda: counts().get("finished", 0) >= 1,
    "several have finished": lambda: counts().get("finished", 0) >= 4,
    "almost done": lambda: counts().get("finished", 0) >= 7,
}


@pytest.mark.parametrize("runner", ["serial", "ray"])
def test_killed_at_five_moments(runner: str, project: Path, encoder_folder: Path, capsys) -> None:
    words = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    words += ["--runner", runner, "--keep", "best"] + (["--workers", "2"] if runner == "ray" else [])
    before: dict[str, int] = {}
    for moment, has_come in MOMENTS.items():
        process = subprocess.Popen(
            [sys.executable, "-m", "runners.cli", *words], start_new_session=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(3000):
            if has_come():
                break
            assert process.poll() is None, f"ended before the moment: {moment}"
            time.sleep(0.02)
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
