"""The ray runner: Ray Tune runs the jobs on warm workers, on this machine or on a cluster."""

import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune

import gridsearch
from gridsearch.errors import RequestError, first_line
from gridsearch.scratch import scratch_folder
from gridsearch.stage import LogPoint, StageOutcome
from gridsearch.training.deadline import over_the_limit
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Event, Job, Worker
from gridsearch.trial import Epoch, Failure, Outcome
from runners.backends.ray_address import refuse_no_cluster
from runners.backends.ray_alone import heard_here_alone, known_to_us_alone
from runners.backends.ray_feed import Feed
from runners.backends.ray_folder import folder_for_sockets
from runners.contract import GRACE_SECONDS, KILLED, Listener, tell
from runners.machine import WORKERS_MEMORY, usable_cores

_ENVIRONMENT = {
    # The ledger is the record; Tune's own files, loggers and snapshots only cost time.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    # The driver closes the ledger on an interrupt; Tune's handler would swallow the first one.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # What its own code in C++ has to warn of goes to the terminal, line after line.
    "RAY_BACKEND_LOG_LEVEL": "error",
}


@dataclass
class RayRunner:
    """Runs jobs on workers that live as long as the runner. A context manager: leaving it stops the Ray it started.

    ``n_workers``: trials at a time; by default as many as there are cores (by ``threads``) or shares of a GPU.
    ``gpus_per_trial``: the share of a GPU that each trial sees; by default a whole one where Ray has any.
    """

    n_workers: int | None = None
    gpus_per_trial: float | None = None
    address: str | None = None
    threads: int = 1
    name: str = "ray"

    def __enter__(self) -> "RayRunner":
        for name, value in (_ENVIRONMENT | WORKERS_MEMORY).items():
            os.environ.setdefault(name, value)
        with contextlib.ExitStack() as started:
            if not ray.is_initialized():
                self._start(started)
            self._count()
            self._started = started.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._started.close()

    def _start(self, started: contextlib.ExitStack) -> None:
        """Start Ray, or join a cluster; ``started`` ends what has been, also where the start is interrupted."""
        quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if self.address is None:
            n_cpus = max((self.n_workers or 1) * self.threads, len(usable_cores()))
            try:
                folder = started.enter_context(folder_for_sockets())
                started.enter_context(known_to_us_alone())
                started.callback(ray.shutdown)
                # Without "local", a stale session file of another user's Ray makes the start fail.
                with heard_here_alone(), _unheard():
                    ray.init(
                        address="local", num_cpus=n_cpus, include_dashboard=False, _temp_dir=os.fspath(folder), **quiet
                    )
            except Exception as error:  # of many kinds: a folder, a limit, a port, a process that does not answer
                raise RequestError(
                    f"Ray does not start: {first_line(error)} (gridsearch doctor may tell why; --runner processes does "
                    "without Ray)"
                ) from None
            return
        refuse_no_cluster(self.address)
        started.callback(ray.shutdown)
        try:
            with _unheard():
                ray.init(
                    address=self.address, runtime_env={"py_modules": [gridsearch], "env_vars": WORKERS_MEMORY}, **quiet
                )
        except Exception as error:
            # Of another version, Ray says so on several lines.
            words = " ".join(str(error).split())
            raise RequestError(f"the Ray cluster at {self.address} cannot be used: {words}") from None

    def _count(self) -> None:
        """Settle how many trials share what there is."""
        has = ray.cluster_resources()
        n_gpus, n_cpus = has.get("GPU", 0.0), has.get("CPU", 1.0)
        self._gpus = min(1.0, n_gpus) if self.gpus_per_trial is None else self.gpus_per_trial
        if self._gpus > n_gpus:
            raise RequestError(f"--gpus-per-trial {self._gpus:g} needs a GPU, but Ray sees {n_gpus:g}")
        shares = n_gpus / self._gpus if self._gpus else n_cpus / self.threads
        self._n_at_a_time = self.n_workers or max(1, int(shares))

    def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        """Run the jobs over the workers; ``alone``: one at a time."""
        # Not left to each worker: without a share of a GPU it would still see them all.
        device = "auto" if self._gpus else "cpu"
        feed = Feed(jobs, materials, listener, device=device, send_files=self.address is not None)
        stopper = _Stopper(listener)
        with scratch_folder() as scratch:
            tuner = tune.Tuner(
                tune.with_resources(_trainable(), {"cpu": self.threads, "gpu": self._gpus}),
                tune_config=tune.TuneConfig(
                    search_alg=feed,
                    num_samples=-1,  # until the feed ends
                    reuse_actors=True,
                    max_concurrent_trials=1 if alone else self._n_at_a_time,
                    trial_name_creator=lambda trial: str(trial.config["trial"])[:8],
                    trial_dirname_creator=lambda trial: str(trial.config["trial"])[:8],
                ),
                run_config=tune.RunConfig(
                    name="sweep",
                    storage_path=str(scratch),
                    verbose=0,
                    callbacks=[_Reporter(listener, feed, stopper)],
                    stop=stopper,
                    failure_config=tune.FailureConfig(max_failures=0),
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                ),
            )
            with _quiet_logs(), _own_errors():
                tuner.fit()


