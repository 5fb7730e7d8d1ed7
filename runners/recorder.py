"""The recorders: what the driver hears from a runner, of trials and of stages, is written into the ledger."""

import sys
from collections.abc import Callable, Mapping

from gridsearch.errors import GridSearchError
from gridsearch.stage import LogPoint, Stage, StageOutcome, short_id_of
from gridsearch.study.ledger import Ledger
from gridsearch.training.materials import Materials
from gridsearch.trial import Epoch, Failure, Outcome, retry_after
from runners.keeper import Keeper
from runners.progress.live import Progress

N_ALIKE_TO_STOP = 3
"""A sweep stops when so many trials have failed with the same error and none has finished."""


def _end_of_a_full_disk(failure: Failure) -> None:
    """Raise GridSearchError where a worker found its disk full: whatever is tried next would find it so."""
    if failure.kind == "full_disk":
        raise GridSearchError(f"{failure.message}: make room, and give the same command again")


class Recorder:
    """Hears of the trials from a runner, and writes the ledger. A :class:`runners.contract.TrialListener`."""

    def __init__(
        self,
        ledger: Ledger,
        provenance: int,
        keeper: Keeper,
        materials: Materials,
        progress: Progress,
        stop_asked: Callable[[], bool] = lambda: False,
    ) -> None:
        """``stop_asked``: whether somebody has asked the driver to begin no more."""
        self.progress = progress
        self._stop_asked = stop_asked
        self._alike: list[str] = []
        self._ledger, self._provenance, self._keeper, self._materials = ledger, provenance, keeper, materials
        self._attempts: dict[str, int] = {}
        self._until: Mapping[str, int] = {}
        self._n_epochs: dict[str, int] = {}
        self._n_begun = 0
        coverage = ledger.coverage()
        self._any_done = coverage.finished + coverage.pruned > 0

    @property
    def why_stopped(self) -> str:
        """What the trials have in common that made the recorder want a stop; empty where they have nothing."""
        if not self._all_failed_alike():
            return ""
        return f"the first {N_ALIKE_TO_STOP} trials all failed alike: {self._alike[0]}"

    def end_after(self, epochs: Mapping[str, int]) -> None:
        """From now on, end these trials after so many epochs; the others run to their end."""
        self._until = epochs

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        """Lease the trial."""
        self._attempts[trial_id] = self._ledger.start(trial_id, self._provenance, worker, resources)
        self._n_begun += 1
        self.progress.started(trial_id)

    def epoch(self, trial_id: str, epoch: Epoch) -> None:
        """Add an epoch."""
        self._n_epochs[trial_id] = epoch.number
        self._ledger.record_epoch(self._attempts[trial_id], epoch)
        self.progress.epoch(trial_id, epoch.number)

    def prune_wanted(self, trial_id: str) -> bool:
        """Whether the trial has come as far as it is to come for now."""
        return self._n_epochs[trial_id] >= self._until.get(trial_id, sys.maxsize)

    def pruned(self, trial_id: str) -> None:
        """Close the attempt as pruned."""
        self._ledger.prune(self._attempts.pop(trial_id))
        self._any_done = True
        self.progress.pruned(trial_id)

    def finished(self, trial_id: str, outcome: Outcome) -> None:
        """Keep the outcome, and the weights where they are wanted."""
        # Weights first: finished without its weights a trial would stay so; the other way round it is run again.
        self._keeper.save(trial_id, outcome, self._materials)
        self._ledger.finish(self._attempts.pop(trial_id), outcome)
        self._keeper.finished(trial_id, outcome)
        self._any_done = True
        self.progress.finished(trial_id, outcome)

    def failed(self, trial_id: str, failure: Failure) -> None:
        """Close the attempt as failed, for good where its kind says so."""
        if trial_id not in self._attempts:
            self.started(trial_id, "unknown", {})
        final = retry_after([*self._ledger.failures(trial_id), failure.kind]) is None
        self._ledger.fail(self._attempts.pop(trial_id), failure, final=final)
        # A limit cuts off what is slow, numbers grow beyond all bounds by one recipe, and a pretraining fails for those
        # that start from it: the others need not be so.
        if final and failure.kind not in ("time_limit", "diverged", "no_encoder"):
            self._alike.append(failure.message)
        self.progress.failed(trial_id, failure, final)
        _end_of_a_full_disk(failure)

    def left_out(self, trial_id: str) -> None:
        """Count it no more. A round that only finds trials left out has not been for nothing."""
        self._n_begun += 1
        self.progress.left_out(trial_id)

    def close_round(self) -> bool:
        """Fail what the runner left open, so that its retries are counted; return whether it began any work."""
        for trial_id in list(self._attempts):
            self.failed(trial_id, Failure("lost_worker", "the runner gave the trial up"))
        began, self._n_begun = self._n_begun > 0, 0
        return began

    def stage_started(self) -> None:
        """Note that work for the trials has begun, though none of them has."""
        self._n_begun += 1

    def stop_wanted(self) -> bool:
        """Whether somebody has asked for it, or the first trials all failed with the same error."""
        return self._all_failed_alike() or self._stop_asked()

    def _all_failed_alike(self) -> bool:
        """Whether the first trials all failed with the same error and none has come to its end, or to a rung's."""
        return not self._any_done and len(self._alike) >= N_ALIKE_TO_STOP and len(set(self._alike)) == 1


