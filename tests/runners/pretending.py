"""A runner that only pretends to train: what a trial comes to is a function of its recipe and seed."""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from gridsearch.encoders.pretraining.made import MODEL, RECORD, put
from gridsearch.recipe.recipe import Recipe
from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Materials, Work
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch, Failure, Outcome, PartOutcome, Trial
from runners.contract import Listener

N_DEV = 20


def by_rate(recipe: Recipe, seed: int, epoch: int) -> float:
    """Best at a learning rate of 3e-5, a little better with each epoch and each seed."""
    return 0.9 - abs(np.log10(recipe.learning_rate / 3e-5)) / 3 + 0.01 * epoch + 0.001 * seed


@dataclass
class Pretending:
    """Has so many jobs under way at a time, and goes on with one of them at random, epoch by epoch or step by step.

    What ``failures`` has of a trial or a stage, by its id, comes of its next attempts. ``order`` tells what was begun
    (also of trials alone in ``begun``), and ``idle`` is told whenever a place stays free.
    """

    score: Callable[[Recipe, int, int], float] = by_rate
    n_workers: int = 1
    stop_after: int = 10**9
    failures: dict[str, list[Failure]] = field(default_factory=dict)
    name: str = "pretending"
    begun: list[Trial] = field(default_factory=list)
    order: list[Work] = field(default_factory=list)
    idle: Callable[[set[str]], None] = lambda running: None
    n_epochs: int = 0

    def __enter__(self) -> "Pretending":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        feed, chance = iter(jobs), random.Random(0)
        n_places = 1 if alone else self.n_workers
        under_way: list[tuple[Work, list[Epoch]]] = []
        while True:
            while len(under_way) < n_places and not listener.stop_wanted():
                if (job := next(feed, None)) is None:
                    self.idle({work.id for work, _ in under_way})
                    break
                assert isinstance(job.execution, Execution)
                self.order.append(job.work)
                if isinstance(job.work, Trial):
                    self.begun.append(job.work)
                listener.started(job.id, "pretended", {"alone": alone})
                under_way.append((job.work, []))
            if not under_way:
                return
            if len(self.begun) > self.stop_after:
                raise KeyboardInterrupt
            work, epochs = under_way.pop(chance.randrange(len(under_way)))
            if self.failures.get(work.id):
                listener.failed(work.id, self.failures[work.id].pop(0))
            elif isinstance(work, Stage):
                self._make(work, listener)
            elif self._goes_on(work, epochs, listener):
                under_way.append((work, epochs))

    def _make(self, stage: Stage, listener: Listener) -> None:
        """Put something into the cache that is no encoder."""
        point = LogPoint(stage.last_step, 1.0, 2.0, 1e-4, 1.0)
        listener.logged(stage.id, point)
        checksum = sha256(stage.id.encode()).hexdigest()
        record = {"seconds": 1.0, "log": [vars(point)]}
        put(stage.id, {MODEL: stage.id.encode(), RECORD: json.dumps(record).encode()})
        listener.finished(stage.id, StageOutcome((point,), checksum, 1.0, 1.0, 2**20))

    def _goes_on(self, trial: Trial, epochs: list[Epoch], listener: Listener) -> bool:
        number = len(epochs) + 1
        value = self.score(trial.recipe, trial.seed, number)
        epochs.append(Epoch(number, 0.5, 1.0, 0.1, {"task": {"accuracy": value}}))
        self.n_epochs += 1
        listener.epoch(trial.id, epochs[-1])
        if listener.prune_wanted(trial.id):
            listener.pruned(trial.id)
            return False
        if number < trial.recipe.epochs:
            return True
        part = PartOutcome({"accuracy": value}, np.zeros((N_DEV, 2), dtype=np.float32))
        seconds = trial.recipe.learning_rate * 1e5
        listener.finished(trial.id, Outcome(tuple(epochs), number, {"task": part}, seconds, 2**20))
        return False
