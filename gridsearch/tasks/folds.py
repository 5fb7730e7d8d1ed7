"""Folds: every row is judged once, by a run that trained on no text of its group.

Rows that have a text in common, directly or over others, are a group and stay together, so that no fold is judged on
what another run of it has read.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version

from gridsearch.cache import cache_folder, keep, kept
from gridsearch.canonical import fingerprint
from gridsearch.errors import RequestError, about
from gridsearch.repetition import Division
from gridsearch.tasks.judging.judge import is_defined
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.parts.notes import notes_by_part
from gridsearch.tasks.splits import connected_rows
from gridsearch.tasks.task import Folds, Split, Task


def with_folds(task: AnyTask, division: Division) -> AnyTask:
    """Return the task with the rows of train and dev together, divided into folds; they are in train, and none in dev.

    Of a joint task each part is divided by itself, and by the same division.

    Raises:
        RequestError: a label stands in fewer groups of rows than there are folds, or a fold comes out without it.
    """
    if isinstance(task, Task):
        return _divided_task(task, division, task.name)
    parts = {name: _divided_task(part, division, f"{task.name}, part {name}") for name, part in task.parts.items()}
    told = notes_by_part({name: part.notes[len(task.parts[name].notes) :] for name, part in parts.items()})
    return replace(task, parts=parts, notes=(*task.notes, *told))


def _divided_task(task: Task, division: Division, where: str) -> Task:
    rows = task.train.followed_by(task.dev)
    groups, labels = _numbered(connected_rows(rows), len(rows)), task.codes.strata(rows.labels or ())
    with about(where):
        if task.labels_are == "class":
            _refuse_rare_labels(task, division, groups, labels)
        elif max(groups) + 1 < division.n_folds:
            apart = f"there are {max(groups) + 1} groups of rows that have a text in common"
            raise RequestError(f"{apart}, and each of {division.n_folds} folds needs one; ask for fewer folds")
        folds = Folds(division, _known_or_divided(groups, labels, division))
        if task.labels_are == "class":
            _refuse_folds_without_a_label(task, folds, labels)
        else:
            _refuse_folds_that_cannot_judge(task, folds, rows)
    notes = (*task.notes, *_notes(folds, groups))
    return replace(task, train=rows, dev=rows.without_rows(), folds=folds, notes=notes)


def _numbered(groups: Sequence[Sequence[int]], n_rows: int) -> list[int]:
    """Return the number of each row's group."""
    found = [0] * n_rows
    for number, rows in enumerate(groups):
        for row in rows:
            found[row] = number
    return found


def _refuse_rare_labels(task: Task, division: Division, groups: Sequence[int], labels: Sequence[int]) -> None:
    held = Counter(label for label, _ in set(zip(labels, groups, strict=True)))
    for position, name in enumerate(task.label_names):
        if 0 < held[position] < division.n_folds:
            several = f"{held[position]} group{'s' * (held[position] > 1)} of rows that have a text in common"
            raise RequestError(
                f"the rows of label {name!r} are in {several}, and each of {division.n_folds} folds "
                "needs one; ask for fewer folds, or leave the label out (ignore under [labels])"
            )


def _refuse_folds_without_a_label(task: Task, folds: Folds, labels: Sequence[int]) -> None:
    there = set(zip(folds.of_rows, labels, strict=True))
    for fold in range(folds.division.n_folds):
        for label in sorted(set(labels)):
            if (fold, label) not in there:
                raise RequestError(
                    f"fold {fold} of {folds.division.n_folds} has no row of label "
                    f"{task.label_names[label]!r}, because many rows hang together by common texts; ask for fewer "
                    "folds, or try another fold_seed under [design]"
                )


def _refuse_folds_that_cannot_judge(task: Task, folds: Folds, rows: Split) -> None:
    for fold in range(folds.division.n_folds):
        truth = task.truth(rows.take(row for row, other in enumerate(folds.of_rows) if other == fold))
        if truth is None or not len(truth) or not is_defined(task.metric, truth, task.labelling):
            which = f"fold {fold} of {folds.division.n_folds}"
            raise RequestError(
                f"{task.metric} is undefined of the rows of {which}, which are too few or too much alike; "
                "ask for fewer folds, or try another fold_seed under [design]"
            )


def _known_or_divided(groups: Sequence[int], labels: Sequence[int], division: Division) -> tuple[int, ...]:
    """Divide, unless the cache has it: 34,000 pairs take five seconds.

    The file's name says all that the folds depend on, scikit-learn's version included; what is damaged is none.
    """
    about = [groups, labels, asdict(division), version("scikit-learn")]
    file = cache_folder() / "folds" / f"{fingerprint(about)}.json"
    if (known := kept(file)) is not None:
        return tuple(known)
    folds = _divided(groups, labels, division)
    keep(file, folds)
    return folds


def _divided(groups: Sequence[int], labels: Sequence[int], division: Division) -> tuple[int, ...]:
    """Return the fold of each row: each has about the same rows of each label, as far as groups allow."""
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    folds = np.zeros(len(groups), dtype=int)
    splitter = StratifiedGroupKFold(division.n_folds, shuffle=True, random_state=division.seed)
    with warnings.catch_warnings():
        # How many rows a label has says nothing here: its groups were counted.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for number, (_, judged) in enumerate(splitter.split(groups, labels, groups)):
            folds[judged] = number
    return tuple(folds.tolist())


def _notes(folds: Folds, groups: Sequence[int]) -> list[str]:
    fewest, most = min(folds.sizes), max(folds.sizes)
    rows = str(most) if fewest == most else f"{fewest}-{most}"
    notes = [
        f"all labelled rows are divided into {len(folds.sizes)} folds of {rows} rows (fold_seed {folds.division.seed})"
    ]
    largest = max(Counter(groups).values())
    return notes + ([f"rows with a text in common are in one fold: up to {largest} of them"] if largest > 1 else [])
