"""trials.csv: one row a trial, beside page.csv, which has one row a cell. For programs: English, numbers unrounded."""

import csv
import io
from collections.abc import Iterator

from gridsearch.tasks.judging.labelling import METRICS
from gridsearch.tasks.target import metric_name
from gridsearch.trial import Metrics
from reports.formats.table import csv_text
from reports.study.parts import metrics_by_name
from reports.study.view import CellRow, Replicate, StudyRows

STEM = "trials"


def trials_text(study: StudyRows) -> str:
    """Return the CSV; of an imported table, whose rows are no trials of ours, the rows themselves.

    ``dev`` and ``result`` are those of page.csv, which has their means (where folds divide the rows, ``fold mean`` is
    that of ``dev``, and page.csv's results are of all rows together); ``dev_...``, ``test_...`` and ``train_...`` are
    all metrics at the chosen epoch. Seconds an epoch are training alone. A trial that several cells share has a row in
    each.
    """
    if study.is_imported:
        return csv_text(study)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    metrics = _metrics(study)
    writer.writerow(
        [
            "index",
            *(["row"] if study.is_list else []),
            *(factor.column for factor in study.factors),
            *("trial", "seed", "fold", "state", "not_learned"),
            *(["dev"] if study.has_test else []),
            "result",
            *(f"{split}_{metric}" for split, metric in metrics),
            *("chosen_epoch", "epochs", "train_seconds_per_epoch", "dev_seconds_per_epoch", "seconds", "peak_bytes"),
            *study.scores,
        ]
    )
    writer.writerows(_row(study, cell, replicate, metrics) for cell in study.cells for replicate in cell.replicates)
    return buffer.getvalue()


def _row(study: StudyRows, cell: CellRow, replicate: Replicate, metrics: list[tuple[str, str]]) -> Iterator[object]:
    yield cell.index
    if study.is_list:
        yield cell.row
    yield from (cell.levels[factor.name] for factor in study.factors)
    yield from (replicate.trial, replicate.seed, replicate.fold, replicate.state, replicate.not_learned)
    if study.has_test:
        yield replicate.dev
    yield replicate.test if study.has_test else replicate.dev
    of_split = _of_splits(replicate)
    yield from (of_split[split].get(metric) for split, metric in metrics)
    yield from (replicate.chosen_epoch, replicate.n_epochs)
    yield from (replicate.train_seconds_per_epoch, replicate.dev_seconds_per_epoch, replicate.seconds)
    yield replicate.peak_bytes
    yield from (by_trial.get(replicate.trial) for by_trial in study.scores.values())


def _metrics(study: StudyRows) -> list[tuple[str, str]]:
    """Return what any trial has, by split and name: part by part, in the order in which metrics are declared."""
    replicates = [replicate for cell in study.cells for replicate in cell.replicates]
    known: dict[str, set[str]] = {}
    for split, results in (item for one in replicates for item in _of_splits(one).items()):
        known.setdefault(split, set()).update(results)
    own = [] if study.about.task.own_metric is None else [study.about.task.own_metric.name]
    declared = [metric_name(one.part, metric) for one in study.about.parts for metric in (*METRICS, *own)]
    return [(split, name) for split, names in known.items() for name in declared if name in names]


def _of_splits(replicate: Replicate) -> dict[str, Metrics]:
    """All metrics of a trial by split, and by what they are called."""
    splits = {"dev": replicate.dev_metrics, "test": replicate.test_metrics, "train": replicate.train_metrics}
    return {split: metrics_by_name(results) for split, results in splits.items()}
