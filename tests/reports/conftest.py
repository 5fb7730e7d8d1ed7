"""Small real studies for the report tests: real plans, outcomes made by hand, a clock that stands still."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from gridsearch.encoders.card import EncoderCard
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Epoch, Outcome, PartOutcome

PROVENANCE = {
    "gridsearch": "0.1.0",
    "commit": "0123456789ab",
    "python": "3.11.9",
    "versions": {"torch": "2.13.0", "transformers": "5.23.0"},
    "host": "desk",
    "system": "Linux",
    "processor": "A processor",
    "cores": 4,
    "gpus": [],
    "runner": "serial",
    "command": ["gridsearch", "sweep", "small.toml", "--task", "moods", "--study", "study"],
}
SOURCES = {"space": "small.toml", "task": "moods", "data_dir": None, "train_rows": None}

# What a label may be: a line of text as TOML allows it, without blanks at its ends.
LABELS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"))).map(str.strip)

SMALL_SPACE = """
title = "Do bertadam and freezing help?"
[recipe]
epochs = 2
[factors.bert_adam]
label = "bertadam"
levels = [false, true]
[factors.frozen_layers]
levels = [0, 6]
"""


MANY = Split(("good",) * 100, (0, 1) * 50)


def small_task(*, has_test: bool = True, metric: str = "accuracy") -> Task:
    """Four training rows and 100 rows of dev (and test) with two labels."""
    train = Split(("good", "bad", "fine", "poor"), (1, 0, 1, 0))
    return Task(
        "moods", "single", metric, ("bad", "good"), train, MANY, MANY if has_test else None, ("2 rows occur twice.",)
    )


def describe(name: str) -> EncoderCard:
    return EncoderCard(name, f"identity-of-{name}", "bert", 12, has_pooler=True, max_tokens=512)


def small_plan(space: str = SMALL_SPACE, *, has_test: bool = True, metric: str = "accuracy") -> Plan:
    return make_plan(parse_space(space, "small"), small_task(has_test=has_test, metric=metric), describe)


def logits(accuracy: float) -> np.ndarray:
    """Predictions for the 100 rows of `small_task` that are as often right, from the first row on."""
    right = np.arange(100) < round(100 * accuracy)
    return np.eye(2, dtype=np.float32)[np.where(right, MANY.labels, 1 - np.array(MANY.labels))]


def outcome(
    dev: float,
    test: float | None = None,
    *,
    chosen: int = 2,
    seconds: float = 1.5,
    not_learned: str = "",
    metric: str = "accuracy",
    train: float | None = None,
) -> Outcome:
    """An outcome of two epochs with these results at the chosen one."""
    epochs = tuple(Epoch(n, 0.6, seconds, 0.25, {"task": {metric: dev}}) for n in (1, 2))
    on_test = (None, None) if test is None else ({metric: test}, logits(test))
    part = PartOutcome({metric: dev}, logits(dev), *on_test, train=None if train is None else {metric: train})
    return Outcome(epochs, chosen, {"task": part}, seconds=4.0, peak_bytes=2**30, not_learned=not_learned)


class Writer:
    """Fills a ledger as a driver would."""

    def __init__(self, study: Study, plan: Plan, sources: Mapping[str, object] = SOURCES) -> None:
        self.study, self.plan = study, plan
        self.resources: Mapping[str, object] = {}
        study.folder.mkdir(parents=True, exist_ok=True)
        with Ledger(study.ledger_path) as ledger:
            ledger.adopt(plan, sources)

    def run(self, act: "Callable[[Ledger, int], None]", cell: int, replicate: int = 0) -> None:
        """Open an attempt at a cell's trial, and do something with it."""
        with Ledger(self.study.ledger_path) as ledger:
            trial = self.plan.cells[cell - 1].trials[replicate]
            act(ledger, ledger.start(trial.id, ledger.provenance(PROVENANCE), "desk:1", self.resources))

    def finish(self, cell: int, result: Outcome, replicate: int = 0) -> None:
        self.run(lambda ledger, attempt: ledger.finish(attempt, result), cell, replicate)

    def yardstick(self, dev: float, test: float | None) -> None:
        with Ledger(self.study.ledger_path) as ledger:
            metric = self.plan.task.metric
            ledger.set_yardstick(
                "TF-IDF + logistic regression", {metric: dev}, None if test is None else {metric: test}
            )


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsearch.study.attempts.time.time", lambda: 1_750_000_000.0)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A folder for a study, named as a user would: below the present folder."""
    monkeypatch.chdir(tmp_path)
    return Study(Path("study"))


def _shared(folder: str) -> Path:
    path = Path(__file__).parents[2].parent / "shared" / folder
    if not path.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is missing")
        pytest.skip(f"{path} is not on this machine")
    return path


@pytest.fixture
def seeds() -> Path:
    """The folder of the published notes that the project started from."""
    return _shared("seeds")


@pytest.fixture
def reference() -> Path:
    """The folder of reference tables."""
    return _shared("reference")
