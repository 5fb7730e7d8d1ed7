"""Small studies of folds for the report tests: real plans and ledgers, and logits of a known quality."""

from dataclasses import replace

import numpy as np

from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.repetition import Division
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.metrics import score
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Epoch, Outcome, PartOutcome, Trial
from tests.reports.conftest import SMALL_SPACE, Writer, describe

N_ROWS, N_TEST = 60, 40


def folded_plan(
    *, folds: int = 3, seeds: str = "[0]", metric: str = "accuracy", has_test: bool = False, space: str = SMALL_SPACE
) -> Plan:
    """Plan four cells over folds; of 60 labelled rows, a third were in dev."""
    asked = parse_space(f"{space}[design]\nseeds = {seeds}\nfolds = {folds}\n", "small")
    return make_plan(asked, with_folds(_task(metric, has_test=has_test), Division(folds)), describe)


def _task(metric: str, *, has_test: bool) -> Task:
    return Task(
        "moods",
        "single",
        metric,
        ("bad", "good"),
        _rows("train", N_ROWS - 20),
        _rows("dev", 20),
        _rows("test", N_TEST) if has_test else None,
    )


def _rows(name: str, n_rows: int) -> Split:
    return Split(tuple(f"{name} {row}" for row in range(n_rows)), tuple(row % 2 for row in range(n_rows)))


class FoldWriter(Writer):
    """Fills the ledger of a folded study with random logits, mostly right; ``offset`` parts the scales of folds."""

    def __init__(self, study: Study, plan: Plan, *, offset: float = 0.0) -> None:
        super().__init__(study, plan)
        self._offset = offset

    def finish_fold(self, cell: int, replicate: int) -> None:
        """Finish one trial."""
        trial = self.plan.cells[cell - 1].trials[replicate]
        self.finish(cell, self.outcome_of(cell, trial), replicate)

    def finish_all(self, cells: int = 4) -> None:
        """Finish every trial of the first cells."""
        for cell in range(1, cells + 1):
            for replicate in range(len(self.plan.cells[cell - 1].trials)):
                self.finish_fold(cell, replicate)

    def outcome_of(self, cell: int, trial: Trial) -> Outcome:
        """Make up what a fold's run said of its rows and of test."""
        task, random = self.plan.task, np.random.default_rng([cell, trial.seed, trial.fold])
        assert task.folds is not None
        rows = np.flatnonzero(np.array(task.folds.of_rows) == trial.fold)
        labels = np.array(task.train.labels)[rows]
        logits = self._logits(random, labels, trial.fold)
        part = PartOutcome(score(labels, logits), logits, dev_rows=rows)
        if task.test is not None:
            on_test = self._logits(random, np.array(task.test.labels), trial.fold)
            part = replace(part, test=score(np.array(task.test.labels), on_test), test_logits=on_test)
        epochs = tuple(Epoch(number, 0.6, 1.5, 0.25, {"task": part.dev}) for number in (1, 2))
        return Outcome(epochs, 2, {"task": part}, seconds=4.0, peak_bytes=2**30)

    def _logits(self, random: np.random.Generator, labels: np.ndarray, fold: int) -> np.ndarray:
        """Return logits of shape (rows, 2)."""
        margin = (2 * labels - 1) + random.standard_normal(len(labels)) + self._offset * fold
        return np.stack([-margin / 2, margin / 2], axis=1).astype(np.float32)
