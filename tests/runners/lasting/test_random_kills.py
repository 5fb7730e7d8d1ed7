"""Killed at random moments, in every way that a process can be: nothing is lost, nothing is done twice, nothing stays.

A sweep of pretrainings and quick trials is started again and again in processes of its own, with folders of its own for
what is temporary and what is kept between commands, so that whatever stays behind can be seen.
"""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from runners.cli import main
from runners.endings.codes import EXIT_DONE, EXIT_INTERRUPTED
from tests.runners.staging import OWN_SEEDS, numbers, space_of
from tests.runners.waiting import state_of

STEPS = '"pretraining.steps" = [0, 30, 60]\nbert_adam = [false, true]'
SEEDS = "[0, 1, 2, 3, 4, 5]"
N_TRIALS = 36
LONGEST_SECONDS = 20.0
"""A driver is killed so long after its start at the latest: some while it prepares, some after it has ended."""
PATIENCE_SECONDS = 60
"""So long the workers of a killed driver may take to see that it is gone."""

WAYS = ("driver killed", "all killed", "worker killed", "SIGTERM", "SIGINT", "SIGINT twice")


@dataclass
class Sweep:
    """A sweep that is started in a process group of its own; ``mark`` tells its processes from all others."""

    words: list[str]
    mark: str
    temporary: Path

    @property
    def log(self) -> Path:
        """What the driver of this start has printed."""
        return self.temporary.with_name("log")

    def start(self) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "TMPDIR": str(self.temporary), "KILLED_BY": self.mark}
        with self.log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "runners.cli", *self.words], start_new_session=True, stdout=log, stderr=log,
                env=environment,
            )  # fmt: skip

    def processes(self) -> Iterator[psutil.Process]:
        """Find what runs with the mark in its environment, whoever its parent is by now."""
        for process in psutil.process_iter():
            try:
                if process.environ().get("KILLED_BY") == self.mark and state_of(process.pid) != "Z":
                    yield process
            except (psutil.Error, OSError):
                continue

    def end(self, way: str, driver: "subprocess.Popen[bytes]", chance: random.Random) -> None:
        """Do to the sweep what ``way`` says."""
        if way == "all killed":
            os.killpg(driver.pid, signal.SIGKILL)
        elif way == "worker killed":
            workers = sorted(process.pid for process in self.processes() if "spawn_main" in "".join(process.cmdline()))
            if workers:
                os.kill(chance.choice(workers), signal.SIGKILL)
        else:
            number = signal.SIGKILL if way == "driver killed" else signal.Signals[way.split()[0]]
            driver.send_signal(number)
            if way.endswith("twice"):
                time.sleep(chance.random())
                driver.send_signal(number)


def ask(query: str) -> list[tuple[object, ...]]:
    """Ask the ledger as it lies there; a study that has none yet, or no tables in it, has no rows."""
    if not Path("study/ledger.sqlite").exists():
        return []
    with contextlib.closing(sqlite3.connect("study/ledger.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        n_tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE '%attempts'").fetchone()
        return connection.execute(query).fetchall() if n_tables == (2,) else []


def finished() -> dict[object, object]:
    """Map every finished trial and stage to the attempt that finished it."""
    trials = ask("SELECT trial, id FROM attempts WHERE state = 'finished'")
    stages = ask("SELECT stage, id FROM stage_attempts WHERE state = 'finished'")
    assert len(dict(trials)) == len(trials), "a trial has finished twice"
    assert len(dict(stages)) == len(stages), "a stage has finished twice"
    return {**dict(trials), **dict(stages)}


def leftovers(*folders: Path) -> list[Path]:
    """Find what is half-written or temporary."""
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.name.endswith((".part", "-journal", "-wal", "-shm")) or ".draft-" in path.name
    ]


@pytest.mark.parametrize(
    ("n_kills", "seed"),
    [pytest.param(20, 1, marks=pytest.mark.slow), pytest.param(100, 2, marks=pytest.mark.long)],
)  # a driver takes seconds to start
def test_killed_at_random_moments(
    n_kills: int, seed: int, project: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "question.toml").write_text(space_of(STEPS, OWN_SEEDS, SEEDS))
    asked = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder)]
    temporary, made = tmp_path / "temporary", Path(os.environ["GRIDSEARCH_CACHE"])
    temporary.mkdir()
    assert main([*asked, "--study", "whole", "--runner", "serial"]) == EXIT_DONE
    whole = numbers("whole")
    assert len(whole["trials"]) == N_TRIALS
    forget(made)
    words = [*asked, "--study", "study", "--runner", "processes", "--workers", "2", "--keep", "best"]

    chance, sweep, kills = random.Random(seed), Sweep(words, f"{tmp_path}", temporary), Counter[str]()
    n_completed, endings, before = 0, Counter[int](), finished()
    while kills.total() < n_kills or not n_completed:
        driver = sweep.start()
        while True:
            try:
                driver.wait(chance.uniform(0, LONGEST_SECONDS) if kills.total() < n_kills else None)
                break
            except subprocess.TimeoutExpired:
                way = chance.choice(WAYS)
                sweep.end(way, driver, chance)
                kills[way] += 1
        told = sweep.log.read_text()
        assert "Traceback" not in told
        endings[driver.returncode] += 1
        # A signal that comes before the first line of our code ends the interpreter as it ends any process.
        unheard = (-signal.SIGKILL,) if told else (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)
        assert driver.returncode in (EXIT_DONE, EXIT_INTERRUPTED, *unheard), told
        _, alive = psutil.wait_procs(list(sweep.processes()), timeout=PATIENCE_SECONDS)
        assert not alive, "a process has stayed"
        now = finished()
        assert before.items() <= now.items(), "something finished was lost, or done again"
        before = now
        if driver.returncode == EXIT_DONE:
            assert main(["verify", "study"]) == EXIT_DONE
            assert numbers() == whole, "as if nobody had been killed"
            kinds = {kind for (kind,) in ask("SELECT DISTINCT failure_kind FROM attempts WHERE state = 'failed'")}
            assert kinds <= {"lost_driver", "killed"}
            assert leftovers(project / "study", made) == []
            assert list(temporary.iterdir()) == []
            assert len(list(Path("study/weights").iterdir())) == 1
            n_completed += 1
            before = forget(made)
    with capsys.disabled():
        print(f"\n{dict(kills)}; drivers ended {dict(endings)}; {n_completed} studies completed")


def forget(made: Path) -> dict[object, object]:
    """Remove the study and the encoders that were made for it: the next start begins at nothing."""
    shutil.rmtree("study", ignore_errors=True)
    shutil.rmtree(made / "encoders")
    return {}
