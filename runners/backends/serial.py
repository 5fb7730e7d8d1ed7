"""The serial runner: every trial in this process, one after the other. The oracle for the others."""

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from gridsearch.training.finetune import finetuning
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Job, Run, Worker
from gridsearch.trial import Epoch, Failure
from runners.contract import Listener


@dataclass
class SerialRunner:
    """Runs jobs in the order given. ``what``: what is done with each trial, as the processes runner has it."""

    what: Run = finetuning
    name: str = "serial"

    def __enter__(self) -> "SerialRunner":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        """Run the jobs; ``alone`` changes nothing here."""
        worker = Worker(materials, self.what)
        name = f"{socket.gethostname()}:{os.getpid()}"
        for job in jobs:
            if job is None or listener.stop_wanted():
                break  # nothing else runs that the next job could wait for
            listener.started(job.trial.id, name, job.execution.settings())
            worker.begin(job)
            while isinstance(event := worker.advance(), Epoch):
                listener.epoch(job.trial.id, event)
                if listener.prune_wanted(job.trial.id):
                    worker.close()
                    listener.pruned(job.trial.id)
                    break
            else:
                if isinstance(event, Failure):
                    listener.failed(job.trial.id, event)
                else:
                    listener.finished(job.trial.id, event)
