"""The processes runner: warm workers on this machine, each with its share of the cores or of a GPU. No cluster."""

import contextlib
import os
import signal
import socket
import threading
import warnings
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from gridsearch.finetune import finetuning
from gridsearch.trial import Epoch, Failure
from gridsearch.worker import Job, Materials, Run, Worker, failure_of
from runners.contract import Listener, Stock
from runners.machine import WORKERS_MEMORY, gpu_ids, usable_cores
from runners.shelf import Piece, Shelf, read_piece


@dataclass(frozen=True)
class Place:
    """What one worker may use: cores, and a GPU by the name that CUDA knows it by, with the worker's share of it."""

    cores: tuple[int, ...]
    gpu: str | None = None
    share: float = 0.0


@dataclass
class ProcessesRunner:
    """Runs jobs in processes that live as long as the runner. A context manager: leaving it ends them.

    ``n_workers``: trials at a time; by default one for each GPU, or for each core (by ``threads``) where there is none.
    ``what``: what is done with each trial; the listener's ``finished`` hears what that returns.
    """

    n_workers: int | None = None
    threads: int = 1
    what: Run = finetuning
    name: str = "processes"

    def __enter__(self) -> "ProcessesRunner":
        for name, value in WORKERS_MEMORY.items():
            os.environ.setdefault(name, value)
        self._shelf = Shelf()
        self._desks = [
            Desk(place, self.what) for place in places(self.n_workers, self.threads, usable_cores(), gpu_ids())
        ]
        return self

    def __exit__(self, *exception: object) -> None:
        for desk in self._desks:
            desk.close()
        self._shelf.clear()

    def run(self, jobs: Iterable[Job | None], stock: Stock, listener: Listener, *, alone: bool = False) -> None:
        """Run the jobs over the workers; ``alone``: one at a time."""
        feed = iter(jobs)
        free = self._desks[:1] if alone else list(self._desks)
        busy: dict[Connection, Desk] = {}
        while True:
            while free and not listener.stop_wanted() and (job := next(feed, None)) is not None:
                try:
                    pieces = self._shelf.pieces_for(job.trial, stock)
                except Exception as error:
                    listener.failed(job.trial.id, failure_of(error))
                    continue
                desk = free.pop(0)
                busy[desk.begin(job, pieces, listener)] = desk
            if not busy:
                return
            for channel in wait(list(busy)):
                desk = busy[channel]  # type: ignore[index]  # wait() returns what it was given
                if desk.hear(listener):
                    free.append(busy.pop(desk.channel))


class Desk:
    """A place with the worker that sits there; one that is lost is replaced when the next job comes."""

    def __init__(self, place: Place, what: Run) -> None:
        self._place, self._what = place, what
        self._process: Any = None
        self.channel: Connection

    def begin(self, job: Job, pieces: Mapping[Hashable, Piece], listener: Listener) -> Connection:
        """Hand a job to the worker; return the channel on which it will be heard."""
        if self._process is None or not self._process.is_alive():
            self._start()
        execution = replace(job.execution, device="cpu" if self._place.gpu is None else "cuda")
        self._trial_id = job.trial.id
        gpus = [] if self._place.gpu is None else [self._place.gpu]
        resources = {"cores": self._place.cores, "gpus": self._place.share, "gpu_ids": gpus, **execution.facts()}
        listener.started(self._trial_id, f"{socket.gethostname()}:{self._process.pid}", resources)
        with contextlib.suppress(OSError):  # a worker that has just died is heard of as the others are
            self.channel.send((replace(job, execution=execution), pieces))
        return self.channel

    def hear(self, listener: Listener) -> bool:
        """Pass on what the worker says; return whether it is free again."""
        try:
            event = self.channel.recv()
        except (EOFError, OSError):
            event = Failure("lost_worker", self._how_it_died())
        if isinstance(event, Epoch):
            listener.epoch(self._trial_id, event)
            stops = listener.prune_wanted(self._trial_id)
            with contextlib.suppress(OSError):
                self.channel.send(not stops)
            if stops:
                listener.pruned(self._trial_id)
            return stops
        if isinstance(event, Failure):
            if event.kind == "lost_worker":
                self.close()
            listener.failed(self._trial_id, event)
        else:
            listener.finished(self._trial_id, event)
        return True

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self.channel.close()
            self._process = None

    def _start(self) -> None:
        self.close()
        # A fork would inherit the threads and the CUDA context of whatever the driver has loaded.
        context = get_context("spawn")
        self.channel, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._place, self._what), name="gridsearch-worker", daemon=True
        )
        self._process.start()
        theirs.close()

    def _how_it_died(self) -> str:
        self._process.join(timeout=5)
        code = self._process.exitcode
        return f"the worker died ({signal.Signals(-code).name if code and code < 0 else f'exit code {code}'})"


def places(n_workers: int | None, threads: int, cores: list[int], gpus: list[str]) -> list[Place]:
    """Share out what there is: each worker its own cores as long as they last, and a GPU in turn.

    >>> [place.cores for place in places(2, 1, [0, 1, 2, 3], [])]
    [(0, 2), (1, 3)]
    >>> [(place.gpu, place.share) for place in places(3, 1, [0, 1, 2, 3], ["0", "1"])]
    [('0', 0.5), ('1', 1.0), ('0', 0.5)]
    """
    count = n_workers or len(gpus) or max(1, len(cores) // threads)
    return [
        Place(
            cores=tuple(cores[number::count]) or (cores[number % len(cores)],),
            gpu=gpus[number % len(gpus)] if gpus else None,
            share=1 / len(range(number % len(gpus), count, len(gpus))) if gpus else 0.0,
        )
        for number in range(count)
    ]


def _serve(channel: Connection, place: Place, what: Run) -> None:
    """What a worker does: run one job after the other, and after each epoch ask whether to go on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the driver as well, which ends its workers
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    # What trials read is shared and cannot be written. None of them writes it, but torch warns of it.
    warnings.filterwarnings("ignore", "The given NumPy array is not writable")
    os.sched_setaffinity(0, place.cores)
    if place.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = place.gpu
    pieces: dict[Hashable, Piece] = {}
    worker = Worker(
        Materials(
            encoder=lambda identity: read_piece(pieces[identity]),
            data=lambda identity, length: read_piece(pieces[identity, length]),
        ),
        what,
    )
    with contextlib.suppress(EOFError, OSError):  # the driver is no more
        while True:
            job, needed = channel.recv()
            pieces |= needed
            worker.begin(job)
            while isinstance(event := worker.advance(), Epoch):
                channel.send(event)
                if not channel.recv():
                    worker.close()
                    break
            else:
                channel.send(event)


def _end_with_the_driver() -> None:
    """A driver that is killed cannot end its workers, and an epoch may take an hour."""
    driver = parent_process()
    assert driver is not None
    wait([driver.sentinel])
    os._exit(1)
