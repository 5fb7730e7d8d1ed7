"""The feed of the ray runner: what Ray Tune asks for a trial whenever it may run one more."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

import ray
from ray.tune.search import Searcher

from gridsearch.training.materials import Materials
from gridsearch.training.worker import Job, failure_of
from runners.contract import Listener


class Feed(Searcher):
    """Takes a job from the driver's iterator when Tune asks for a trial, and puts what it reads into the object store.

    Tune keeps to the number of trials at a time: it asks only while it may run one more. Each thing is put into the
    store once, and stays there as long as the feed. ``execution``: what of it is the same for all jobs.
    """

    def __init__(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, **execution: Any) -> None:
        super().__init__()
        self._jobs, self._materials, self._listener, self._execution = iter(jobs), materials, listener, execution
        self._stored: dict[Hashable, Any] = {}
        self._taken: dict[str, tuple[Job, Any]] = {}
        self._running: set[str] = set()
        self._waits = False

    def suggest(self, trial_id: str) -> Any:
        """Return which job is next; None where there is none until a trial has ended, FINISHED where none will come."""
        if self._waits:
            return None
        while not self._listener.stop_wanted():
            try:
                job = next(self._jobs)
            except StopIteration:
                break
            if job is None:
                if not self._running:
                    break  # nothing that the next job could wait for
                self._waits = True
                return None
            try:
                self._take(job)
            except Exception as error:
                self._listener.failed(job.id, failure_of(error))
                continue
            self._running.add(trial_id)
            return {"trial": job.id}
        return self.FINISHED

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """Hear that a trial has ended, however it did."""
        self._running.discard(trial_id)
        self._waits = False

    def time_limit(self, job_id: str) -> float | None:
        """Return how many seconds a job that was taken may run."""
        job, _ = self._taken[job_id]
        return job.execution.time_limit

    def hand_over(self, job_id: str, actor: Any) -> None:
        """Give a job to the worker that is to run it.

        References travel as arguments of a call: only there does Ray know who holds them. Within another argument, they
        are fetched by what the worker runs, whose errors are told.
        """
        _, parcel = self._taken[job_id]
        actor.take.remote([parcel])

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Save nothing: the ledger is the record."""

    def __getstate__(self) -> dict[str, Any]:
        # Tune writes its parts to disk to restore them one day, which the ledger makes needless.
        return {}

    def _take(self, job: Job) -> None:
        job = replace(job, execution=replace(job.execution, **self._execution))
        references = {key: self._put(key, piece) for key, piece in self._materials.pieces_of(job.work).items()}
        self._taken[job.id] = job, ray.put((job, references))

    def _put(self, key: Hashable, piece: object) -> Any:
        if key not in self._stored:
            self._stored[key] = ray.put(piece)
        return self._stored[key]
