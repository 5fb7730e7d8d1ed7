"""What rows of dev hold, and how the best cell tells each of several labels: read for a page alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gridsearch.study.ledger import Ledger
from gridsearch.study.task_entry import Judged
from gridsearch.tasks.judging.multilabel import of_each_label
from gridsearch.trial import Metrics
from reports.study.pooled import Pool
from reports.study.spread import spread
from reports.study.view import CellRow, StudyRows

OF_A_LABEL = ("f1", "auc", "average_precision")


@dataclass(frozen=True)
class LabelTold:
    """A label: the rows of dev that have it, and what the best cell reaches in it, as means over its runs.

    Metrics are None where they are undefined: auc of a label that all rows have, or none.
    """

    label: str
    n_rows: int
    f1: float | None
    auc: float | None
    average_precision: float | None


@dataclass(frozen=True)
class TrueNumbers:
    """The numbers of dev; ``from_median`` is their mean distance from the median, the least that a constant is off."""

    n_rows: int
    low: float
    high: float
    mean: float
    sd: float
    from_median: float


@dataclass(frozen=True)
class Told:
    """By part: each label of those with several a row, and the numbers of those with numbers."""

    labels: Mapping[str, tuple[LabelTold, ...]] = field(default_factory=dict)
    numbers: Mapping[str, TrueNumbers] = field(default_factory=dict)


def read_told(ledger: Ledger, study: StudyRows) -> Told:
    """Read it of all parts that results are of; nothing where logits or, in an old ledger, labels are not kept."""
    if study.is_imported or not study.ranking:
        return Told()
    labels, numbers = {}, {}
    for one in study.about.judged:
        truth = ledger.labels("dev", one.part)
        if truth is None:
            continue
        if one.entry.labels_are == "score":
            numbers[one.part] = _numbers(truth)
        elif one.entry.labels_are == "multilabel":
            runs = _of_runs(Pool(ledger, study.about), study.ranking[0], one, truth)
            labels.update({one.part: _labels(one, truth, runs)} if runs else {})
    return Told(labels, numbers)


def _numbers(truth: np.ndarray) -> TrueNumbers:
    from_median = float(np.abs(truth - np.median(truth)).mean())
    return TrueNumbers(
        len(truth), float(truth.min()), float(truth.max()), float(truth.mean()), float(truth.std()), from_median
    )


def _of_runs(pool: Pool, cell: CellRow, one: Judged, truth: np.ndarray) -> list[list[Metrics]]:
    """Return what each run of a cell reaches in each label."""
    said = [pool.of_run(run, "dev") for run in cell.runs]
    return [list(of_each_label(truth, found[one.part])) for found in said if found is not None]


def _labels(one: Judged, truth: np.ndarray, runs: list[list[Metrics]]) -> tuple[LabelTold, ...]:
    counts = truth.sum(axis=0, dtype=np.int64).tolist()
    return tuple(
        LabelTold(str(name), n_rows, *(spread(run[place].get(metric) for run in runs).mean for metric in OF_A_LABEL))
        for place, (name, n_rows) in enumerate(zip(one.entry.label_names, counts, strict=True))
    )
