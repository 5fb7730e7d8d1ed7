"""The serial runner: every job in this process, one after the other. The oracle for the others."""

import contextlib
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from gridsearch.training.finetune import finetuning
from gridsearch.training.materials import Materials
from gridsearch.training.pretraining import pretraining
from gridsearch.training.worker import Event, Job, Pretrain, Run, Worker
from gridsearch.trial import Failure
from runners.contract import Listener, tell


@dataclass
class SerialRunner:
    """Runs jobs in the order given. ``what`` is done with each trial and ``pretrain`` with each stage."""

    what: Run = finetuning
    pretrain: Pretrain = pretraining
    name: str = "serial"

    def __enter__(self) -> "SerialRunner":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        """Run the jobs; ``alone`` changes nothing here."""
        worker = Worker(materials, self.what, self.pretrain)
        name = f"{socket.gethostname()}:{os.getpid()}"
        feed = iter(jobs)
        with contextlib.closing(worker):  # whatever ends it, what a suspended stage holds is let go
            # None ends it: nothing else runs that the next job could wait for.
            while not listener.stop_wanted() and (job := next(feed, None)) is not None:
                listener.started(job.id, name, job.execution.settings())
                worker.begin(job)
                while isinstance(event := worker.advance(), Event):
                    if tell(listener, job.id, event):
                        worker.close()
                        listener.pruned(job.id)
                        break
                else:
                    if isinstance(event, Failure):
                        listener.failed(job.id, event)
                    else:
                        listener.finished(job.id, event)
