"""A study as experiment trackers see one: groups of runs, each with a configuration, a history and a summary.

A cell is a group, and a trial that has ended is a run, known by the first digits of its id; while a study is tracked,
so is one that has not ended. Names of what is measured are those of the tables (reports/frames/trials.py); those of
the history begin with "epoch/": a name that stood in both would show the last epoch's number for the chosen one's.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gridsearch.study.ledger import Ledger
from reports.commands import short_id
from reports.frames.trials import CELL, cells_frame, epochs_frame, trials_frame
from reports.study.view import CellRow, StudyRows

Setting = str | int | float | bool

ENDED: Final = ("finished", "pruned", "failed")
RUNNING: Final = "running"
WORDS: Final = ("state", "not_learned")
"""Columns of the summary that are no numbers."""
_OF_THE_EPOCH: Final = (CELL, "trial", "seed", "fold", "epoch", "is_chosen")
_OF_THE_TRIAL: Final = (CELL, "trial", "seed", "fold", *WORDS)


@dataclass(frozen=True)
class Run:
    """A trial that runs or has ended; ``history`` has the numbers of each epoch, from 1, as far as they are finite.

    ``settings`` are its resolved knobs by name, the labels of its levels as "factor.NAME", seed, fold, and its cells;
    ``numbers`` and ``words`` are its summary, dev and test at the chosen epoch; ``chosen`` is that epoch, 0 where there
    is none. ``started`` and ``ended`` are Unix times in seconds; one that runs ends now.
    """

    trial: str
    name: str
    state: str
    settings: Mapping[str, Setting]
    history: Mapping[int, Mapping[str, float]]
    numbers: Mapping[str, float]
    words: Mapping[str, str]
    chosen: int
    started: float
    ended: float

    def time_of(self, epoch: int) -> float:
        """Return when an epoch ended, in Unix seconds, as if all had taken as long as the others."""
        return self.started + (self.ended - self.started) * epoch / max(self.history)


@dataclass(frozen=True)
class Group:
    """A cell with its runs. One that another cell has too is a run of the first of them alone."""

    index: int
    name: str
    settings: Mapping[str, Setting]
    numbers: Mapping[str, float]
    state: str
    runs: tuple[Run, ...] = field(default=())


def groups_of(study: StudyRows, ledger: Ledger) -> tuple[Group, ...]:
    """Return the cells in the order of the table, with the trials that have ended.

    Raises RequestError for an imported table.
    """
    return _groups(study, _runs(study, ledger, epochs_frame(ledger, study), lambda trial, state: state in ENDED))


def groups_with_news(
    study: StudyRows, ledger: Ledger, is_new: Callable[[str, str], bool], now: float
) -> tuple[Group, ...]:
    """Return the cells with those trials that run or have ended, and are new: ``is_new`` is told their id and state.

    ``now``, in Unix seconds, is before the study was read: no epoch seems to have ended after its trial.
    """

    def is_wanted(trial: str, state: str) -> bool:
        return state in (*ENDED, RUNNING) and is_new(trial, state)

    return _groups(study, _runs(study, ledger, epochs_frame(ledger, study, of_latest=True), is_wanted, now))


def _groups(study: StudyRows, found: Iterable[Run]) -> tuple[Group, ...]:
    runs = {run.trial: run for run in found}
    numbers = {row[CELL]: _numbers(study, row, (CELL, "state")) for row in _records(cells_frame(study))}
    groups, told = [], set[str]()
    for cell in study.cells:
        own = [trial for trial in dict.fromkeys(cell.trials) if trial in runs and trial not in told]
        told.update(own)
        name = f"cell {cell.index}" + (f" ({cell.row})" if cell.row else "")
        mine = tuple(runs[trial] for trial in own)
        groups.append(Group(cell.index, name, _levels(study, cell), numbers[cell.index], cell.state, mine))
    return tuple(groups)


def told_of(groups: Iterable[Group]) -> str:
    """Say how much there is."""
    groups = tuple(groups)
    return f"{sum(len(group.runs) for group in groups)} trials of {len(groups)} cells"


def _runs(
    study: StudyRows, ledger: Ledger, epochs: Any, is_wanted: Callable[[str, str], bool], now: float = 0.0
) -> Iterator[Run]:
    cells: dict[str, list[CellRow]] = {}
    for cell in study.cells:
        for trial in dict.fromkeys(cell.trials):
            cells.setdefault(trial, []).append(cell)
    names = _names(cells)
    times = {row["trial"]: (row["started"], row["ended"]) for row in ledger.connection.execute(_TIMES)}
    histories: dict[str, dict[int, dict[str, float]]] = {}
    for row in _records(epochs):
        found = _numbers(study, row, _OF_THE_EPOCH)
        histories.setdefault(row["trial"], {})[int(row["epoch"])] = {f"epoch/{k}": v for k, v in found.items()}
    for trial, row in {row["trial"]: row for row in _records(trials_frame(study))}.items():
        if trial not in times or not is_wanted(trial, row["state"]):
            continue
        numbers = _numbers(study, row, _OF_THE_TRIAL)
        started, ended = times[trial]
        yield Run(
            trial=trial,
            name=names[trial],
            state=row["state"],
            settings=_settings(study, ledger, trial, cells[trial]),
            history=histories.get(trial, {}),
            numbers=numbers,
            words={name: str(row[name]) for name in WORDS if row[name]},
            chosen=int(numbers.get("chosen_epoch", 0)),
            started=started,
            ended=now if ended is None else ended,
        )


_TIMES: Final = "SELECT trial, started, ended FROM attempts ORDER BY id"


def _names(trials: Iterable[str]) -> dict[str, str]:
    """Name each trial by the first digits of its id; by all of them where these are another's, too."""
    shared = Counter(map(short_id, trials))
    return {trial: short_id(trial) if shared[short_id(trial)] == 1 else trial for trial in trials}


def _settings(study: StudyRows, ledger: Ledger, trial: str, cells: list[CellRow]) -> dict[str, Setting]:
    asked = ledger.trial(trial)
    knobs = {name: _plain(value) for name, value in asked.recipe.model_dump().items()}
    which: dict[str, Setting] = {"cells": ", ".join(str(cell.index) for cell in cells)} if len(cells) > 1 else {}
    about: dict[str, Setting] = {"trial": trial, CELL: cells[0].index, **which, "seed": asked.seed, "fold": asked.fold}
    return {**about, **_levels(study, cells[0]), **knobs}


def _levels(study: StudyRows, cell: CellRow) -> dict[str, Setting]:
    return {
        f"factor.{factor.name}": label if factor.range is None else float(label)
        for factor in study.factors
        for label in [cell.levels[factor.name]]
    }


def _plain(value: object) -> Setting:
    return value if isinstance(value, str | int | float | bool) else str(value)


def _records(frame: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = frame.to_dict("records")
    return found


def _numbers(study: StudyRows, row: Mapping[str, Any], without: Iterable[str]) -> dict[str, float]:
    """Return the numbers of a row that are known and finite, but for what tells which row it is."""
    others = {*without, *(factor.column for factor in study.factors)}
    return {
        name: float(value)
        for name, value in row.items()
        if name not in others and isinstance(value, int | float) and math.isfinite(value)
    }
