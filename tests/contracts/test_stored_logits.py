"""Contract: how logits are kept, when that is decided, and what a plan says of the ledger's size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.study.ledger import Ledger
from gridsearch.study.ledger_size import ledger_size, n_logits
from gridsearch.study.stored_logits import as_kept, kept_as, refuse_unknown
from gridsearch.study.study import Study
from gridsearch.tasks.task import Split
from gridsearch.trial import PART, Epoch, Outcome, PartOutcome

SPACE = """
[recipe]
epochs = 3
pooling = "pooler"
[factors]
bert_adam = [false, true]
warmup_proportion = [0.0, 0.1, 0.2]
weight_decay = [0.0, 0.01]
clip_norm = ["none", 1.0]
label_smoothing = [0.0, 0.1, 0.2]
[design]
seeds = [0, 1]
"""


def finish(ledger: Ledger, trial: str, logits: np.ndarray) -> None:
    value = float(np.random.default_rng(len(trial)).random())
    names = ("accuracy", "f1_macro", "f1_micro", "f1_weighted", "f1_binary", "auc", "matthews", "log_loss")
    metrics = {name: value / number for number, name in enumerate(names, start=1)}
    epochs = tuple(Epoch(number, value / 3, value / 7, value / 9, {PART: metrics}) for number in (1, 2, 3))
    part = PartOutcome(metrics, logits, metrics, logits)
    provenance = ledger.provenance({"host": "here"})
    ledger.finish(ledger.start(trial, provenance, "worker:7", {"threads": 1}), Outcome(epochs, 3, {PART: part}, 2.5, 9))


@pytest.fixture
def plan(plan_of) -> Plan:
    plan = plan_of(SPACE)
    return replace(plan, task=replace(plan.task, test=Split(plan.task.dev.texts, plan.task.dev.labels)))


@pytest.mark.parametrize("n_rows", [20, 3000])
@pytest.mark.parametrize("asked", ["float32", "float16", "none"])
def test_a_plan_foretells_the_size_of_the_ledger(plan: Plan, asked: str, n_rows: int, tmp_path: Path) -> None:
    rows = Split(("text",) * n_rows, (0, 1) * (n_rows // 2))
    plan = replace(plan, task=replace(plan.task, dev=rows, test=rows))
    with Study(tmp_path / "study").driven() as ledger:
        ledger.connection.execute("PRAGMA synchronous = OFF")
        ledger.adopt(plan, {})
        ledger.keep_logits(asked, n_logits(plan))
        for trial in plan.trials:
            finish(ledger, trial, np.zeros((n_rows, 2), dtype=np.float32))
    size = ledger_size(plan, asked)
    assert size.total_bytes == pytest.approx(Study(tmp_path / "study").ledger_path.stat().st_size, rel=0.2)
    assert size.n_trials == 144
    assert size.full_bytes == 144 * 2 * n_rows * 2 * 4
    assert size.logits_bytes == {"float32": 1, "float16": 0.5, "none": 0}[asked] * size.full_bytes


def test_above_two_gigabytes_logits_are_halved_unless_somebody_asks_otherwise() -> None:
    assert kept_as("auto", 500_000_000) == "float32"
    assert kept_as("auto", 500_000_001) == "float16"
    assert [kept_as(asked, 10**12) for asked in ("float32", "float16", "none")] == ["float32", "float16", "none"]
    with pytest.raises(RequestError, match="--keep-logits: unknown choice 'float8'"):
        refuse_unknown("float8")


def test_a_study_goes_on_as_it_began_unless_asked_by_name(plan: Plan, tmp_path: Path) -> None:
    logits = np.array([[0.1, -1e6], [np.inf, np.nan]], dtype=np.float32)
    half = np.array([[np.float16(0.1), -65504.0], [np.inf, np.nan]], dtype=np.float32)
    trials = list(plan.trials)
    for trial, asked, n_values, fact in (
        (trials[0], "auto", 10**9, "float16"),
        (trials[1], "auto", 10, "float16"),
        (trials[2], "none", 10, "none"),
        (trials[3], "auto", 10, "none"),
        (trials[4], "float32", 10**9, "float32"),
    ):
        with Study(tmp_path / "study").driven() as ledger:
            ledger.adopt(plan, {})
            ledger.keep_logits(asked, n_values)
            assert ledger.trials_manifest().logits == fact
            finish(ledger, trial, logits)
    with Study(tmp_path / "study").open() as ledger:
        found = [ledger.logits(trial, "dev") for trial in trials[:5]]
        assert ledger.coverage().finished == 5
    np.testing.assert_array_equal(found[0], half)
    np.testing.assert_array_equal(found[1], half)
    assert (found[2], found[3]) == (None, None)
    np.testing.assert_array_equal(found[4], logits)


@given(arrays(np.float32, (4, 3), elements=st.floats(-65504, 65504, width=32)))
def test_half_precision_loses_what_is_said_of_it(logits: np.ndarray) -> None:
    kept = as_kept(logits, "float16").astype(np.float64)
    assert (np.abs(kept - logits) <= np.maximum(np.abs(logits.astype(np.float64)) / 2048, 2.0**-25)).all()