def _trainable() -> type:
    """Make the class that Tune runs.

    Defined in here, it travels by value: a node needs the package gridsearch, and nothing of this one.
    """

    def started(job: Job) -> dict[str, Any]:
        """Say where the trial runs, how, and which share of a GPU it sees."""
        gpus = ray.get_runtime_context().get_assigned_resources().get("GPU", 0.0)
        resources = {"gpus": gpus, "gpu_ids": [str(gpu) for gpu in ray.get_gpu_ids()], **job.execution.settings()}
        return {"worker": f"{socket.gethostname()}:{os.getpid()}", "resources": resources}

    class TrialActor(tune.Trainable):
        """A warm worker; one step is one epoch or point of a log, after a first one that tells where the trial runs."""

        def setup(self, config: dict[str, Any]) -> None:
            self.worker = Worker(Materials.fetched(lambda key: ray.get(self.references[key])))

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def take(self, parcel: list[Any]) -> None:
            """Be told the next job, before its first step."""
            (self.parcel,) = parcel
            self.begun = False

        def _begin(self) -> dict[str, Any]:
            self.job, self.references = ray.get(self.parcel)
            self.worker.begin(self.job)
            self.begun = True
            return started(self.job)

        def give_up(self) -> None:
            """Let go of what is to end after the step just told; a stage saves where it is."""
            self.worker.close()

        def step(self) -> dict[str, Any]:
            event = self.worker.advance() if self.begun else self._begin()
            if isinstance(event, Failure) and event.kind == "lost_worker":
                # Only a new process helps; Tune replaces an actor that raises.
                raise RuntimeError(f"{_LOST}: {event.message}")
            return {"event": event, "trial": self.job.id, "done": not isinstance(event, Event | dict)}

        def cleanup(self) -> None:
            self.worker.close()

    return TrialActor


_LOST = "the worker cannot go on"
"""What a worker says that is alive but of no more use."""


