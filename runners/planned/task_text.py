"""What a plan says of its task: rows, labels and metric, part by part."""

from collections.abc import Iterator

from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Task


def task_texts(task: AnyTask) -> Iterator[str]:
    """Yield a text about a single task; about a joint one, a text and then one about each part."""
    if isinstance(task, Task):
        yield f"{task.name}: {_about(task)}"
        return
    yield f"{task.name}: {len(task.parts)} parts that share one encoder; target {_target(task.target)}"
    is_weighted = set(task.weights.values()) != {1.0}
    for name, part in task.parts.items():
        weight = f"; weight {task.weights[name]:g}" if is_weighted else ""
        yield f"{name}, {'pairs' if part.kind == 'pair' else 'single texts'}: {_about(part)}{weight}"


def _about(task: Task) -> str:
    return f"{_rows(task)}; {_labels(task)}; metric {task.metric_text}"


def _labels(task: Task) -> str:
    if task.labels_are == "score":
        return f"a number a row, from {task.codes.scores[0]:g} to {task.codes.scores[-1]:g}"
    labels = f"{len(task.label_names)} labels (in this order: {', '.join(task.label_names)})"
    if task.labels_are == "class":
        return labels
    n_labels = sum(len(task.codes.combinations[code]) for code in task.train.labels or ())
    return f"{labels}, any of them in a row, {n_labels / len(task.train):.2f} on average in train"


def _target(target: Target) -> str:
    return f"{target.name} of {', '.join(part for part, _ in target.metrics)}"


def _rows(task: Task) -> str:
    rows = [f"{len(task.train)} train", f"{len(task.dev)} dev"]
    if task.folds is not None:
        rows = [f"{len(task.train)} (in {task.folds.division.n_folds} folds)"]
    if task.test is not None:
        rows.append(f"{len(task.test)} test" + ("" if task.test.labels is not None else " (unlabelled)"))
    return ", ".join(rows) + " rows"
