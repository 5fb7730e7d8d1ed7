"""The cost of a command: wall seconds, and CPU seconds and peak memory of all the processes that it starts."""

import contextlib
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from gridsearch.errors import GridSearchError

ROOT = Path(__file__).parents[1]
"""Where commands run, so that they find this package."""
SAMPLE_SECONDS = 1.0
N_LINES_OF_LOG = 15


@dataclass(frozen=True)
class Cost:
    """``peak_bytes``: the largest sum of proportional set sizes (PSS) seen, where what processes share counts once."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int

    def followed_by(self, other: "Cost") -> "Cost":
        """Return the cost of this and then the other."""
        return Cost(
            self.wall_seconds + other.wall_seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_bytes, other.peak_bytes),
        )


class Tree:
    """A process and its descendants, looked at from time to time."""

    def __init__(self, pid: int) -> None:
        self._top = psutil.Process(pid)
        self._cpu_seconds: dict[psutil.Process, float] = {}
        self.peak_bytes = 0

    @property
    def cpu_seconds(self) -> float:
        """Of every process the seconds up to the last look at it."""
        return sum(self._cpu_seconds.values())

    def look(self) -> None:
        """Read the counters of every process that lives."""
        n_bytes = 0
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [self._top, *self._top.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    spent = process.cpu_times()
                    self._cpu_seconds[process] = spent.user + spent.system
                    n_bytes += process.memory_full_info().pss
        self.peak_bytes = max(self.peak_bytes, n_bytes)


def run_measured(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    every_seconds: float = SAMPLE_SECONDS,
) -> Cost:
    """Run a command to its end, its output in a log; look at its processes every so many seconds.

    Raises GridSearchError, with the end of the log, for a command that fails.
    """
    before = _seconds_of_ended_children()
    begun = time.perf_counter()
    with log.open("ab") as output:
        environment = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)
        tree = Tree(process.pid)
        try:
            while process.poll() is None:
                tree.look()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(every_seconds)
        finally:
            process.terminate()
            process.wait()
    wall_seconds = time.perf_counter() - begun
    if process.returncode != 0:
        end = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-N_LINES_OF_LOG:])
        raise GridSearchError(f"`{' '.join(command)}` ended with exit code {process.returncode}:\n{end}")
    # Looks miss the last moments of a process; the kernel's sum misses processes that nobody waited for.
    cpu_seconds = max(tree.cpu_seconds, _seconds_of_ended_children() - before)
    return Cost(wall_seconds, cpu_seconds, tree.peak_bytes)


def _seconds_of_ended_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