class StageRecorder:
    """Hears of the stages, and writes the ledger."""

    def __init__(self, ledger: Ledger, provenance: int, progress: Progress) -> None:
        self._stages, self._provenance, self._progress = ledger.stages, provenance, progress
        self._attempts: dict[str, int] = {}

    def asked(self, stage: Stage) -> None:
        """Hear that a stage is to be made."""
        self._progress.expect_stage(stage)

    def started(self, stage_id: str, worker: str, resources: Mapping[str, object]) -> None:
        """Lease the stage."""
        self._attempts[stage_id] = self._stages.attempts.start(stage_id, self._provenance, worker, resources)
        self._progress.started(stage_id)

    def logged(self, stage_id: str, point: LogPoint) -> None:
        """Add a point to its log."""
        self._stages.record(self._attempts[stage_id], point)
        self._progress.stage_logged(stage_id, point)

    def finished(self, stage_id: str, outcome: StageOutcome) -> None:
        """Keep what came of it."""
        self._stages.finish(self._attempts.pop(stage_id), outcome)
        self._progress.stage_ended(stage_id)

    def found(self, stage: Stage, outcome: StageOutcome) -> None:
        """Keep what somebody else has made of it, before any worker was asked."""
        self._progress.say(f"pretraining {stage.short_id} was made before: {outcome.run_seconds:.0f} s are spared")
        self._stages.finish(self._stages.attempts.start(stage.id, self._provenance, "none", {}), outcome)
        self._progress.stage_ended(stage.id)

    def left_out(self, stage_id: str) -> None:
        """Hear that no trial needs a stage any more."""
        self._progress.stage_ended(stage_id)

    def failed(self, stage_id: str, failure: Failure) -> bool:
        """Close the attempt as failed; return whether that is for good."""
        if stage_id not in self._attempts:
            self.started(stage_id, "unknown", {})
        final = retry_after([*self._stages.attempts.failures(stage_id), failure.kind]) is None
        self._stages.attempts.fail(self._attempts.pop(stage_id), failure, final=final)
        then = "failed" if final else "will go on"
        self._progress.say(f"pretraining {short_id_of(stage_id)} {then} ({failure.kind}): {failure.message}")
        self._progress.stage_failed(stage_id, final)
        _end_of_a_full_disk(failure)
        return final

    def interrupted(self, stage_id: str) -> None:
        """Close the attempt at a stage that has saved where it is, because the driver was asked to stop."""
        failure = Failure("lost_driver", "its driver was asked to stop: it goes on from where it got")
        self._stages.attempts.fail(self._attempts.pop(stage_id), failure, final=False)
        self._progress.say(f"pretraining {short_id_of(stage_id)} has saved where it is, and goes on from there")
        self._progress.stage_failed(stage_id, False)

    def close_round(self) -> None:
        """Fail what the runner left open."""
        for stage_id in list(self._attempts):
            self.failed(stage_id, Failure("lost_worker", "the runner gave the pretraining up"))
