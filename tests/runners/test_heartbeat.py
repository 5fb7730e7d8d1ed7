"""The heartbeat: it outlives what a disk does to it, and says so once."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from runners.driver import heartbeat


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.driver.HEARTBEAT_SECONDS", 0.02)


def beats(ledger: Ledger) -> int:
    return int(ledger.connection.execute("SELECT beats FROM driver").fetchone()[0])


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_beats_before_any_trial_runs(tmp_path: Path) -> None:
    said: list[str] = []
    with Study(tmp_path / "study").driven() as ledger, heartbeat(ledger, said.append):
        wait_for(lambda: beats(ledger) > 2)
    assert said == []


def test_a_folder_that_goes_away_and_comes_back_is_said_once_each(tmp_path: Path) -> None:
    study, said = Study(tmp_path / "study"), list[str]()
    with study.driven() as ledger, heartbeat(ledger, said.append):
        study.folder.rename(tmp_path / "away")
        wait_for(lambda: bool(said))
        time.sleep(0.2)
        assert not study.folder.exists(), "no second ledger is made in its place"
        (tmp_path / "away").rename(study.folder)
        wait_for(lambda: len(said) > 1)
        before = beats(ledger)
        wait_for(lambda: beats(ledger) > before)
    assert [sentence.split(":")[0] for sentence in said] == [
        "the heartbeat cannot write the ledger, and goes on trying",
        "the heartbeat writes the ledger again",
    ]


def test_a_ledger_that_cannot_be_opened_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with Study(tmp_path / "study").driven() as ledger, monkeypatch.context() as patch:
        patch.setattr(Ledger, "heartbeat", lambda self: self.connection.execute("SELECT * FROM a_full_disk"))
        with heartbeat(ledger, said.append):
            wait_for(lambda: bool(said))
            patch.undo()
            monkeypatch.setattr("runners.driver.HEARTBEAT_SECONDS", 0.02)
            wait_for(lambda: len(said) > 1)
    assert "no such table: a_full_disk" in said[0]
    assert len(said) == 2


def test_a_ledger_that_is_locked_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    connect = sqlite3.connect
    with Study(tmp_path / "study").driven() as ledger:
        monkeypatch.setattr(
            "gridsearch.study.ledger.sqlite3.connect", lambda path, **how: connect(path, **how | {"timeout": 0})
        )
        with heartbeat(ledger, said.append), contextlib.closing(connect(ledger.path)) as other:
            with other:
                other.execute("BEGIN EXCLUSIVE")
                wait_for(lambda: bool(said))
            wait_for(lambda: len(said) > 1)
    assert "database is locked" in said[0]


@pytest.mark.slow  # starts the command on a disk of its own
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
# 60k are full before the first trial and 200k in it.
@pytest.mark.parametrize("size", ["60k", "200k"])
def test_a_full_disk_is_one_sentence(size: str, project: Path, encoder_folder: Path) -> None:
    full = project / "full"
    full.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", full], check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        command = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder)]
        done = subprocess.run(
            [sys.executable, "-m", "runners.cli", *command, "--study", str(full / "st"), "--runner", "serial"],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        subprocess.run(["umount", full], check=True)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "full/st: No space left on device: make room, or name another folder with --study" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
