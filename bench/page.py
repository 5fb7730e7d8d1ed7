"""Seconds to write the page of a large study: 1,000 trials of 30 epochs, in each format and in all four at once.

    python -m bench.page

The results are made up: effects of three factors and noise. The command is timed as a whole, interpreter included.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from bench.ledgers import THOUSAND_CELLS
from bench.measuring import run_measured
from gridsearch.encoders.load import describe
from gridsearch.planning.plan import PlannedCell
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.built_in import docstrings
from gridsearch.tasks.task import Task
from gridsearch.trial import PART, Epoch, Outcome, PartOutcome
from runners.provenance import code_commit, describe_run

N_EPOCHS = 30
FORMATS = ("md", "html", "csv", "json")


def fill(study: Study) -> None:
    """Write a study whose trials are all finished."""
    task = docstrings.load()
    space = parse_space(THOUSAND_CELLS, "thousand").with_fixed({"epochs": N_EPOCHS})
    plan = make_plan(space, task, partial(describe, corpus=task.corpus))
    stream = np.random.default_rng(0)
    with study.driven() as ledger:
        # A power cut may lose what is made up here: no waiting for the disk.
        ledger.connection.execute("PRAGMA synchronous = OFF")
        ledger.adopt(plan, {})
        provenance = ledger.provenance(describe_run(["gridsearch", "sweep", "thousand"], "ray"))
        for cell in plan.cells:
            (trial,) = cell.trials
            attempt = ledger.start(trial.id, provenance, "desk:1", {"threads": 1, "device": "cpu"})
            ledger.finish(attempt, _outcome(cell, task, stream))


def _outcome(cell: PlannedCell, task: Task, stream: np.random.Generator) -> Outcome:
    recipe = cell.recipe
    level = 0.7 + 0.01 * recipe.bert_adam - 0.02 * recipe.reinit_pooler + 500 * recipe.learning_rate
    course = level + stream.normal(0, 0.004, N_EPOCHS) - 0.2 / np.arange(1, N_EPOCHS + 1)
    epochs = tuple(
        Epoch(number, 1.0 / number, 2.0, 0.2, {PART: {task.metric: float(value)}})
        for number, value in enumerate(course, start=1)
    )
    best = int(course.argmax())
    assert task.test is not None
    dev_logits, test_logits = (
        stream.normal(size=(len(split), len(task.label_names))).astype(np.float32) for split in (task.dev, task.test)
    )
    test = {task.metric: float(course[best] + stream.normal(0, 0.01))}
    part = PartOutcome(epochs[best].dev[PART], dev_logits, test, test_logits)
    return Outcome(epochs, best + 1, {PART: part}, seconds=66.0, peak_bytes=2**30)


def main() -> None:
    """Measure, and print each figure."""
    with tempfile.TemporaryDirectory() as name:
        study = Study(Path(name, "study"))
        fill(study)
        print(f"commit {code_commit() or 'unknown'}; page of 1,000 trials x {N_EPOCHS} epochs")
        for formats in (*FORMATS, ",".join(FORMATS)):
            command = [sys.executable, "-m", "runners.cli", "report", str(study.folder), "--format", formats]
            cost = run_measured(command, Path(name, "printed"))
            target = "   (target: under 10 s)" if "," in formats else ""
            print(f"{formats:<18} {cost.wall_seconds:8.2f} s, {cost.cpu_seconds:8.2f} s of CPU{target}", flush=True)


if __name__ == "__main__":
    main()
