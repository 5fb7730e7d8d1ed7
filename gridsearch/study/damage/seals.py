"""Seals of a ledger: SQLite finds pages that are out of order, but has no checksum of what stands in them.

So what was asked has a seal, and what came of each attempt; every array has its own checksum (stored_logits.py).
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from gridsearch.canonical import canonical_json, fingerprint

_RESULTS: Final = {
    "attempts": (
        "SELECT trial, state, chosen_epoch, not_learned, driver, worker, resources FROM attempts WHERE id = ?",
        "SELECT content FROM provenance WHERE id = (SELECT provenance FROM attempts WHERE id = ?)",
        "SELECT number, train_loss, dev FROM epochs WHERE attempt = ? ORDER BY number",
        "SELECT part, dev, test, train FROM outcomes WHERE attempt = ? ORDER BY part",
    ),
    "stage_attempts": (
        "SELECT stage, found, zero_shot, driver, worker, resources FROM stage_attempts WHERE id = ?",
        "SELECT content FROM provenance WHERE id = (SELECT provenance FROM stage_attempts WHERE id = ?)",
        "SELECT step, epoch, loss, learning_rate, hidden_share FROM stage_log WHERE attempt = ? ORDER BY step",
    ),
}
"""What the seal of an attempt covers, by the table of the attempt: all that is not read from a clock or a meter."""
_TABLES: Final = (
    "trials",
    "stages",
    "cells",
    "cell_trials",
    "excluded",
    "skipped",
    "yardsticks",
    "scores",
    "observations",
)
_PLAN: Final = {
    "study": "SELECT * FROM study WHERE key != 'seal'",
    **{table: f"SELECT * FROM {table}" for table in _TABLES},
}
"""What the seal of a study covers, which is one of its entries: what was asked, and what it is held against.

It is the sum of its rows' SHA-256, so that rows can be added.
"""


def seal(write: sqlite3.Connection, table: str, attempt: int) -> None:
    """Write down the checksum of what came of an attempt, as the last part of what is being written."""
    write.execute(f"UPDATE {table} SET seal = ? WHERE id = ?", (_digest(write, table, attempt), attempt))


@contextlib.contextmanager
def sealing_plan(write: sqlite3.Connection, *, adds: bool) -> Iterator[None]:
    """Write down the checksum of what was asked, as the last part of what is being written.

    Nothing is written where nothing has been asked: a study begins with its first entry. ``adds``: meanwhile entries
    are set and rows are added, and no row is changed. Then what is there is not read again, as a search adds to it a
    thousand times.
    """
    known = _seal_of(write) if adds else None
    if known is None:
        yield
        if write.execute("SELECT 1 FROM study WHERE key != 'seal'").fetchone() is not None:
            _set_seal(write, _sum_of_plan(write))
        return
    total = int(known, 16) - _sum(write, "study", _PLAN["study"])
    lasts = {table: _last_row(write, table) for table in _TABLES}
    yield
    more = (_sum(write, table, f"{_PLAN[table]} WHERE rowid > ?", last) for table, last in lasts.items())
    _set_seal(write, total + _sum(write, "study", _PLAN["study"]) + sum(more))


def _set_seal(write: sqlite3.Connection, total: int) -> None:
    write.execute("INSERT OR REPLACE INTO study VALUES ('seal', ?)", (canonical_json(_spelled(total)),))


def _spelled(total: int) -> str:
    return f"{total % 2**256:064x}"


def _seal_of(connection: sqlite3.Connection) -> str | None:
    """Return the seal of a study as it was written; None where there is none."""
    row = connection.execute("SELECT value FROM study WHERE key = 'seal'").fetchone()
    return None if row is None else str(json.loads(row[0]))


def _last_row(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT coalesce(max(rowid), 0) FROM {table}").fetchone()[0])


def changed_seals(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what is no longer as it was sealed: what was asked, or what came of an attempt."""
    known_plan = _seal_of(connection)
    if known_plan is not None and known_plan != _spelled(_sum_of_plan(connection)):
        yield "what was asked has changed"
    for table in _RESULTS:
        for attempt, known in connection.execute(f"SELECT id, seal FROM {table} WHERE seal IS NOT NULL").fetchall():
            if _digest(connection, table, attempt) != known:
                (work, *_) = connection.execute(_RESULTS[table][0], (attempt,)).fetchone()
                yield f"the results of {'trial' if table == 'attempts' else 'pretraining'} {work[:8]} have changed"


def _sum_of_plan(connection: sqlite3.Connection) -> int:
    return sum(_sum(connection, table, query) for table, query in _PLAN.items())


def _sum(connection: sqlite3.Connection, table: str, query: str, *about: int) -> int:
    """Add up the SHA-256 of rows, each with the name of its table."""
    rows = (canonical_json([table, *row]).encode() for row in connection.execute(query, about))
    return sum(int.from_bytes(sha256(row).digest()) for row in rows)


def _digest(connection: sqlite3.Connection, table: str, attempt: int) -> str:
    found = [connection.execute(query, (attempt,)).fetchall() for query in _RESULTS[table]]
    return fingerprint([[tuple(row) for row in rows] for rows in found])
