"""Stages first: whatever a schedule asks for, the pretrainings that its trials start from are done before them.

A trial waits for its own stage and for no other one. Every schedule and every runner has this in between, and knows
nothing of it: the runner is given jobs, the schedule hears of its trials.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridsearch.encoders.pretraining.made import MODEL, alone, find, folder_of, put
from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.training.pretraining import outcome_of
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch, Failure, Retry, Trial, retry_after
from runners.recorder import StageRecorder
from runners.schedules.schedule import Batch, Session

GONE = "its encoder is no longer in the cache, or is damaged"
ANOTHER = "its encoder was made again, and is not the same to the last bit: by other versions, or on another machine"


class StagesFirst:
    """Stands between a batch and the runner: gives the jobs, and hears of them (a :class:`runners.contract.Listener`).

    A batch that is a list is looked through for stages from the start. A search, which proposes by what it has heard,
    is asked for no other trial while one of its waits for a stage.
    """

    def __init__(self, batch: Batch, session: Session, recorder: StageRecorder) -> None:
        self._listener, self._session, self._recorder = batch.listener, session, recorder
        self._feed, self._is_list = iter(batch.jobs), isinstance(batch.jobs, Sequence)
        self._stages = session.ledger.stages
        self._ready: set[str] = set()
        self._asked: dict[str, Stage] = {}
        self._waiting: dict[str, list[Job]] = {}
        self._follow: dict[str, list[Stage]] = {}
        self._queue: deque[Job] = deque()
        self._alone: deque[Job] = deque()
        self._under_way: set[str] = set()
        self._n_steps: dict[str, int] = {}

    # What is given

    def jobs(self) -> Iterator[Job | None]:
        """Yield what is to run next; None while all that is left waits for a stage."""
        is_fed = True
        while True:
            if self._queue:
                waiting = self._queue.popleft()
                if not self._is_left_out(waiting):
                    yield self._begin(waiting)
            elif is_fed and (self._is_list or not self._waiting):
                try:
                    job = next(self._feed)
                except StopIteration:
                    is_fed = False
                    continue
                if job is not None:
                    self._take(job)
                elif self._alone and not self._under_way:
                    self._queue.append(self._alone.popleft())
                else:
                    yield None
            elif self._alone and not self._under_way:
                self._queue.append(self._alone.popleft())
            elif self._waiting or is_fed:
                yield None
            else:
                return

    def _begin(self, job: Job) -> Job:
        self._under_way.add(job.id)
        return job

    def _is_left_out(self, job: Job) -> bool:
        """Whether a trial, or all that a stage is made for, was left out since it was asked for; pass that on."""
        stage = self._asked.get(job.id)
        if stage is None:
            if self._session.ledger.state(job.id) != "skipped":
                return False
            self._listener.left_out(job.id)
            return True
        if self._stages.state(stage.id) != "skipped" or self._follow.get(stage.id):
            return False
        del self._asked[stage.id]
        self._recorder.left_out(stage.id)
        for waiting in self._waiting.pop(stage.id, []):
            self._listener.left_out(waiting.id)
        return True

    def _take(self, job: Job) -> None:
        """Queue a trial whose stage is there; let it wait for the others."""
        stage = job.work.stage if isinstance(job.work, Trial) else None
        if stage is None or self._is_ready(stage):
            self._queue.append(job)
            return
        self._waiting.setdefault(stage.id, []).append(job)
        self._ask(stage)

    def _is_ready(self, stage: Stage) -> bool:
        """Whether a stage's encoder is in the cache; what the ledger says is made to agree with it."""
        if stage.id in self._ready:
            if (folder_of(stage.id) / MODEL).is_file():
                return True
            self._ready.discard(stage.id)  # the cache was emptied meanwhile
            self._asked.pop(stage.id, None)
        if stage.id in self._asked:
            return False
        known, made = self._stages.checksum(stage.id), find(stage.id)
        if known and (made is None or made.checksum != known):
            self._stages.forget(stage.id, GONE if made is None else ANOTHER)
            known = ""
        if made is not None and stage.labels and not known:
            return False  # whoever is asked for it finds it, and judges what it says by itself
        if made is not None:
            self._ready.add(stage.id)
            if not known:
                self._recorder.found(stage, outcome_of(made).as_found())
        return made is not None

    def _ask(self, stage: Stage) -> None:
        """Queue a stage, after the checkpoint before it where the same run makes both: it goes on from there."""
        if self._has_failed(stage):
            self._give_up(stage)
            return
        if stage.id in self._asked:
            return
        self._asked[stage.id] = stage
        self._recorder.asked(stage)
        before = [one for one in self._stages.of_run(stage.run) if one.last_step < stage.last_step]
        nearest = next((one for one in reversed(before) if not (self._has_failed(one) or self._is_ready(one))), None)
        if nearest is None:
            self._enqueue(stage)
        else:
            self._follow.setdefault(nearest.id, []).append(stage)
            self._ask(nearest)

    def _has_failed(self, stage: Stage) -> bool:
        return self._stages.state(stage.id) == "failed"

    def _enqueue(self, stage: Stage) -> None:
        retry = retry_after(self._stages.attempts.failures(stage.id)) or Retry()
        (self._alone if retry.alone else self._queue).append(self._session.job(stage, retry))

    # What is heard

    def started(self, work_id: str, worker: str, resources: Mapping[str, object]) -> None:
        """Lease a trial or a stage."""
        if work_id in self._asked:
            self._session.recorder.stage_started()
            self._recorder.started(work_id, worker, resources)
        else:
            self._listener.started(work_id, worker, resources)

    def epoch(self, trial_id: str, epoch: Epoch) -> None:
        """Pass it on."""
        self._listener.epoch(trial_id, epoch)

    def logged(self, stage_id: str, point: LogPoint) -> None:
        """Add to a stage's log."""
        self._n_steps[stage_id] = point.step
        self._recorder.logged(stage_id, point)

    def prune_wanted(self, work_id: str) -> bool:
        """End a stage where no more is to be begun, unless it is at its last step: it may have hours to go, and loses
        nothing. Pass on what is a trial's.
        """
        if work_id in self._asked:
            return self.stop_wanted() and self._n_steps[work_id] < self._asked[work_id].last_step
        return self._listener.prune_wanted(work_id)

    def pruned(self, work_id: str) -> None:
        """Note that a stage is to go on another time; pass on what is a trial's."""
        self._under_way.discard(work_id)
        if work_id in self._asked:
            self._recorder.interrupted(work_id)
        else:
            self._listener.pruned(work_id)

    def finished(self, work_id: str, outcome: Any) -> None:
        """Keep what a stage has made, and let its trials go; pass on what is a trial's."""
        self._under_way.discard(work_id)
        if work_id in self._asked:
            self._keep(self._asked[work_id], outcome)
        else:
            self._listener.finished(work_id, outcome)

    def failed(self, work_id: str, failure: Failure) -> None:
        """Try a stage again that may be, or fail the trials that wait for it; pass on what is a trial's."""
        self._under_way.discard(work_id)
        if work_id not in self._asked:
            self._listener.failed(work_id, failure)
        elif self._recorder.failed(work_id, failure):
            self._give_up(self._asked[work_id])
        else:
            self._enqueue(self._asked[work_id])

    def stop_wanted(self) -> bool:
        """Pass it on."""
        return self._listener.stop_wanted()

    def close(self) -> None:
        """Fail the stages that the runner left open."""
        self._recorder.close_round()

    def _keep(self, stage: Stage, outcome: StageOutcome) -> None:
        if find(stage.id) is None:
            if outcome.files is None:
                self.failed(stage.id, Failure("lost_encoder", "what a pretraining made is not in the driver's cache"))
                return
            with alone(stage.run):
                put(stage.id, outcome.files)
        self._recorder.finished(stage.id, outcome)
        self._ready.add(stage.id)
        self._queue.extend(self._waiting.pop(stage.id, []))
        self._go_on_after(stage)

    def _give_up(self, stage: Stage) -> None:
        """Fail the trials of a stage that failed for good, and no others."""
        why = self._stages.why_failed(stage.id)
        for job in self._waiting.pop(stage.id, []):
            self._listener.failed(job.id, Failure("no_encoder", f"its pretraining {stage.short_id} failed: {why}"))
        self._go_on_after(stage)

    def _go_on_after(self, stage: Stage) -> None:
        for following in self._follow.pop(stage.id, []):
            self._enqueue(following)
