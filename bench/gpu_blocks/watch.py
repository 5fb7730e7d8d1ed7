"""A command, or several side by side, watched from outside: seconds, and the peak memory of host and card."""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import ROOT, Tree

EVERY_SECONDS = 0.5
SECONDS_TO_END = 6.0
"""A sweep that is interrupted ends its workers and closes its ledger."""


@dataclass(frozen=True)
class Watched:
    """``begun`` is on the clock of ``time.time``; ``is_whole``: all ended by themselves, and well."""

    begun: float
    seconds: float
    is_whole: bool
    host_peak_bytes: int
    card_peak_mib: float | None
    card_mean_use: float | None


def run_until(commands: Sequence[Sequence[str]], log: Path, seconds: float) -> Watched:
    """Run commands side by side; after so many seconds interrupt those that still run."""
    begun, ends_at = time.time(), time.monotonic() + seconds
    peak = 0
    with log.open("ab") as output, _card_watched() as card:
        processes = [
            subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT) for command in commands
        ]
        trees = [Tree(process.pid) for process in processes]
        try:
            while any(process.poll() is None for process in processes) and time.monotonic() < ends_at:
                for tree in trees:
                    tree.look()
                peak = max(peak, sum(tree.peak_bytes for tree in trees))
                time.sleep(EVERY_SECONDS)
            is_whole = all(process.poll() == 0 for process in processes)
            took = time.time() - begun
        finally:
            for number in (signal.SIGINT, signal.SIGKILL):
                _end(processes, number)
    return Watched(begun, took, is_whole, peak, *_read_card(card))


def _end(processes: Sequence["subprocess.Popen[bytes]"], number: int) -> None:
    alive = [process for process in processes if process.poll() is None]
    for process in alive:
        process.send_signal(number)
    for process in alive:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)


@contextlib.contextmanager
def _card_watched() -> Iterator[list[str]]:
    """Let the driver's tool, where there is one, write how the card is used; the list is filled at the end."""
    lines: list[str] = []
    if shutil.which("nvidia-smi") is None:
        yield lines
        return
    command = ["nvidia-smi", "--query-gpu=memory.used,utilization.gpu", "--format=csv,noheader,nounits", "-lms", "250"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield lines
    finally:
        process.terminate()
        lines += process.communicate()[0].splitlines()


def _read_card(lines: Sequence[str]) -> tuple[float | None, float | None]:
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):
            memory, use = map(float, line.split(","))
            found.append((memory, use))
    if not found:
        return None, None
    return max(memory for memory, _ in found), sum(use for _, use in found) / len(found)
