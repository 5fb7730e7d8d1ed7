"""Processes watched from outside, the peak memory of host and card; and how to end what takes too long."""

import contextlib
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.measuring import Tree

EVERY_SECONDS = 0.5


@dataclass
class Watched:
    """What was seen. ``begun`` is on the clock of ``time.time``; ``is_whole``: all ended by itself, and well."""

    begun: float
    seconds: float = 0.0
    is_whole: bool = False
    host_peak_bytes: int = 0
    card_peak_mib: float | None = None
    card_mean_use: float | None = None


@contextlib.contextmanager
def watching(pids: Sequence[int], begun: float) -> Iterator[Watched]:
    """Watch processes, with all that they start, until the block is left; the figures are there afterwards."""
    found, is_over = Watched(begun), threading.Event()
    trees = [Tree(pid) for pid in pids]

    def look() -> None:
        while not is_over.wait(EVERY_SECONDS):
            for tree in trees:
                tree.look()
            # The peaks of several trees need not be of one moment: an upper bound.
            found.host_peak_bytes = max(found.host_peak_bytes, sum(tree.peak_bytes for tree in trees))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        with _card_watched() as lines:
            yield found
    finally:
        found.seconds = time.time() - begun
        is_over.set()
        thread.join()
        found.card_peak_mib, found.card_mean_use = _read_card(lines)


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


@contextlib.contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Interrupt this thread, the main one, as Ctrl-C does, when what it does takes longer; go on after the block."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted: its share of the time is over", flush=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
