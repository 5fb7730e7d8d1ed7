"""Runs that others keep: Optuna's and MLflow's SQLite files, and the folders that transformers' Trainer writes.

Nothing is unpickled, and what is not read stays as it is: `training_args.bin`, where Trainer keeps its settings, is a
pickle, so a run's settings are what its folder is called (``lr=3e-5,wd=0.1``) or what a search of Trainer's wrote down.
"""

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from gridsearch.errors import RequestError, first_line, one_of
from gridsearch.scratch import scratch_folder
from reports.importing.imported import RESPONSE
from reports.importing.markdown_tables import Rows

_UNLIKE: Final = (sqlite3.Error, ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What a file raises whose tables are called as a tracker's, and hold something else."""
STATE: Final = "trainer_state.json"
_SETTING = re.compile(r"([^\s,/=]+)=([^,/=]*?)(?=,|/|$|_[A-Za-z_.]+=)")
OF_FACTORS: Final = "factor."
"""What our own exports put before the name of a factor: where there are such settings, the others follow from them."""
OF_A_TRIAL: Final = "trial"
"""A setting that they give to trials: what lacks it beside them is a cell, whose numbers are means over these."""
NOTHING: Final = "-"
"""The level of a run that lacks a setting which others have."""


@dataclass(frozen=True)
class TrackedRun:
    """A run by its name: what was set, and the numbers that came of it."""

    name: str
    settings: Mapping[str, str]
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Tracked:
    """Runs under a title; ``response`` is the number that they are judged by, empty where nothing tells."""

    title: str
    runs: Sequence[TrackedRun]
    response: str = ""


def tracked(path: Path, number: int | None) -> Tracked | None:
    """Read the runs in a file or folder; of several studies or experiments the ``number``-th. None where it is none.

    Raises RequestError where it holds several, and none is named; and for a ledger of ours, which is a study already.
    """
    if path.is_dir():
        states = sorted(path.rglob(STATE))
        return _of_trainer(path, states) if states else None
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(16) == b"SQLite format 3\0":
            return _of_sqlite(path, number)
    return None


def rows_of(found: Tracked, response: str | None, scores: Sequence[str], path: Path) -> Rows:
    """Return the runs as a table: their names, the settings in which they differ, the scores, the response.

    Raises RequestError where it is not clear which number is the response.
    """
    trials = [run for run in found.runs if OF_A_TRIAL in run.settings and any(map(_is_ours, run.settings))]
    found = replace(found, runs=trials or found.runs)
    numbers = list(dict.fromkeys(name for run in found.runs for name in run.numbers))
    response = response or found.response or (numbers[0] if len(numbers) == 1 else None)
    if response is None:
        wanted = next((name for name in (RESPONSE, "test", "dev") if name in numbers), None)
        if wanted is None:
            rule = f"{path} measures several things, and none is called {RESPONSE}"
            raise RequestError(f"{rule}: name one of {', '.join(numbers) or 'them'} as --response")
        response = wanted
    for name in (response, *scores):
        if name not in numbers:
            raise RequestError(f"{path}: {one_of('number', name, numbers)}")
    names = list(dict.fromkeys(name for run in found.runs for name in run.settings))
    ours = list(filter(_is_ours, names))
    chosen = [*ours, *(name for name in ("seed", "fold") if ours and name in names)] or names
    levels = {name: [run.settings.get(name, NOTHING) for run in found.runs] for name in chosen}
    varied = [name for name in chosen if len(set(levels[name])) > 1]
    if not varied:
        raise RequestError(f"{path}: its {len(found.runs)} runs differ in no setting that is written down")
    header = ["id", *(name.removeprefix(OF_FACTORS) for name in varied), *scores, response]
    rows = [
        [
            run.name,
            *(levels[name][place] for name in varied),
            *(_spelled(run.numbers.get(name)) for name in (*scores, response)),
        ]
        for place, run in enumerate(found.runs)
    ]
    return [header, *rows]


def _is_ours(setting: str) -> bool:
    return setting.startswith(OF_FACTORS)


def _spelled(value: float | None) -> str:
    return "" if value is None else repr(value)


def _of_sqlite(path: Path, number: int | None) -> Tracked:
    with scratch_folder() as folder:  # opening a file may write beside it
        copy = folder / "copy.sqlite"
        shutil.copyfile(path, copy)
        try:
            with contextlib.closing(sqlite3.connect(copy)) as connection:
                tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
                for known, read in _READERS.items():
                    if known <= tables:
                        return read(connection, path, number)
        except _UNLIKE as error:
            raise RequestError(f"{path} cannot be read as a tracker's SQLite file ({first_line(error)})") from None
    if {"trials", "attempts", "cells"} <= tables:
        raise RequestError(f"{path} is the ledger of a study: every command takes {path.parent} as it is")
    raise RequestError(f"{path} is an SQLite file, but neither Optuna's nor MLflow's")


def _one(names: Sequence[tuple[int, str]], what: str, path: Path, number: int | None) -> tuple[int, str]:
    """Choose among studies or experiments, by their place from 1."""
    if not names:
        raise RequestError(f"{path} holds no {what} with runs")
    if number is None and len(names) == 1:
        return names[0]
    if number is None or not 1 <= number <= len(names):
        told = ", ".join(f"{place} {name}" for place, (_, name) in enumerate(names, start=1))
        raise RequestError(f"{path} holds more than one {what}: choose one by --table N ({told})")
    return names[number - 1]


def _of_optuna(connection: sqlite3.Connection, path: Path, number: int | None) -> Tracked:
    query = "SELECT study_id, study_name FROM studies WHERE study_id IN (SELECT study_id FROM trials) ORDER BY study_id"
    study, name = _one(connection.execute(query).fetchall(), "study", path, number)
    query = "SELECT trial_id, number, state FROM trials WHERE study_id = ? ORDER BY number"
    runs = []
    for trial, place, state in connection.execute(query, (study,)).fetchall():
        settings = {
            key: _label_of(value, json.loads(kind))
            for key, value, kind in connection.execute(
                "SELECT param_name, param_value, distribution_json FROM trial_params WHERE trial_id = ? ORDER BY rowid",
                (trial,),
            )
        }
        values = connection.execute(
            "SELECT objective, value, value_type FROM trial_values WHERE trial_id = ? ORDER BY objective", (trial,)
        ).fetchall()
        told = {
            RESPONSE if objective == 0 else f"objective {objective}": float(value)
            for objective, value, kind in values
            if kind == "FINITE" and state == "COMPLETE"
        }
        runs.append(TrackedRun(str(place), settings, told))
    return Tracked(name, runs, RESPONSE)


def _label_of(value: float, distribution: Mapping[str, Any]) -> str:
    """Spell what Optuna keeps as a number: a choice by its place, a whole number, or a number."""
    about = distribution["attributes"]
    if distribution["name"] == "CategoricalDistribution":
        found = about["choices"][int(value)]
        return found if isinstance(found, str) else json.dumps(found)
    return str(int(value)) if distribution["name"].startswith("Int") else repr(value)


def _of_mlflow(connection: sqlite3.Connection, path: Path, number: int | None) -> Tracked:
    query = (
        "SELECT experiment_id, name FROM experiments WHERE experiment_id IN (SELECT experiment_id FROM runs) ORDER BY 1"
    )
    experiment, title = _one(connection.execute(query).fetchall(), "experiment", path, number)
    query = (
        # A run that others are nested in is no experiment: it holds them together.
        "SELECT run_uuid, name FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active' AND run_uuid NOT IN "
        "(SELECT value FROM tags WHERE key = 'mlflow.parentRunId') ORDER BY start_time, rowid"
    )
    runs = []
    for run, name in connection.execute(query, (experiment,)).fetchall():
        settings = dict(connection.execute("SELECT key, value FROM params WHERE run_uuid = ? ORDER BY rowid", (run,)))
        query = "SELECT key, value FROM latest_metrics WHERE run_uuid = ? AND NOT is_nan ORDER BY rowid"
        numbers = dict(connection.execute(query, (run,)))
        if settings or numbers:
            runs.append(TrackedRun(name or run, settings, numbers))
    return Tracked(title, runs)


_READERS: Final[Mapping[frozenset[str], Callable[[sqlite3.Connection, Path, int | None], Tracked]]] = {
    frozenset({"studies", "trials", "trial_params", "trial_values"}): _of_optuna,
    frozenset({"experiments", "runs", "params", "latest_metrics"}): _of_mlflow,
}
"""By the tables that tell whose file it is."""


def _of_trainer(path: Path, states: Sequence[Path]) -> Tracked:
    """Read the last state of each run: that of its folder, or of its checkpoint that has come furthest."""
    last: dict[Path, Mapping[str, Any]] = {}
    for file in states:
        state = _state(file)
        folder = file.parent.parent if re.fullmatch(r"checkpoint-\d+", file.parent.name) else file.parent
        if folder not in last or state.get("global_step", 0) >= last[folder].get("global_step", 0):
            last[folder] = state
    runs = [_trainer_run(folder, state, path) for folder, state in sorted(last.items())]
    if not any(run.settings for run in runs):
        runs = [TrackedRun(run.name, {"run": run.name}, run.numbers) for run in runs]
    return Tracked(path.resolve().name, runs)


def _state(file: Path) -> Mapping[str, Any]:
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(f"{file} cannot be read: {error}") from None
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        raise RequestError(f"{file} is not what transformers' Trainer writes: it has no log_history")
    return state


def _trainer_run(folder: Path, state: Mapping[str, Any], top: Path) -> TrackedRun:
    name = folder.relative_to(top).as_posix() if folder != top else folder.resolve().name
    params = state.get("trial_params")
    settings = {key: str(value) for key, value in params.items()} if isinstance(params, dict) else {}
    return TrackedRun(name, settings | dict(_SETTING.findall(name)), dict(_judged(state)))


def _judged(state: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the numbers of the evaluation that the best checkpoint was chosen by, or else of the last one."""
    history = [one for one in state["log_history"] if isinstance(one, dict)]
    evaluations = [one for one in history if any(str(name).startswith("eval_") for name in one)]
    best, step = state.get("best_metric"), state.get("best_global_step")
    chosen = [one for one in evaluations if step is not None and one.get("step") == step]
    chosen = chosen or [one for one in evaluations if best is not None and best in one.values()] or evaluations[-1:]
    for entry in (*chosen[:1], *[one for one in history if "train_loss" in one][-1:]):
        for name, value in entry.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("step", "epoch"):
                yield str(name), float(value)
