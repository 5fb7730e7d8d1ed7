"""Studies whose runs say something of every row: ledgers filled as drivers do, some of them over folds."""

from dataclasses import replace

import numpy as np

from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.metrics import score
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Trial
from tests.reports.conftest import SMALL_SPACE, Writer, describe, outcome

N_DEV, N_TEST = 120, 40
LABELS = np.random.default_rng(11).permutation(np.arange(N_DEV) % 2)


def task_of_rows(metric: str = "accuracy", *, has_test: bool = True, test_labels: bool = False) -> Task:
    """Rows that all have texts of their own."""
    train = Split(tuple(f"train {n}" for n in range(60)), tuple(n % 2 for n in range(60)))
    dev = Split(tuple(f"dev {n}" for n in range(N_DEV)), tuple(LABELS.tolist()))
    labels = tuple(n % 2 for n in range(N_TEST)) if test_labels else None
    test = Split(tuple(f"test {n}" for n in range(N_TEST)), labels) if has_test else None
    return Task("moods", "single", metric, ("bad", "good"), train, dev, test)


def said(quality: float, labels: np.ndarray, seed: int) -> np.ndarray:
    """Logits, float32, the better the larger the quality."""
    draw = np.random.default_rng(seed)
    return (quality * np.eye(2)[labels] + draw.normal(size=(len(labels), 2))).astype(np.float32)


def ensemble_study(
    study: Study,
    task: Task | None = None,
    *,
    space: str = SMALL_SPACE,
    qualities: tuple[float, ...] = (1.8, 2.4, 2.1, 1.5),
    first_seed: int = 0,
) -> Writer:
    """Finish every trial of the cells that have a quality; where the space has folds, on the rows of the fold."""
    asked = parse_space(space, "small")
    task = task or task_of_rows()
    if asked.design.division is not None:
        task = with_folds(task, asked.design.division)
    writer = Writer(study, make_plan(asked, task, describe))
    for cell, quality in zip(writer.plan.cells, qualities, strict=False):
        for replicate, trial in enumerate(cell.trials):
            finish(writer, cell.index, replicate, trial, quality, first_seed)
    return writer


def finish(writer: Writer, cell: int, replicate: int, trial: Trial, quality: float, first_seed: int = 0) -> None:
    """Write down what a trial said."""
    task, rows = writer.plan.task, None
    labels = np.array(task.judged.labels)
    if task.folds is not None:
        rows = np.flatnonzero(np.array(task.folds.of_rows) == trial.fold)
        labels = labels[rows]
    seed = first_seed + 1000 * cell + 10 * trial.seed + trial.fold
    logits, metric = said(quality, labels, seed), task.metric
    made = outcome(score(labels, logits)[metric], metric=metric)
    test = None if task.test is None else said(quality, np.arange(len(task.test)) % 2, seed + 5)
    on_test = None
    if test is not None and task.test is not None and task.test.labels is not None:
        on_test = score(np.array(task.test.labels), test)
    dev = score(labels, logits)
    part = replace(made.parts["task"], dev=dev, dev_logits=logits, test=on_test, test_logits=test, dev_rows=rows)
    writer.finish(cell, replace(made, parts={"task": part}), replicate)


SEEDS = SMALL_SPACE + "[design]\nseeds = [0, 1]\n"
FOLDS = SMALL_SPACE + "[design]\nfolds = 3\n"
FOLDS_AND_SEEDS = FOLDS + "seeds = [0, 1]\n"
