"""The parts of a task of several, as a page tells them beside the result."""

from collections.abc import Mapping

from gridsearch.study.task_entry import Judged
from gridsearch.tasks.target import metric_name
from gridsearch.trial import Metrics
from reports.study.view import CellRow, StudyRows


def parts_of(study: StudyRows) -> tuple[Judged, ...]:
    """Return the parts of a task of several; none of a single one."""
    return study.about.parts if not study.is_imported and study.about.task.parts else ()


def other_parts(study: StudyRows) -> tuple[Judged, ...]:
    """Return the parts that are told beside the result, because the result is that of none of them alone."""
    return tuple(one for one in parts_of(study) if one != study.about.sole)


def splits_of_parts(study: StudyRows) -> tuple[tuple[Judged, str], ...]:
    """Return what is told beside the result: of each such part dev, and test where it has labels."""
    return tuple(
        (one, split)
        for one in other_parts(study)
        for split in ("dev", "test")
        if split == "dev" or one.entry.test_is_labelled
    )


def is_guess(study: StudyRows, cell: CellRow, one: Judged) -> bool:
    """Tell whether some run behind the result of a part is no better on dev than what a guess reaches there."""
    guess = study.guesses.get(one.part)
    found = [run.dev_metrics[one.part] for run in cell.runs if one.part in run.dev_metrics]
    return guess is not None and any(map(guess.explains, found))


def has_guesses(study: StudyRows) -> bool:
    """Tell whether that is so anywhere beside the result."""
    return any(is_guess(study, cell, one) for cell in study.cells for one in other_parts(study))


def measure_of(study: StudyRows) -> object:
    """Return what results are measured by: two studies with the same may be compared."""
    sole = study.about.sole
    if sole is not None:
        return sole.metric, sole.positive_label, sole.entry.labels_are, sole.entry.own_metric
    return [(one.name, one.positive_label, one.entry.labels_are) for one in study.about.judged]


def metrics_by_name(results: Mapping[str, Metrics]) -> dict[str, float]:
    """Return the metrics of all parts by what they are called.

    >>> metrics_by_name({"topic": {"accuracy": 0.9}, "mood": {"accuracy": 0.7}})
    {'topic accuracy': 0.9, 'mood accuracy': 0.7}
    """
    return {metric_name(part, name): value for part, found in results.items() for name, value in found.items()}
