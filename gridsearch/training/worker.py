"""A worker: runs jobs one after the other in one warm process, whichever runner owns the process."""

import errno
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import DivergedError, GridSearchError, MetricError, first_line
from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.deadline import TimeLimitError
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetuning
from gridsearch.training.frozen_states import forget
from gridsearch.training.materials import Materials, Work
from gridsearch.training.pretraining import pretraining
from gridsearch.trial import Epoch, Failure, FailureKind, Outcome, Trial
from gridsearch.withheld import without_secrets


@dataclass(frozen=True)
class Job:
    """A trial or a stage, and how to execute it."""

    work: Work
    execution: Execution

    @property
    def id(self) -> str:
        """The work's own."""
        return self.work.id


Event = Epoch | LogPoint
"""What a worker tells while it goes on."""
Run = Callable[[Trial, EncodedTask, EncoderWeights, Execution], Generator[Epoch, None, Any]]
"""What is done with a trial: ``finetuning`` of finetune.py, or ``measuring`` of step_timing.py."""
Pretrain = Callable[[Stage, EncodedCorpus, EncoderWeights, Execution], Generator[LogPoint, None, Any]]
"""What is done with a stage: ``pretraining`` of pretraining.py, or ``measuring_stage`` of stage_timing.py."""


class Worker:
    """Every job builds its model anew from the materials. What outlives a trial, the states of its frozen layers, is
    found only by trials that would compute the same bits (``frozen_states.py``).
    """

    def __init__(self, materials: Materials, run: Run = finetuning, pretrain: Pretrain = pretraining) -> None:
        self._materials, self._run_trial, self._run_stage = materials, run, pretrain
        self._events: Generator[Event, None, Any] | None = None

    def begin(self, job: Job) -> None:
        """Start a job; whatever ran before is given up."""
        self.close()
        self._events = self._run(job)

    def advance(self) -> Event | Outcome | StageOutcome | Failure:
        """Go on to the next epoch or point of the log, or to the end.

        Exceptions come back as failures, so that the process lives on.
        """
        assert self._events is not None, "advance() follows begin()"
        try:
            return next(self._events)
        except StopIteration as stop:
            outcome: Outcome | StageOutcome = stop.value
            return outcome
        except Exception as error:
            failure = failure_of(error)
            if failure.kind == "out_of_memory":
                forget()  # the next try is to have all that there is
            return failure

    def close(self) -> None:
        """Give up what runs."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def _run(self, job: Job) -> Generator[Event, None, Any]:
        work, materials = job.work, self._materials
        if isinstance(work, Stage):
            base, corpus = materials.base_of(work), materials.corpus_of(work)
            return (yield from self._run_stage(work, corpus, base, job.execution))
        encoder, data = materials.encoder_of(work), materials.data_of(work)
        return (yield from self._run_trial(work, data, encoder, job.execution))


def failure_of(error: Exception) -> Failure:
    """Type an exception: it decides whether the trial is tried again."""
    if isinstance(error, TimeLimitError):
        return Failure("time_limit", str(error))
    if isinstance(error, DivergedError):
        return Failure("diverged", str(error))
    message, text = f"{type(error).__name__}: {first_line(error)}", "".join(traceback.format_exception(error))
    if isinstance(error, MetricError):  # its sentence says all; the code is the user's own
        return Failure("code_error", without_secrets(str(error)), without_secrets(text))
    return Failure(_kind_of(error), without_secrets(message), without_secrets(text))


_FULL = (errno.ENOSPC, errno.EDQUOT)
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "std::bad_alloc", "ALLOC_FAILED", "ALLOCATION_FAILED")
"""What RuntimeErrors say that are about memory: of CUDA, of torch's CPU allocator, of C++, of cuBLAS and cuDNN."""


def is_full_disk(error: Exception) -> bool:
    """Tell whether an error is that of a disk without room; libraries in Rust name the system's number."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return any(f"(os error {number})" in str(error) for number in _FULL)


def _kind_of(error: Exception) -> FailureKind:
    import torch

    is_of_the_system = isinstance(error, OSError) and error.errno == errno.ENOMEM
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or is_of_the_system:
        return "out_of_memory"
    if isinstance(error, RuntimeError) and any(text in str(error) for text in _OUT_OF_MEMORY):
        return "out_of_memory"
    if is_full_disk(error):
        return "full_disk"
    if isinstance(error, torch.AcceleratorError) or (isinstance(error, RuntimeError) and "CUDA error:" in str(error)):
        # A device assert leaves the process's CUDA context unusable: it is the worker that is lost.
        return "lost_worker"
    return "bad_data" if isinstance(error, GridSearchError | UnicodeError) else "code_error"
