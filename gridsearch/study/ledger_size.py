"""How large a study's ledger will be: found by writing a few of its trials into a ledger in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gridsearch.planning.plan import Plan
from gridsearch.study.ledger import Ledger
from gridsearch.study.stored_logits import Kept, bytes_of, kept_as
from gridsearch.tasks.judging.labelling import METRICS_OF, OF_ORDERED, OF_TWO_LABELS
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.task import Task
from gridsearch.trial import Epoch, Outcome, PartOutcome

THIRD: Final = 1 / 3
"""A number that is as long as most, when it is written."""
SAMPLES: Final = (8, 40)
"""Ledgers of so many cells are written: their difference is what more cells take."""


@dataclass(frozen=True)
class LedgerSize:
    """Bytes of a ledger in which everything is finished. ``shapes`` are those of a trial's logits, for each part.

    A shape is (rows of dev and test, labels).
    """

    n_trials: int
    shapes: tuple[tuple[int, int], ...]
    kept: Kept
    rest_bytes: int

    @property
    def logits_bytes(self) -> int:
        """Bytes of all logits as they are kept."""
        return bytes_of(self.kept, self.n_trials * n_values(self.shapes))

    @property
    def full_bytes(self) -> int:
        """Bytes of all logits in single precision."""
        return bytes_of("float32", self.n_trials * n_values(self.shapes))

    @property
    def total_bytes(self) -> int:
        """Bytes of the file."""
        return self.logits_bytes + self.rest_bytes


def n_logits(plan: Plan, n_trials: int | None = None) -> int:
    """Count the values of all logits that a plan comes to; ``n_trials`` where it is to grow to so many."""
    return (n_finished(plan) if n_trials is None else n_trials) * n_values(shapes_of(plan.task))


def shapes_of(task: AnyTask) -> tuple[tuple[int, int], ...]:
    """Return the shape of a trial's logits for each part: (rows of dev and test, labels); those of the largest fold."""
    return tuple(
        (_n_judged(one) + (len(one.test) if one.test else 0), len(one.label_names)) for one in task.parts.values()
    )


def _n_judged(task: Task) -> int:
    return len(task.dev) if task.folds is None else max(task.folds.sizes)


def n_values(shapes: Iterable[tuple[int, int]]) -> int:
    """Count the values of matrices of these shapes."""
    return sum(n_rows * n_labels for n_rows, n_labels in shapes)


def n_finished(plan: Plan) -> int:
    """Count the trials that run to their end: in a halving, those of the last rung."""
    if plan.halving is None:
        return len(plan.trials)
    return plan.halving.rungs[-1].n_cells * plan.n_repetitions


def ledger_size(plan: Plan, asked: str) -> LedgerSize:
    """Foretell the size of a plan's ledger, when every trial is finished at its first attempt."""
    kept = kept_as(asked, n_logits(plan))
    few, many = (min(number, len(plan.cells)) for number in SAMPLES)
    written = _bytes_of_cells(plan, many)
    if many < len(plan.cells):
        written += round((written - _bytes_of_cells(plan, few)) / (many - few) * (len(plan.cells) - many))
    return LedgerSize(n_finished(plan), shapes_of(plan.task), kept, written)


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
    parts = {name: _part_outcome(task) for name, task in plan.task.parts.items()}
    dev = {name: part.dev for name, part in parts.items()}
    epochs = tuple(Epoch(number, THIRD, THIRD, THIRD, dev) for number in range(1, n_epochs + 1))
    return Outcome(epochs, n_epochs, parts, THIRD, 2**30)


def _part_outcome(task: Task) -> PartOutcome:
    import numpy as np

    n_labels, test = len(task.label_names), task.test
    labelling = task.labelling
    fitting = [name for name in METRICS_OF[labelling.kind] if labelling.ordered or name not in OF_ORDERED]
    fitting += [] if task.own_metric is None else [task.own_metric.name]
    several = labelling.kind == "class" and n_labels > 2
    metrics = {name: THIRD for name in fitting if not (several and name in OF_TWO_LABELS)}
    nothing = np.zeros((0, n_labels), dtype=np.float32)
    is_labelled = test is not None and test.labels is not None
    return PartOutcome(metrics, nothing, metrics if is_labelled else None, None if test is None else nothing)
