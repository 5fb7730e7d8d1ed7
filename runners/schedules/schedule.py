"""Schedule: what is asked next. The driver does all the rest, for every schedule alike."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from gridsearch.study.ledger import Ledger
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Materials, Work
from gridsearch.training.worker import Job
from gridsearch.trial import Retry, retry_after
from runners.contract import TrialListener
from runners.recorder import Recorder


class BatchListener(TrialListener, Protocol):
    """Who hears of a schedule's trials: what a runner tells, and what is not given to it after all."""

    def left_out(self, trial_id: str) -> None:
        """The trial is not begun: it was left out since it was asked for."""


@dataclass(frozen=True)
class Batch:
    """What a runner is given at once, and who hears of it; ``alone``: one job at a time."""

    jobs: Iterable[Job | None]
    listener: BatchListener
    alone: bool = False


@dataclass(frozen=True)
class Session:
    """A study that is being driven, as its schedule sees it."""

    ledger: Ledger
    recorder: Recorder
    execution: Execution

    def retry(self, trial_id: str) -> Retry:
        """Say how a trial is tried next, by its failures so far."""
        return retry_after(self.ledger.failures(trial_id)) or Retry()

    def job(self, work: Work, retry: Retry) -> Job:
        """Say how a trial or a stage is executed next."""
        return Job(work, replace(self.execution, micro_batch_divisor=retry.micro_batch_divisor))


class Schedule(Protocol):
    """What a study is to hold, and in which portions it is asked for."""

    name: str

    @property
    def task(self) -> AnyTask:
        """The data of every trial."""

    @property
    def may_run(self) -> bool:
        """Whether a runner has to be started: not where it is known beforehand that nothing is left."""

    @property
    def stopped(self) -> str:
        """Why not everything was asked for, in the end; else empty."""

    def materials(self, say: Callable[[str], None]) -> Materials:
        """Make what trials read. Whatever can be wrong with an encoder shows here, before the study is touched."""

    def adopt(self, ledger: Ledger) -> bool:
        """Write what is planned; return whether anything is left to do. Raises RequestError for another study."""

    def n_logits(self) -> int:
        """Count the numbers that all logits of the study will have, as far as it is known."""

    def is_done(self, ledger: Ledger) -> bool:
        """Whether nothing is left to ask for, of all that it was made for."""

    def batches(self, session: Session) -> Iterator[Batch]:
        """Yield what to run next, until nothing is left. What came of a batch is in the ledger by then."""
