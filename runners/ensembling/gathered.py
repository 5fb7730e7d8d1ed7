"""Members of several studies, and from files: gathered where they are about the same rows, divided alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.study.ledger import Ledger
from gridsearch.study.manifest import TrialsManifest
from gridsearch.study.study import Study
from reports.statistics.ensembles.results import JudgedRows, Member
from reports.study.members import Candidate, Members, read_members
from reports.study.named import cell_named
from reports.study.read import read_study
from reports.study.view import CellRow, StudyRows
from runners.ensembling.files import Wanted, read_added


@dataclass(frozen=True)
class Gathered:
    """Members, and what they are about. ``are_named``: nobody but those that were asked for are in.

    ``trials`` are those of each member by name, none of a file; ``remarks`` say who is not in, and why.
    """

    about: TrialsManifest
    rows: JudgedRows
    members: tuple[Member, ...]
    trials: dict[str, tuple[str, ...]]
    are_named: bool
    remarks: tuple[str, ...]
    test_labels: np.ndarray | None = None

    @property
    def wanted(self) -> Wanted:
        """What files are about."""
        task = self.about.task
        n_test = task.n_rows.get("test", 0)
        return Wanted(list(task.label_names), task.labelling, len(self.rows.labels), n_test)


def gather(folders: Sequence[str], cells: Sequence[str], added: Sequence[Sequence[str]]) -> Gathered:
    """Read them all. Raises RequestError for what cannot be averaged."""
    if cells and len(cells) != len(folders):
        raise RequestError(
            f"--cells is given once for each study, in their order, but there are {len(folders)} studies and "
            f"{len(cells)} --cells"
        )
    if len(folders) > len(ascii_uppercase):
        raise RequestError(f"at most {len(ascii_uppercase)} studies can be averaged, but there are {len(folders)}")
    found: Gathered | None = None
    for place, folder in enumerate(folders):
        letter = ascii_uppercase[place] if len(folders) > 1 else ""
        one = _of_study(Path(folder), cells[place] if cells else None, letter)
        found = one if found is None else _together(found, one, folders[0], folder)
    assert found is not None
    for files in added:
        found = _with(found, read_added(files, found.wanted))
    if not found.members:
        have = "have" if len(folders) > 1 else "has"
        why = f"{' and '.join(folders)} {have} no finished run that learned"
        raise RequestError(f"{why}, so there is nothing to average")
    return found


def _of_study(folder: Path, keys: str | None, letter: str) -> Gathered:
    with Study(folder).open() as ledger:
        about, study = ledger.trials_manifest(), read_study(ledger)
        if about.task.parts:
            command = f"gridsearch report {folder} --part {next(iter(about.task.parts))}"
            raise RequestError(f"{folder} has several parts: {command} tells what averages of its runs gain in one")
        if (own := about.task.own_metric) is not None:
            raise RequestError(f"{folder} cannot be averaged: {own.name} is a function of Python, which no study keeps")
        wanted = None if keys is None else [cell_named(study, key.strip()) for key in keys.split(",")]
        found = _read(ledger, study, wanted)
        labels = ledger.labels("test")
    names = {one.name: f"{letter}:{one.name}" if letter else one.name for one in found.candidates}
    members = tuple(replace(member, name=names[member.name]) for member in found.members)
    trials = {names[one.name]: one.trials for one in found.candidates}
    where = f"{letter}: {folder}" if letter else ""
    remarks = (*([where] if where else []), *_remarks(found, letter))
    return Gathered(about, found.rows, members, trials, wanted is not None, remarks, labels)


def _read(ledger: Ledger, study: StudyRows, wanted: Sequence[CellRow] | None) -> Members:
    found = read_members(ledger, study, wanted, most_values=None)
    if found is None:
        raise RequestError(f"{study.folder} has no members: its ledger does not keep the labels of one single task")
    for cell in wanted or ():
        missing = [one for one in (*found.unkept, *found.unfinished) if one.cell is cell]
        if not any(set(one.trials) <= set(cell.trials) for one in found.candidates) or missing:
            raise RequestError(f"row {cell.index} of {study.folder} cannot be a member: {_why(cell, missing, found)}")
    return found


def _why(cell: CellRow, missing: Sequence[Candidate], found: Members) -> str:
    if any(one in found.unkept for one in missing):
        return "its logits are not kept"
    return f"{len(cell.finished)} of its {len(cell.replicates)} trials are finished"


def _remarks(found: Members, letter: str) -> list[str]:
    """Say who is no member."""
    reasons = (
        ("did not learn", found.not_learned),
        ("lack some of their folds", found.unfinished),
        ("their logits are not kept", found.unkept),
    )
    before = f"{letter}:" if letter else ""
    return [f"left out ({why}): {', '.join(before + one.name for one in those)}" for why, those in reasons if those]


def _together(first: Gathered, second: Gathered, a: str, b: str) -> Gathered:
    """Put the members of two studies together; runs that both have are members once."""
    for what, same in (
        ("other rows", first.about.task.fingerprint == second.about.task.fingerprint),
        ("another metric", first.rows.metric == second.rows.metric),
        ("other labels", list(first.about.task.label_names) == list(second.about.task.label_names)),
        ("another positive label", first.rows.labelling == second.rows.labelling),
        ("rows that are divided into other folds", _same_folds(first, second)),
    ):
        if not same:
            raise RequestError(f"{a} and {b} cannot be averaged: the second study has {what}")
    known = set(first.trials.values())
    twice = [name for name, trials in second.trials.items() if trials in known]
    remarks = [f"{', '.join(twice)}: the same trials as in a study before, and members once"] if twice else []
    return replace(
        first,
        members=(*first.members, *(one for one in second.members if one.name not in twice)),
        trials=first.trials | {name: trials for name, trials in second.trials.items() if name not in twice},
        remarks=(*first.remarks, *second.remarks, *remarks),
    )


def _same_folds(first: Gathered, second: Gathered) -> bool:
    """Whether rows are divided alike, and in the same order."""
    if first.about.division != second.about.division or not np.array_equal(first.rows.labels, second.rows.labels):
        return False
    mine, other = first.rows.folds, second.rows.folds
    return (mine is None and other is None) or (mine is not None and other is not None and np.array_equal(mine, other))


def _with(found: Gathered, added: Member) -> Gathered:
    """Add a member from outside, under a name of its own."""
    name, taken = added.name, {member.name for member in found.members}
    number = 2
    while name in taken:
        name, number = f"{added.name} ({number})", number + 1
    return replace(found, members=(*found.members, replace(added, name=name)))