class _Listening:
    """Holds the listener; Tune writes its parts to disk to restore them one day, which the ledger makes needless."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Reporter(_Listening, tune.Callback):
    """Tells the listener what Tune sees, and ends what hangs beyond its time limit; called in the driver's thread."""

    def __init__(self, listener: Listener, feed: Feed, stopper: "_Stopper") -> None:
        super().__init__(listener)
        self._feed, self._stopper = feed, stopper
        self._ended: set[str] = set()
        self._to_end: dict[str, tuple[float, Any]] = {}
        self._overdue: set[str] = set()

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """End the workers that are long overdue; Tune comes by several times a second."""
        now = time.monotonic()
        for trial_id, (moment, trial) in list(self._to_end.items()):
            actor = trial.temporary_state.ray_actor
            if now >= moment and actor is not None:
                del self._to_end[trial_id]
                self._overdue.add(trial_id)
                ray.kill(actor)

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Give its job to a worker that has just started, or been reset."""
        self._feed.hand_over(trial.config["trial"], trial.temporary_state.ray_actor)

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Pass an event on, and take it out of Tune's hands: it would keep and write all of them."""
        trial_id, event = trial.config["trial"], result.pop("event")
        match event:
            case Epoch() | LogPoint():
                # The stopper, which Tune asks before this, has told it.
                if trial_id in self._stopper.ended:
                    self._give_up(trial_id, trial)
            case Outcome() | StageOutcome():
                self._end(trial_id)
                self._listener.finished(trial_id, event)
            case Failure():
                self._end(trial_id)
                self._listener.failed(trial_id, event)
            case _:
                self._listener.started(trial_id, **event)
                if (limit := self._feed.time_limit(trial_id)) is not None:
                    self._to_end[trial_id] = time.monotonic() + limit + GRACE_SECONDS, trial

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A trial that was pruned ends up here, as all that end in order."""
        self._end(trial.config["trial"])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A worker that dies without a word ends up here."""
        trial_id = trial.config["trial"]
        if trial_id in self._ended:
            return
        self._end(trial_id)
        limit = self._feed.time_limit(trial_id)
        if trial_id in self._overdue and limit is not None:
            self._listener.failed(trial_id, Failure("time_limit", over_the_limit(limit)))
        else:
            self._listener.failed(trial_id, lost(_text_of(trial)))

    def _give_up(self, trial_id: str, trial: Any) -> None:
        """Wait until a worker has let go: Tune would let it die before a stage has saved where it is."""
        self._end(trial_id)
        try:
            ray.get(trial.temporary_state.ray_actor.give_up.remote())
        except ray.exceptions.RayError as error:
            self._listener.failed(trial_id, lost(str(error)))
        else:
            self._listener.pruned(trial_id)

    def _end(self, trial_id: str) -> None:
        self._ended.add(trial_id)
        self._to_end.pop(trial_id, None)


def _text_of(trial: Any) -> str:
    """Read what Tune wrote down of an error: a line that counts failures, and Ray's words."""
    path = trial.error_file
    return Path(path).read_text(encoding="utf-8") if path and Path(path).is_file() else ""


def lost(text: str) -> Failure:
    """Type the death of a worker, or an error outside of the training loop, from Ray's words."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["the worker died"]
    if _LOST in text:
        return Failure("lost_worker", next(line for line in reversed(lines) if _LOST in line), text)
    if "RayTaskError" in text or "in its creation task" in text:
        return Failure("code_error", lines[-1], text)
    if "running low on memory" in text:
        return Failure("out_of_memory", "Ray ended the worker: its node was running low on memory", text)
    if "exits with a connection error" in text:
        # Of a worker that ends without a word Ray does not tell a kill from a crash.
        return Failure("killed", KILLED, text)
    # The reason without its details: numbers of a process or a node, which are others each time.
    reason = next((line for line in lines if line.startswith("The actor ") and " because " in line), None)
    return Failure("lost_worker", (reason or lines[min(1, len(lines) - 1)]).split(". ")[0].rstrip("."), text)


class _Stopper(_Listening, tune.Stopper):
    """Says which trials are to end. That no more are to begin is the feed's to say: those that run go on."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        self.ended: set[str] = set()

    def __call__(self, tune_id: str, result: dict[str, Any]) -> bool:
        """Tell the listener how far it is; where that wants no more of the trial, Tune ends it and keeps the worker."""
        event, trial_id = result["event"], result["trial"]
        if not isinstance(event, Event) or not tell(self._listener, trial_id, event):
            return False
        self.ended.add(trial_id)
        return True

    def stop_all(self) -> bool:
        return False


@contextlib.contextmanager
def _own_errors() -> Iterator[None]:
    """Raise what the listener raised (a full disk, a lost lease) as it was: Tune makes a text of it."""
    try:
        yield
    except tune.TuneError as error:
        own: BaseException = error
        while isinstance(own, tune.TuneError) and (inner := own.__cause__ or own.__context__) is not None:
            own = inner
        raise own from None


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Drop what is written to standard error meanwhile: what Ray's C++ says before it heeds a level, line after line.

    What is wrong comes as an exception.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep Tune's own remarks from the terminal: failures are told by the driver."""
    logger = logging.getLogger("ray.tune")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
