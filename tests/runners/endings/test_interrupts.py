"""Interrupted at moments of a start: code 130, one line, no traceback of a child, and no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.runners.waiting import SECONDS, state_of, wait_until


def children_of(process: int) -> list[str]:
    """List the command lines of a process's children."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process:
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def alive_with(mark: str) -> list[str]:
    """Name the processes that still run with a mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes() and state_of(int(folder.name)) != "Z":
                found.append(folder.name)
        except OSError:
            continue
    return found


def has_child(words: str, process: int) -> bool:
    return any(words in command for command in children_of(process))


WORKERS, RAY = partial(has_child, "spawn_main"), partial(has_child, "gcs_server")


@pytest.mark.slow  # each starts Ray, an encoder, or workers; test_cli.py interrupts a serial sweep
@pytest.mark.parametrize(
    ("command", "has_come", "number"),
    [
        (["sweep", "--runner", "processes"], WORKERS, signal.SIGINT),
        (["sweep", "--runner", "ray"], RAY, signal.SIGINT),
        (["sweep", "--runner", "ray"], RAY, signal.SIGTERM),
        (["plan", "--measure"], WORKERS, signal.SIGINT),
        (["sweep", "--runner", "processes"], WORKERS, signal.SIGHUP),
    ],
)
def test_interrupted_while_it_starts(
    command: list[str],
    has_come: Callable[[int], bool],
    number: signal.Signals,
    project: Path,
    encoder_folder: Path,
) -> None:
    name, *options = command
    words = [sys.executable, "-m", "runners.cli", name, "question.toml", "--task", "task.toml"]
    words += ["--model", str(encoder_folder), "--study", "study", *options]
    mark = f"interrupted-{os.getpid()}-{time.monotonic_ns()}"
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "A_MARK_OF_THE_TEST": mark},
        # A test run in the background has SIGINT ignored, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    ) as process:
        wait_until(lambda: has_come(process.pid), process)
        # A terminal signals all that run in it; others signal the one that they know.
        (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
        _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("interrupted")
    under_way = ("measuring ", "tokenising ")
    assert len([line for line in told.splitlines() if not line.startswith(under_way)]) == 1
    for _ in range(50 * 60):
        if not alive_with(mark):
            break
        time.sleep(0.02)
    assert not alive_with(mark)
    assert not list(Path().rglob("*.part"))


def test_a_first_worker_is_deaf_before_it_can_be(tmp_path: Path) -> None:
    """Also the first: what keeps count of shared memory is started before it, and would let the signal through."""
    code = (
        "import signal, sys\nfrom multiprocessing import get_context\n"
        "from runners.endings.interrupts import deaf_children\n"
        "if __name__ == '__main__':\n"
        "    ours, theirs = get_context('spawn').Pipe()\n"
        "    process = get_context('spawn').Process(target=theirs.send, args=(1,))\n"
        "    with deaf_children():\n        process.start()\n"
        "    blocked = int(next(line.split()[1] for line in open(f'/proc/{process.pid}/status')"
        " if line.startswith('SigBlk')), 16)\n"
        "    assert blocked & (1 << (signal.SIGINT - 1)), 'deaf'\n"
        "    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set()), 'we are not'\n"
        "    process.join()\n"
    )
    (tmp_path / "starts.py").write_text(code)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "starts.py")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 0, done.stderr
