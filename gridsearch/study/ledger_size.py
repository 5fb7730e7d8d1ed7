"""How large a study's ledger will be: found by writing a few of its trials into a ledger in memory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gridsearch.plan.plan import Plan
from gridsearch.study.ledger import Ledger
from gridsearch.study.stored_logits import Kept, bytes_of, kept_as
from gridsearch.tasks.task import METRICS, OF_TWO_LABELS
from gridsearch.trial import PART, Epoch, Outcome, PartOutcome

SAMPLES: Final = (8, 40)
"""Ledgers of so many cells are written: their difference is what more cells take."""


@dataclass(frozen=True)
class LedgerSize:
    """Bytes of a ledger in which everything is finished. ``n_trials`` have logits of ``n_rows`` x ``n_labels``."""

    n_trials: int
    n_rows: int
    n_labels: int
    kept: Kept
    rest_bytes: int

    @property
    def logits_bytes(self) -> int:
        """Bytes of all logits as they are kept."""
        return bytes_of(self.kept, self.n_trials * self.n_rows * self.n_labels)

    @property
    def full_bytes(self) -> int:
        """Bytes of all logits in single precision."""
        return bytes_of("float32", self.n_trials * self.n_rows * self.n_labels)

    @property
    def total_bytes(self) -> int:
        """Bytes of the file."""
        return self.logits_bytes + self.rest_bytes


def n_logits(plan: Plan, n_trials: int | None = None) -> int:
    """Count the values of all logits that a plan comes to; ``n_trials`` where it is to grow to so many."""
    return (n_finished(plan) if n_trials is None else n_trials) * n_judged_rows(plan) * len(plan.task.label_names)


def n_judged_rows(plan: Plan) -> int:
    """Count the rows that each trial has logits of: those of dev and test."""
    return len(plan.task.dev) + (len(plan.task.test) if plan.task.test else 0)


def n_finished(plan: Plan) -> int:
    """Count the trials that run to their end: in a halving, those of the last rung."""
    if plan.halving is None:
        return len(plan.trials)
    return plan.halving.rungs[-1].n_cells * len(plan.space.design.repetitions)


def ledger_size(plan: Plan, asked: str) -> LedgerSize:
    """Foretell the size of a plan's ledger, when every trial is finished at its first attempt."""
    kept = kept_as(asked, n_logits(plan))
    few, many = (min(number, len(plan.cells)) for number in SAMPLES)
    written = _bytes_of_cells(plan, many)
    if many < len(plan.cells):
        written += round((written - _bytes_of_cells(plan, few)) / (many - few) * (len(plan.cells) - many))
    return LedgerSize(n_finished(plan), n_judged_rows(plan), len(plan.task.label_names), kept, written)


def _bytes_of_cells(plan: Plan, n_cells: int) -> int:
    """Write a ledger of the first cells, all finished, whose logits have no rows."""
    sample = replace(plan, cells=plan.cells[:n_cells], halving=None)
    with Ledger(Path(":memory:")) as ledger:
        ledger.adopt(sample, {})
        provenance = ledger.provenance({})
        for trial in sample.trials.values():
            n_epochs = trial.recipe.epochs
            if plan.halving is not None:
                n_epochs = -(-plan.halving.cost // plan.halving.rungs[0].n_cells)
            ledger.finish(ledger.start(trial.id, provenance, "a worker", {}), _outcome(plan, n_epochs))
        (n_pages,), (n_bytes,) = (
            ledger.connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
        )
    return int(n_pages) * int(n_bytes)


def _outcome(plan: Plan, n_epochs: int) -> Outcome:
    """Make up an outcome of every metric, each as long as most numbers are."""
    import numpy as np

    n_labels, test = len(plan.task.label_names), plan.task.test
    third = 1 / 3
    metrics = {name: third for name in METRICS if n_labels == 2 or name not in OF_TWO_LABELS}
    epochs = tuple(Epoch(number, third, third, third, {PART: metrics}) for number in range(1, n_epochs + 1))
    nothing = np.zeros((0, n_labels), dtype=np.float32)
    is_labelled = test is not None and test.labels is not None
    part = PartOutcome(metrics, nothing, metrics if is_labelled else None, None if test is None else nothing)
    return Outcome(epochs, n_epochs, {PART: part}, third, 2**30)
