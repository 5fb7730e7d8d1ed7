"""Small studies of several labels a row and of numbers: real plans and ledgers, and outputs of a known quality."""

import numpy as np

from gridsearch.planning.planner import make_plan
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.judging.codes import Codes
from gridsearch.tasks.judging.judge import measured
from gridsearch.tasks.judging.labelling import SCORE
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Epoch, Outcome, PartOutcome, Trial
from tests.reports.conftest import SMALL_SPACE, Writer, describe

NAMES = ("<u>|war", "politics", "sport", "体育")
COMBINATIONS = ((), (0,), (0, 2), (1,), (1, 2), (2,), (2, 3))
SEEDS = f"{SMALL_SPACE}[design]\nseeds = [0, 1]\n"
FOLDS = f"{SEEDS}folds = 3\n"
METRIC = {"multilabel": "f1_micro", "score": "rmse"}


def task_of(kind: LabelKind, metric: str = "", *, has_test: bool = True) -> Task:
    """Make rows that all have texts of their own; of several labels the last one is rare, numbers are about 70."""
    draw = np.random.default_rng(5)
    if kind == "multilabel":
        names, codes, n_codes = NAMES, Codes(combinations=COMBINATIONS), len(COMBINATIONS)
    else:
        scores = np.unique(np.round(70 + 20 * draw.standard_normal(60), 1))
        names, codes, n_codes = (SCORE,), Codes(scores=tuple(scores.tolist())), len(scores)

    def rows(name: str, n_rows: int) -> Split:
        return Split(
            tuple(f"{name} {row}" for row in range(n_rows)), tuple(draw.integers(n_codes, size=n_rows).tolist())
        )

    train, dev, test = rows("train", 60), rows("dev", 90), rows("test", 40)
    return Task(
        "kinds", "single", metric or METRIC[kind], names, train, dev, test if has_test else None,
        codes=codes, label_separator="|" if kind == "multilabel" else None,
    )  # fmt: skip


def said(truth: np.ndarray, quality: float, draw: np.random.Generator) -> np.ndarray:
    """Return float32 outputs for rows, the better the larger the quality."""
    if truth.ndim > 1:
        return (quality * (2.0 * truth - 1) + draw.standard_normal(truth.shape)).astype(np.float32)
    return (truth + 20 / quality * draw.standard_normal(len(truth))).astype(np.float32)[:, None]


def outcome_of(task: Task, trial: Trial, quality: float) -> Outcome:
    """Make up what a trial said of dev, or of its fold's rows, and of test."""
    draw, rows = np.random.default_rng([trial.seed, trial.fold, round(1000 * quality)]), None
    truth, on_test = task.truth(task.judged), None if task.test is None else task.truth(task.test)
    assert truth is not None
    if task.folds is not None:
        rows = np.flatnonzero(np.array(task.folds.of_rows) == trial.fold)
        truth = truth[rows]
    dev = said(truth, quality, draw)
    test = None if on_test is None else said(on_test, quality, draw)
    part = PartOutcome(
        measured(truth, dev, task.labelling),
        dev,
        None if on_test is None or test is None else measured(on_test, test, task.labelling),
        test,
        dev_rows=rows,
    )
    epochs = tuple(Epoch(number, 0.6, 1.5, 0.25, {"task": part.dev}) for number in (1, 2))
    return Outcome(epochs, 2, {"task": part}, seconds=4.0, peak_bytes=2**30)


def study_of(
    study: Study,
    kind: LabelKind,
    metric: str = "",
    *,
    space: str = SEEDS,
    has_test: bool = True,
    qualities: tuple[float, ...] = (1.0, 1.3, 1.6, 0.8),
) -> Writer:
    """Finish every trial of the cells that have a quality."""
    asked, task = parse_space(space, "small"), task_of(kind, metric, has_test=has_test)
    if asked.design.division is not None:
        task = with_folds(task, asked.design.division)
    writer = Writer(study, make_plan(asked, task, describe))
    for cell, quality in zip(writer.plan.cells, qualities, strict=False):
        for replicate, trial in enumerate(cell.trials):
            writer.finish(cell.index, outcome_of(task, trial, quality), replicate)
    return writer
