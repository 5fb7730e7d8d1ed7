"""Ways in which a worker goes wrong, each to be run in its place of the training: chosen by the trial's seed."""

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import torch

from gridsearch.encoders.load import EncoderWeights
from gridsearch.stage import LogPoint, Stage
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetuning
from gridsearch.training.pretraining import pretraining
from gridsearch.trial import Epoch, Trial
from tests.runners.waiting import SECONDS

MIB = 2**20


def die_of(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def hang_in_c() -> None:
    """No other thread of the process runs meanwhile: the call keeps Python's lock."""
    ctypes.PyDLL(None).sleep(1000)


def hang_in_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def only_more(n_bytes: int) -> None:
    """Let this process have so many bytes more than it has."""
    has = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (has + n_bytes, resource.RLIM_INFINITY))


def unlimited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def want_much_of(allocate: Callable[[], object]) -> None:
    only_more(64 * MIB)
    try:
        allocate()
    finally:
        unlimited()


def end_while_sending(number: int) -> bytes:
    """Return more than a pipe holds; what is sent of it is half, because nobody reads until the signal has come."""
    threading.Timer(1.0, os.kill, (os.getpid(), number)).start()
    return bytes(64 * MIB)


FAULTS: dict[str, Callable[[], object]] = {
    "killed": lambda: die_of(signal.SIGKILL),
    "crashed": lambda: ctypes.string_at(0),
    "exited": lambda: os._exit(3),
    "no memory for torch": lambda: want_much_of(lambda: torch.empty(1024 * MIB, dtype=torch.uint8)),
    "no memory for Python": lambda: want_much_of(lambda: bytes(1024 * MIB)),
    "cannot be sent": lambda: sys._getframe(),
    "killed while sending": lambda: end_while_sending(signal.SIGKILL),
    "stopped while sending": lambda: end_while_sending(signal.SIGSTOP),
    "hangs in C": hang_in_c,
    "hangs in a lock": hang_in_a_lock,
    "hangs in Python": lambda: time.sleep(1000),
    "stopped": lambda: die_of(signal.SIGSTOP),
    "device assert": lambda: fail_on_the_device(),
}


def seed_of(fault: str) -> int:
    """Name a fault by a seed; the seeds of a plan train."""
    return 100 + list(FAULTS).index(fault)


def at_fault(
    trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution
) -> Generator[Epoch, None, Any]:
    """Train, or go wrong as the seed says."""
    if trial.seed < 100:
        return (yield from finetuning(trial, data, encoder, execution))
    yield from ()
    return FAULTS[list(FAULTS)[trial.seed - 100]]()


MARK = "a trial without a stage has ended"


def leaving_a_mark(
    trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution
) -> Generator[Epoch, None, Any]:
    """Train; write a file at the end of a trial without a stage."""
    outcome = yield from finetuning(trial, data, encoder, execution)
    if trial.stage is None:
        Path(MARK).touch()
    return outcome


def after_the_mark(
    stage: Stage, corpus: EncodedCorpus, base: EncoderWeights, execution: Execution
) -> Generator[LogPoint, None, Any]:
    """Pretrain, but not before a trial without a stage has ended."""
    for _ in range(50 * SECONDS):
        if Path(MARK).exists():
            return (yield from pretraining(stage, corpus, base, execution))
        time.sleep(0.02)
    raise AssertionError("no trial ended beside the stage")


LEAK_BYTES = 1024 * MIB
_leaked: list[bytes] = []


def leaking(
    trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution
) -> Generator[Epoch, None, Any]:
    """Train, and keep so many bytes for good."""
    _leaked.append(b"x" * LEAK_BYTES)
    return (yield from finetuning(trial, data, encoder, execution))


def fail_on_the_device() -> None:
    raise RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported")


def hungry(
    trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution
) -> Generator[Epoch, None, Any]:
    """Train, when 256 MiB divided as the batches are fit into 96."""
    only_more(96 * MIB)
    try:
        torch.empty(256 * MIB // execution.micro_batch_divisor, dtype=torch.uint8)
    finally:
        unlimited()
    return (yield from finetuning(trial, data, encoder, execution))
