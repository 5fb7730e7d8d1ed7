"""How a trial is executed: threads, device, micro-batches; none of it changes what the trial means."""

import contextlib
import ctypes
import gc
import resource
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from gridsearch.threads import threads_of

PEAK_RESET = Path("/proc/self/clear_refs")
"""Where Linux is told to let the peak of a process's memory begin anew."""
Event = TypeVar("Event")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Execution:
    """How to execute a trial; none of it changes what the trial means.

    ``micro_batch_divisor`` cuts every batch into so many passes of the same total gradient, equal but for rounding (on
    a GPU: with dropout masks of their own), and those of evaluation likewise. ``keep_weights`` puts the trained
    parameters into the outcome, ``train_metric`` the metrics on the training rows. ``time_limit``: seconds that it may
    take. A pretraining saves where it is after so many ``save_seconds``; ``send_files``: the driver may not share this
    disk, and is sent the encoder that is made.
    """

    threads: int = 1
    device: str = "auto"
    micro_batch_divisor: int = 1
    keep_weights: bool = False
    time_limit: float | None = None
    save_seconds: float = 60.0
    send_files: bool = False
    train_metric: bool = False

    def settings(self) -> dict[str, object]:
        """Return what has to be repeated to get the same numbers to the last bit."""
        device = str(device_of(self))
        return {"threads": self.threads, "device": device, "micro_batch_divisor": self.micro_batch_divisor}


def device_of(execution: Execution) -> torch.device:
    """Return where a trial is computed."""
    name = execution.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def peak_bytes(device: torch.device) -> int:
    """Peak memory: of the device where there is one, else of this process since it began, or :func:`begin_peak`."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def begin_peak(device: torch.device) -> bool:
    """Let :func:`peak_bytes` be of what follows; False where the system has it go on, as a bound.

    On a CPU it counts what the process still holds. So what was given back goes to the system first.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return True
    with contextlib.suppress(AttributeError, OSError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    try:
        PEAK_RESET.write_text("5", encoding="ascii")  # see proc_pid_clear_refs(5)
    except OSError:
        return False
    return True


def to_the_end(events: Generator[Event, None, Result], hear: Callable[[Event], object]) -> Result:
    """Run a training to its end; ``hear`` is told what it yields. Return what it comes to."""
    while True:
        try:
            hear(next(events))
        except StopIteration as stop:
            result: Result = stop.value
            return result


@contextlib.contextmanager
def computing(execution: Execution) -> Iterator[None]:
    """Compute as a trial does: with its threads, and with random numbers that are nobody else's."""
    device = device_of(execution)
    with threads_of(execution.threads), torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield
