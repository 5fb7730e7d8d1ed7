"""The processes runner: warm workers on this machine, each with its share of the cores or of a GPU. No cluster."""

import contextlib
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import ModuleType
from typing import Any

from gridsearch.training.deadline import over_the_limit
from gridsearch.training.finetune import finetuning
from gridsearch.training.materials import Materials
from gridsearch.training.pretraining import pretraining
from gridsearch.training.worker import Event, Job, Pretrain, Run, Worker, failure_of
from gridsearch.trial import Failure
from runners.backends.recycling import SHARE, MemoryBudget, held_bytes, usable_memory
from runners.backends.shared_memory import Piece, Shelf, read_piece
from runners.contract import GRACE_SECONDS, KILLED, Listener, tell
from runners.endings.interrupts import deaf_children
from runners.machine import WORKERS_MEMORY, gpu_ids, usable_cores


@dataclass(frozen=True)
class Allocation:
    """What one worker may use: cores, and a GPU by the name that CUDA knows it by, with the worker's share of it."""

    cores: tuple[int, ...]
    gpu: str | None = None
    share: float = 0.0


class Moment(Enum):
    """What a worker says that is neither an epoch nor an end."""

    BEGUN = auto()
    GIVEN_UP = auto()
    """It has let go of what it was told to end, and a stage has saved where it is."""


@dataclass
class ProcessesRunner:
    """Runs jobs in processes that live as long as the runner. A context manager: leaving it ends them.

    ``n_workers``: trials at a time; by default one for each GPU, or for each core (by ``threads``) where there is none.
    ``what`` is done with each trial, ``pretrain`` with each stage; the listener's ``finished`` hears what they return.
    """

    n_workers: int | None = None
    threads: int = 1
    what: Run = finetuning
    pretrain: Pretrain = pretraining
    name: str = "processes"

    def __enter__(self) -> "ProcessesRunner":
        for name, value in WORKERS_MEMORY.items():
            os.environ.setdefault(name, value)
        self._shelf = Shelf()
        allotted = allocations(self.n_workers, self.threads, usable_cores(), gpu_ids())
        share = SHARE * usable_memory() / len(allotted)
        self._slots = [WorkerSlot(one, self.what, self.pretrain, MemoryBudget(share)) for one in allotted]
        return self

    def __exit__(self, *exception: object) -> None:
        for slot in self._slots:
            slot.close()
        self._shelf.clear()

    def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        """Run the jobs over the workers; ``alone``: one at a time."""
        feed = iter(jobs)
        free = list(self._slots)
        if alone:
            for slot in self._slots:
                slot.close()  # an idle worker keeps the memory of its last trial
            del free[1:]
        busy: dict[Connection, WorkerSlot] = {}
        while True:
            while free and not listener.stop_wanted() and (job := next(feed, None)) is not None:
                try:
                    pieces = self._shelf.pieces_for(job.work, materials)
                except Exception as error:
                    listener.failed(job.id, failure_of(error))
                    continue
                slot = free.pop(0)
                busy[slot.begin(job, pieces, listener)] = slot
            if not busy:
                return
            for channel in wait(list(busy)):
                slot = busy[channel]  # type: ignore[index]  # wait() returns what it was given
                if slot.hear(listener):
                    free.append(busy.pop(slot.channel))


class WorkerSlot:
    """An allocation with the worker that has it; one that is lost, or holds too much memory, is replaced when the next
    job comes.
    """

    def __init__(self, allocation: Allocation, what: Run, pretrain: Pretrain, budget: MemoryBudget) -> None:
        self._allocation, self._what, self._pretrain, self._budget = allocation, what, pretrain, budget
        self._process: Any = None
        self._limit: HardLimit | None = None
        self.channel: Connection

    def begin(self, job: Job, pieces: Mapping[Hashable, Piece], listener: Listener) -> Connection:
        """Hand a job to the worker; return the channel on which it will be heard."""
        if self._process is None or not self._process.is_alive():
            self._start()
        execution = replace(job.execution, device="cpu" if self._allocation.gpu is None else "cuda")
        self._work_id, self._time_limit = job.id, execution.time_limit
        gpus = [] if self._allocation.gpu is None else [self._allocation.gpu]
        resources = {
            "cores": self._allocation.cores,
            "gpus": self._allocation.share,
            "gpu_ids": gpus,
            **execution.settings(),
        }
        listener.started(self._work_id, f"{socket.gethostname()}:{self._process.pid}", resources)
        with contextlib.suppress(OSError):  # a worker that has just died is heard of as the others are
            self.channel.send((replace(job, execution=execution), pieces))
        return self.channel

    def hear(self, listener: Listener) -> bool:
        """Pass on what the worker says; return whether it is free again."""
        try:
            event = self.channel.recv()
        except (EOFError, OSError):
            event = self._how_it_died()
        if event is Moment.BEGUN:
            if self._time_limit is not None:
                self._limit = HardLimit(self._time_limit, self._process.kill)
            return False
        if isinstance(event, Event):
            stops = tell(listener, self._work_id, event)
            with contextlib.suppress(OSError):
                self.channel.send(not stops)
            return False
        self._lift_limit()
        if isinstance(event, Failure) and event.kind in ("lost_worker", "killed"):
            self.close()
        self._recycle()
        if event is Moment.GIVEN_UP:
            listener.pruned(self._work_id)
        elif isinstance(event, Failure):
            listener.failed(self._work_id, event)
        else:
            listener.finished(self._work_id, event)
        return True

    def _recycle(self) -> None:
        """End a worker between two jobs that holds more memory than it may: results do not depend on the process."""
        if self._process is not None and self._budget.is_spent(held_bytes(self._process.pid)):
            self.close()

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        self._lift_limit()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
            process.close()
            self.channel.close()

    def _start(self) -> None:
        self.close()
        self._budget.begin_anew()
        # A fork would inherit the threads and the CUDA context of whatever the driver has loaded.
        context = get_context("spawn")
        self.channel, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve,
            args=(theirs, self._allocation, self._what, self._pretrain),
            name="gridsearch-worker",
            daemon=True,
        )
        # Until it has imported all that it needs, it cannot ignore anything by itself.
        with deaf_children(), _without_main():
            self._process.start()
        theirs.close()

    def _lift_limit(self) -> None:
        if self._limit is not None:
            self._limit.lift()
            self._limit = None

    def _how_it_died(self) -> Failure:
        self._process.join(timeout=5)
        if self._limit is not None and self._limit.is_over:
            return Failure("time_limit", over_the_limit(self._limit.seconds))
        code = self._process.exitcode
        if code == -signal.SIGKILL:
            return Failure("killed", KILLED)
        return Failure("lost_worker", f"the worker died ({_spell(code)})")


def _spell(code: int | None) -> str:
    """Spell how a process ended.

    >>> _spell(-11), _spell(3)
    ('SIGSEGV', 'exit code 3')
    """
    if code is None or code >= 0:
        return f"exit code {code}"
    known = {one.value: one.name for one in signal.Signals}
    return known.get(-code, f"signal {-code}")


class HardLimit:
    """Ends what does not end by itself, some time after its limit: a thread waits for it, whatever the driver does."""

    def __init__(self, seconds: float, kill: Callable[[], None]) -> None:
        self.seconds, self.is_over = seconds, False
        self._kill = kill
        self._timer = threading.Timer(min(seconds + GRACE_SECONDS, threading.TIMEOUT_MAX), self._end)
        self._timer.daemon = True
        self._timer.start()

    def lift(self) -> None:
        """Kill nothing from now on."""
        self._timer.cancel()
        self._timer.join()

    def _end(self) -> None:
        self.is_over = True
        self._kill()


def allocations(n_workers: int | None, threads: int, cores: list[int], gpus: list[str]) -> list[Allocation]:
    """Share out what there is: each worker its own cores as long as they last, and a GPU in turn.

    >>> [allocation.cores for allocation in allocations(2, 1, [0, 1, 2, 3], [])]
    [(0, 2), (1, 3)]
    >>> [(allocation.gpu, allocation.share) for allocation in allocations(3, 1, [0, 1, 2, 3], ["0", "1"])]
    [('0', 0.5), ('1', 1.0), ('0', 0.5)]
    """
    count = n_workers or len(gpus) or max(1, len(cores) // threads)
    return [
        Allocation(
            cores=tuple(cores[number::count]) or (cores[number % len(cores)],),
            gpu=gpus[number % len(gpus)] if gpus else None,
            share=1 / len(range(number % len(gpus), count, len(gpus))) if gpus else 0.0,
        )
        for number in range(count)
    ]


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Start processes that do not run the program's own file again.

    Workers need nothing of it, and a script that calls a sweep in its last line would begin it anew in each.
    """
    own, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = own


def _serve(channel: Connection, allocation: Allocation, what: Run, pretrain: Pretrain) -> None:
    """What a worker does: run one job after the other, and after each epoch ask whether to go on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the driver as well, which ends its workers
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    # What trials read is shared and cannot be written. None of them writes it, but torch warns of it.
    warnings.filterwarnings("ignore", "The given NumPy array is not writable")
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # short of memory, the system ends a worker first
    os.sched_setaffinity(0, allocation.cores)
    if allocation.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = allocation.gpu
    pieces: dict[Hashable, Piece] = {}
    worker = Worker(Materials.fetched(lambda key: read_piece(pieces[key])), what, pretrain)
    with contextlib.suppress(EOFError, OSError):  # the driver is no more
        while True:
            job, needed = channel.recv()
            channel.send(Moment.BEGUN)
            pieces |= needed
            worker.begin(job)
            while isinstance(event := worker.advance(), Event):
                channel.send(event)
                if not channel.recv():
                    worker.close()
                    channel.send(Moment.GIVEN_UP)
                    break
            else:
                _send(channel, event)


def _send(channel: Connection, event: object) -> None:
    """Send how a trial ended; one that cannot be sent has failed."""
    try:
        message = ForkingPickler.dumps(event)
    except Exception as error:  # too large for the memory that is left
        message = ForkingPickler.dumps(failure_of(error))
    channel.send_bytes(message)


def _end_with_the_driver() -> None:
    """A driver that is killed cannot end its workers, and an epoch may take an hour."""
    driver = parent_process()
    assert driver is not None
    wait([driver.sentinel])
    os._exit(1)
