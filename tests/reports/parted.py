"""Small studies of a task of several parts: real ledgers, and logits of a known quality."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.metrics import score
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Epoch, Outcome, PartOutcome, Trial
from tests.reports.conftest import SMALL_SPACE, Writer, describe

LABELS = {"ocnli": 3, "ocemotion": 7, "tnews": 15}
ROWS = {"ocnli": 90, "ocemotion": 140, "tnews": 225}
SEEDS = SMALL_SPACE + "[design]\nseeds = [0, 1, 2]\n"
FOLDS = SMALL_SPACE + "[design]\nseeds = [0, 1, 2]\nfolds = 3\n"
GOOD = {"ocnli": 2.5, "ocemotion": 2.5, "tnews": 3.0}


def part(name: str, metric: str = "f1_macro", *, test: str = "unlabelled") -> Task:
    """One part: its rows take turns with its labels. ``test`` is "none", "unlabelled" or "labelled"."""
    n_labels, n_rows = LABELS[name], ROWS[name]
    rows = Split(tuple(f"{name} test {row}" for row in range(n_labels * 4)), None)
    labelled = replace(rows, labels=tuple(row % n_labels for row in range(len(rows))))
    return Task(
        name,
        "pair" if name == "ocnli" else "single",
        metric,
        tuple(f"{name}-{label}" for label in range(n_labels)),
        _split(f"{name} train", 2 * n_labels, n_labels),
        _split(f"{name} dev", n_rows, n_labels),
        {"none": None, "unlabelled": rows, "labelled": labelled}[test],
    )


def _split(name: str, n_rows: int, n_labels: int) -> Split:
    return Split(tuple(f"{name} {row}" for row in range(n_rows)), tuple(row % n_labels for row in range(n_rows)))


def joint_task(
    *, metric: str = "f1_macro", test: Mapping[str, str] | None = None, selected: tuple[str, ...] = tuple(LABELS)
) -> JointTask:
    """Three parts; ``test`` is of some of them, and those ``selected`` make up the target."""
    parts = {name: part(name, metric, test=(test or {}).get(name, "unlabelled")) for name in LABELS}
    return JointTask("tianchi", parts, Target(tuple((name, metric) for name in selected)), dict.fromkeys(LABELS, 1.0))


def joint_plan(task: JointTask, space: str = SEEDS) -> Plan:
    """Plan four cells of the joint task."""
    asked = parse_space(space, "small")
    if asked.design.division is not None:
        divide = partial(with_folds, division=asked.design.division)
        task = task.changed(divide)
    return make_plan(asked, task, describe)


class PartWriter(Writer):
    """Fills the ledger of a joint study; the quality of a part's logits is 0 where it is not learned."""

    def finish_all(self, *qualities: Mapping[str, float]) -> None:
        """Finish every trial of the cells that have qualities."""
        for cell, of_parts in enumerate(qualities, start=1):
            for replicate, trial in enumerate(self.plan.cells[cell - 1].trials):
                self.finish(cell, self.outcome_of(cell, trial, of_parts), replicate)

    def outcome_of(self, cell: int, trial: Trial, qualities: Mapping[str, float], not_learned: str = "") -> Outcome:
        """Make up what a trial said of the rows of each part."""
        random = np.random.default_rng([cell, trial.seed, trial.fold])
        parts = {name: self._part(one, qualities[name], trial, random) for name, one in self.plan.task.parts.items()}
        epochs = tuple(Epoch(n, 0.6, 1.5, 0.25, {name: one.dev for name, one in parts.items()}) for n in (1, 2))
        return Outcome(epochs, 2, parts, seconds=4.0, peak_bytes=2**30, not_learned=not_learned)

    def _part(self, task: Task, quality: float, trial: Trial, random: np.random.Generator) -> PartOutcome:
        labels, rows = np.array(task.judged.labels), None
        if task.folds is not None:
            rows = np.flatnonzero(np.array(task.folds.of_rows) == trial.fold)
            labels = labels[rows]
        logits = _said(quality, labels, len(task.label_names), random)
        made = PartOutcome(score(labels, logits), logits, dev_rows=rows)
        if task.test is None:
            return made
        truth = np.arange(len(task.test)) % len(task.label_names)
        on_test = _said(quality, truth, len(task.label_names), random)
        return replace(made, test_logits=on_test, test=None if task.test.labels is None else score(truth, on_test))

    def yardsticks(self, dev: Mapping[str, float]) -> None:
        """Keep a cheap reference of each part."""
        target = self.plan.task.target
        metric = target.metrics[0][1]
        found = {f"{name} {metric}": value for name, value in dev.items()}
        found[target.name] = target.of({name: {metric: value} for name, value in dev.items()})
        with Ledger(self.study.ledger_path) as ledger:
            ledger.set_yardstick("TF-IDF + logistic regression", found, None)


def _said(quality: float, labels: np.ndarray, n_labels: int, random: np.random.Generator) -> np.ndarray:
    return (quality * np.eye(n_labels)[labels] + random.normal(size=(len(labels), n_labels))).astype(np.float32)


def joint_study(study: Study, task: JointTask | None = None, space: str = SEEDS) -> PartWriter:
    """Four cells: in the second nothing is learned, in the third one part is not, and the fourth is best in all."""
    writer = PartWriter(study, joint_plan(task or joint_task(), space))
    writer.yardsticks({"ocnli": 0.45, "ocemotion": 0.5, "tnews": 0.55})
    better = {name: quality + 0.6 for name, quality in GOOD.items()}
    writer.finish_all(GOOD, dict.fromkeys(LABELS, 0.0), GOOD | {"tnews": 0.0, "ocnli": 4.0}, better)
    return writer
