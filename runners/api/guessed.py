"""A task made of tables, as ``gridsearch init`` makes one of files: every guess is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.scratch import scratch_folder
from gridsearch.tasks.guess import guess_task
from gridsearch.tasks.roles import Wanted
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

    ``train`` may be a mapping of splits, such as a DatasetDict. Without ``dev``, a share of the training rows judges.
    ``text``, ``pair`` and ``label`` name columns (``label`` several of them, for several labels a row); ``kind`` is
    "class", "multilabel" or "score"; ``metric`` one of docs/labels.md. Print what is returned to see each guess.

    Raises RequestError, with one sentence, where no task can be read from them.
    """
    if (splits := splits_of(train)) is not None:
        if dev is not None or test is not None:
            raise RequestError("train is a mapping of splits already: leave dev and test out")
        train, dev, test = splits["train"], splits.get("dev"), splits.get("test")
    if dev is None and test is not None:
        raise RequestError("with a test table give dev, too: rows of test choose nothing")
    tables = {"train": train, **({} if dev is None else {"dev": dev}), **({} if test is None else {"test": test})}
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
    )
    with scratch_folder() as folder:
        files = [_written(table, folder / f"{role}.arrow", role) for role, table in tables.items()]
        found, sentences = guess_task(files, name, wanted)
    keys = found.model_dump(exclude_defaults=True)
    keys["files"] = {**keys["files"], **tables}
    return GivenTask(keys | ({} if metric is None else {"metric": metric}), sentences)


def _written(table: object, path: Path, role: str) -> Path:
    path.write_bytes(arrow_bytes(table, role))
    return path
