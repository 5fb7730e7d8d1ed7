"""Made-up ledgers of many trials, as sweeps would have left them: what the harness costs on large studies."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from gridsearch.encoders.card import EncoderCard
from gridsearch.planning.halving import halved
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import PART, Epoch, Failure, Outcome, PartOutcome

N_CELLS = 10_000
N_EPOCHS = 9
THOUSAND_CELLS = """
[recipe]
pooling = "pooler"
[factors]
learning_rate = [1e-5, 2e-5, 3e-5, 4e-5, 5e-5]
weight_decay = [0.0, 0.001, 0.01, 0.1, 0.2]
warmup_proportion = [0.0, 0.05, 0.1, 0.15, 0.2]
bert_adam = [false, true]
reinit_pooler = [false, true]
clip_norm = ["none", 1.0]
"""
TEN_THOUSAND_CELLS = f"{THOUSAND_CELLS}label_smoothing = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45]\n"


@cache
def plan_of_many() -> Plan:
    """Plan 10,000 trials of 9 epochs."""
    split = Split(("a text", "another") * 160, (0, 1) * 160)
    task = Task("many", "single", "accuracy", ("no", "yes"), split, split)
    space = parse_space(TEN_THOUSAND_CELLS, "many").with_fixed({"epochs": N_EPOCHS})
    card = EncoderCard("tiny", "files-0", "bert", 12, True, 512, dropout=0.1)
    return make_plan(space, task, lambda encoder: card)


def many_trials(n_failures: int = 0, *, halving: bool = False) -> Study:
    """Write a study of 10,000 trials; or, of a halving, its first rung.

    All are finished, or each failed so often and only every other one has finished since.
    """
    study = Study(Path(tempfile.mkdtemp(), "study"))
    plan = halved(plan_of_many(), 3) if halving else plan_of_many()
    values = np.random.default_rng(0).normal(0.8, 0.01, len(plan.trials)).tolist()
    logits = np.zeros((20, 2), dtype=np.float32)
    with study.driven() as ledger:
        ledger.connection.execute("PRAGMA synchronous = OFF")  # what is made up may be lost: no waiting for the disk
        ledger.adopt(plan, {})
        provenance = ledger.provenance({"host": "made up"})
        for number, (trial_id, value) in enumerate(zip(plan.trials, values, strict=True)):
            epochs = tuple(Epoch(epoch, 0.5, 1.0, 0.1, {PART: {"accuracy": value}}) for epoch in range(1, 10))
            for _ in range(n_failures):
                ledger.fail(ledger.start(trial_id, provenance, "desk", {}), Failure("lost_worker", "gone"), final=False)
            if n_failures and number % 2:
                continue
            attempt = ledger.start(trial_id, provenance, "desk", {})
            if halving:
                ledger.record_epoch(attempt, epochs[0])
                ledger.prune(attempt)
            else:
                part = PartOutcome({"accuracy": value}, logits)
                ledger.finish(attempt, Outcome(epochs, 9, {PART: part}, 9.0, 2**30))
    return study
