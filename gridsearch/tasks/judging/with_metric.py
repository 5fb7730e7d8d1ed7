"""A task that is judged by a function of the user's own, tried before anything is run."""

from dataclasses import replace

from gridsearch.errors import MetricError, RequestError
from gridsearch.tasks.judging.judge import is_defined
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.task import Task


def with_metric(task: AnyTask, own: OwnMetric) -> Task:
    """Return the task with this metric in the place of its own.

    Raises:
        RequestError: the task has several parts, or its rows are divided into folds; the function cannot go to
            workers; or it already fails on random outputs for the rows of dev, or of test.
    """
    if isinstance(task, JointTask):
        raise RequestError(f"{task.name} has several parts, and the metric {own.name} judges a task of one")
    if task.folds is not None:
        rule = f"the metric {own.name} is a function of Python, which judges dev rows and no folds"
        raise RequestError(
            f"{rule}: a result over folds is of all rows together, which a page tells without the function; "
            "leave folds out, and give dev a file or a share under [files]"
        )
    own.travelling  # noqa: B018  # it raises where the function cannot go to workers
    judged = replace(task, metric=own.name, own_metric=own)
    for name, split in (("dev", task.dev), ("test", task.test)):
        truth = None if split is None else task.truth(split)
        if truth is not None and len(truth):
            try:
                is_defined(own.name, truth, judged.labelling)
            except MetricError as error:
                raise RequestError(f"{task.name}: {error}, tried on its {name} rows with random outputs") from error
    return judged
