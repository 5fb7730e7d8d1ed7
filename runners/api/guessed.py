"""A task made of tables, as ``gridsearch init`` makes one of files: every guess is told."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from gridsearch.errors import RequestError, one_of
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.scratch import scratch_folder
from gridsearch.tasks.guess import DEV_SHARE, guess_task, toml_text
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.roles import Wanted
from gridsearch.tasks.taskfile import parse_task_file, read_task
from runners.api.calls import called
from runners.api.spelling import in_python
from runners.api.tables import arrow_bytes, splits_of


@dataclass(frozen=True)
class GivenTask:
    """A task that is given in Python: the keys of a task file, with tables where it names files; and what was guessed.

    Printed, it tells each guess.
    """

    keys: Mapping[str, Any]
    sentences: Sequence[str]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    __repr__ = __str__


def task(
    train: object,
    dev: object = None,
    test: object = None,
    *,
    text: str | int | None = None,
    pair: str | int | None = None,
    label: str | int | Sequence[str] | None = None,
    kind: LabelKind = "class",
    metric: str | None = None,
    separator: str | None = None,
    drop_unlabelled: bool = False,
    name: str = "task",
) -> GivenTask:
    """Return the task that tables make, guessed as ``gridsearch init`` guesses it; what is named is not guessed.

    ``train`` may be a mapping of splits, such as a DatasetDict. ``dev`` may be the share of the training rows that
    judges; without it a tenth does. ``text``, ``pair`` and ``label`` name columns (``label`` several of them, for
    several labels a row); ``kind`` is "class", "multilabel" or "score"; ``metric`` one of docs/labels.md. Print what is
    returned to see each guess.

    Raises RequestError, with one sentence, where no task can be read from them.
    """
    if (splits := splits_of(train)) is not None:
        if dev is not None or test is not None:
            raise RequestError("train is a mapping of splits already: leave dev and test out")
        train, dev, test = splits["train"], splits.get("dev"), splits.get("test")
    if isinstance(train, (str, Path)):
        made = "`gridsearch init` makes a task of files, and pandas reads one"
        raise RequestError(f"train must be a table, and not the path of one, which {train} may be: {made}")
    if isinstance(metric, OwnMetric):
        raise RequestError("a metric of your own is given to sweep, optimize or plan; a task names one of gridsearch's")
    if kind not in get_args(LabelKind):
        raise RequestError(one_of("kind", kind, get_args(LabelKind)))
    share = dev if isinstance(dev, float) else DEV_SHARE
    given = {"train": train, "dev": None if isinstance(dev, float) else dev, "test": test}
    tables = {role: table for role, table in given.items() if table is not None}
    labels = [label] if isinstance(label, (str, int)) else list(label or ())
    first, *further = map(str, labels) if labels else ("",)
    wanted = Wanted(
        None if text is None else str(text),
        None if pair is None else str(pair),
        first or None,
        kind,
        tuple(further),
        separator,
        header=None,
        drop_unlabelled=drop_unlabelled,
        metric=metric,
    )
    with called(), scratch_folder() as folder, _without_place(folder):
        files = {role: str(_written(table, folder / f"{role}.arrow", role)) for role, table in tables.items()}
        found, sentences = guess_task([Path(files["train"])], name, wanted)
        found = found.model_copy(update={"files": found.files.model_copy(update={"dev": share} | files)})
        read_task(parse_task_file(toml_text(found), "the task"), folder / "task.toml")  # its rows, too, are right
    keys = found.model_dump(exclude_defaults=True)
    keys["files"] = {**keys["files"], **tables}
    told = [] if "dev" in tables else [f"dev is a share of {share:g} of the rows, label by label"]
    return GivenTask(keys, [in_python(one) for one in (*sentences, *told)])


@contextlib.contextmanager
def _without_place(folder: Path) -> Iterator[None]:
    """Name tables without the folder in which they lie for a moment."""
    try:
        yield
    except RequestError as error:
        raise RequestError(str(error).replace(f"{folder}{os.sep}", "")) from None


def _written(table: object, path: Path, role: str) -> Path:
    path.write_bytes(arrow_bytes(table, role))
    return path
