"""Who drives a study: the lease in its ledger, and how a living driver is told from a dead one without a clock.

A lock of the kernel keeps a second driver out on one machine (study.py). Across machines, on a network disk, locks may
do nothing, and clocks differ: there, a driver is alive when its ledger changes while somebody watches.
"""

import socket
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gridsearch.this_process import this_machine

HEARTBEAT_SECONDS: Final = 5.0
"""A driver writes its ledger at least so often."""
WATCH_SECONDS: Final = 4 * HEARTBEAT_SECONDS
"""A ledger that does not change for so long has no living driver."""
PAUSE_SECONDS: Final = 0.25


@dataclass(frozen=True)
class Trace:
    """What the last driver left in the ledger: its name, its token, and how often it has written by then."""

    name: str
    machine: str
    token: str
    beats: int


def trace_of(connection: sqlite3.Connection) -> Trace | None:
    """Read who drives the study, or did until it died; None where the last driver ended in order."""
    if not _has_table(connection, "driver"):
        return None
    row = connection.execute("SELECT name, machine, token, beats FROM driver").fetchone()
    return None if row is None else Trace(*row)


def driver_elsewhere(connection: sqlite3.Connection, *, lock_holds: bool = True) -> str:
    """Name a driver that the lock of this machine may say nothing about; empty when there is no trace of one.

    ``lock_holds``: the lock keeps out whoever is on this machine.
    """
    trace, here = trace_of(connection), this_machine()
    if trace is not None and not (lock_holds and here and trace.machine == here):
        return trace.name
    if not _has_table(connection, "attempts"):
        return ""
    # An older version leaves no other trace than the attempts that it runs.
    query = "SELECT driver FROM attempts WHERE state = 'running' AND driver != ? ORDER BY heartbeat DESC"
    row = connection.execute(query, (socket.gethostname(),)).fetchone()
    return "" if row is None else f"a process on {row[0]}"


def is_alive(connection: sqlite3.Connection, say: Callable[[str], None], name: str) -> bool:
    """Watch a ledger for as long as a driver may take between two heartbeats: does anybody write it?"""
    say(f"{name} drove this study last; looking for {WATCH_SECONDS:.0f} s whether it still does")
    before, end = _version(connection), time.monotonic() + WATCH_SECONDS
    while time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
        if _version(connection) != before:
            return True
    return False


def _version(connection: sqlite3.Connection) -> int:
    """Return a number that changes whenever somebody else has written the file."""
    try:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.OperationalError:  # locked for longer than anyone waits: somebody writes very much
        return -1


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None
