"""Cells that are left out on purpose: as the ledger keeps them, and as they stay when a study grows.

A cell has no name that stays: its position and its levels change when the study grows. What it had planned stays, so a
cell that is left out is found again by its trials.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gridsearch.errors import RequestError


@dataclass(frozen=True)
class Skip:
    """A cell that is left out: its position in the table, why, its levels, and the ids of its trials."""

    position: int
    why: str
    levels: Mapping[str, str]
    trials: frozenset[str]


def skips_of(connection: sqlite3.Connection) -> tuple[Skip, ...]:
    """Return all cells that are left out, in table order."""
    rows = connection.execute("SELECT position, why, levels FROM skipped JOIN cells USING (position) ORDER BY position")
    return tuple(
        Skip(position, why, json.loads(levels), frozenset(trials_of(connection, position)))
        for position, why, levels in rows.fetchall()
    )


def trials_of(connection: sqlite3.Connection, position: int) -> list[str]:
    """Return the ids of a cell's trials."""
    query = "SELECT trial FROM cell_trials WHERE position = ? ORDER BY replicate"
    return [trial for (trial,) in map(tuple, connection.execute(query, (position,)))]


def insert_skips(write: sqlite3.Connection, skips: Iterable[Skip]) -> None:
    """Leave the same cells out of a table that was written anew: those that have their trials."""
    for skip in skips:
        position = position_of(write, skip.trials, skip.levels)
        write.execute("INSERT OR REPLACE INTO skipped VALUES (?, ?)", (position, skip.why))


def position_of(connection: sqlite3.Connection, trials: frozenset[str], levels: Mapping[str, str]) -> int:
    """Return where the cell stands that has these trials; of several, the one that has these levels, too.

    A study that grows keeps all trials, and gives a cell further seeds and further factors. Raises RequestError where
    no cell has them: the table has changed meanwhile.
    """
    rows = connection.execute(
        "SELECT DISTINCT position, levels FROM cell_trials JOIN cells USING (position) WHERE trial = ? "
        "ORDER BY position",
        (min(trials),),
    )
    found = [
        (position, json.loads(spelled))
        for position, spelled in map(tuple, rows.fetchall())
        if trials <= set(trials_of(connection, position))
    ]
    if not found:
        raise RequestError("the study has changed meanwhile: no cell of it has just these trials")
    alike = [position for position, others in found if levels.items() <= others.items()]
    return int((alike or [position for position, _ in found])[0])


def states_of(connection: sqlite3.Connection, position: int) -> dict[str, str]:
    """Return the states of a cell's trials."""
    query = "SELECT trial, state FROM cell_trials JOIN trial_states USING (trial) WHERE position = ?"
    return dict(map(tuple, connection.execute(query, (position,))))


def refuse_no_skip(connection: sqlite3.Connection, positions: Sequence[int]) -> None:
    """Raise RequestError unless each of these cells, which are written as left out, leaves out a trial at least.

    And unless anything is left of the study.
    """
    for position in positions:
        states = states_of(connection, position)
        if "skipped" in states.values():
            continue
        if "running" in states.values() and not set(states.values()) - {"running", "finished"}:
            raise RequestError(f"cell {position} runs now, and goes on to its end: nothing of it is left to leave out")
        if set(states.values()) == {"finished"}:
            raise RequestError(f"cell {position} has run already, and its result stays: nothing is left to leave out")
        others = _sharing(connection, position)
        raise RequestError(
            f"cell {position} shares what is left of it with cell {', '.join(map(str, others))}, which needs it: "
            "nothing would be left out unless that is skipped, too"
        )
    if connection.execute("SELECT 1 FROM trial_states WHERE state != 'skipped'").fetchone() is None:
        raise RequestError("nothing of the study would be left to run: keep one cell at least")


def _sharing(connection: sqlite3.Connection, position: int) -> list[int]:
    """Return the other cells that have an open trial of a cell, and are not left out."""
    query = (
        "SELECT DISTINCT other.position FROM cell_trials AS mine JOIN cell_trials AS other USING (trial) "
        "JOIN trial_states USING (trial) WHERE mine.position = ? AND other.position != mine.position "
        "AND state != 'finished' AND other.position NOT IN (SELECT position FROM skipped) ORDER BY other.position"
    )
    return [one for (one,) in map(tuple, connection.execute(query, (position,)))]
