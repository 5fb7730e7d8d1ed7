"""A runner that only pretends to train: what a trial comes to is a function of its recipe and seed."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from gridsearch.recipe.recipe import Recipe
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch, Failure, Outcome, PartOutcome, Trial
from runners.contract import Listener

N_DEV = 20


def by_rate(recipe: Recipe, seed: int, epoch: int) -> float:
    """Best at a learning rate of 3e-5, a little better with each epoch and each seed."""
    return 0.9 - abs(np.log10(recipe.learning_rate / 3e-5)) / 3 + 0.01 * epoch + 0.001 * seed


@dataclass
class Pretending:
    """Has so many trials under way at a time, and goes on with one of them at random, epoch by epoch."""

    score: Callable[[Recipe, int, int], float] = by_rate
    n_workers: int = 1
    stop_after: int = 10**9
    failures: dict[str, list[Failure]] = field(default_factory=dict)
    name: str = "pretending"
    begun: list[Trial] = field(default_factory=list)
    n_epochs: int = 0

    def __enter__(self) -> "Pretending":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, jobs: Iterable[Job | None], materials: Materials, listener: Listener, *, alone: bool = False) -> None:
        feed, chance = iter(jobs), random.Random(0)
        under_way: list[tuple[Trial, list[Epoch]]] = []
        while True:
            while (
                len(under_way) < (1 if alone else self.n_workers)
                and not listener.stop_wanted()
                and (job := next(feed, None)) is not None
            ):
                assert isinstance(job.execution, Execution)
                self.begun.append(job.trial)
                listener.started(job.trial.id, "pretended", {"alone": alone})
                under_way.append((job.trial, []))
            if not under_way:
                return
            if len(self.begun) > self.stop_after:
                raise KeyboardInterrupt
            trial, epochs = under_way.pop(chance.randrange(len(under_way)))
            if not self._goes_on(trial, epochs, listener):
                continue
            under_way.append((trial, epochs))

    def _goes_on(self, trial: Trial, epochs: list[Epoch], listener: Listener) -> bool:
        if self.failures.get(trial.id):
            listener.failed(trial.id, self.failures[trial.id].pop(0))
            return False
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
