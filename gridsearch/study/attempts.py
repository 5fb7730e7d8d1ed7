"""Attempts: tries at trials, or at stages, as a ledger keeps them. One table each, of the same columns."""

import socket
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from gridsearch.canonical import canonical_json
from gridsearch.errors import GridSearchError
from gridsearch.trial import Failure, FailureKind

Writing = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Opens a transaction of the one who may write."""


@dataclass(frozen=True)
class Attempts:
    """The attempts in a ``table``, whose column ``of`` names what is tried; the view ``states`` says what came of it.

    The last three are names of schema.sql, and never a user's.
    """

    connection: sqlite3.Connection
    writing: Writing
    table: str
    of: str
    states: str

    def start(self, work: str, provenance: int, worker: str, resources: Mapping[str, object]) -> int:
        """Lease some work: open an attempt and return its number."""
        now = time.time()
        with self.writing() as write:
            cursor = write.execute(
                f"INSERT INTO {self.table} ({self.of}, state, provenance, driver, worker, resources, started, "
                "heartbeat) VALUES (?, 'running', ?, ?, ?, ?, ?, ?)",
                (work, provenance, socket.gethostname(), worker, canonical_json(resources), now, now),
            )
        return int(cursor.lastrowid or 0)

    def close(self, write: sqlite3.Connection, attempt: int, **values: object) -> None:
        """Close a running attempt, as a part of what is being written."""
        columns = ", ".join(f"{name} = ?" for name in values)
        # A clock that is set back meanwhile must not make an attempt end before it began.
        query = f"UPDATE {self.table} SET ended = max(?, started), {columns} WHERE id = ? AND state = 'running'"
        if write.execute(query, (time.time(), *values.values(), attempt)).rowcount != 1:
            raise GridSearchError(f"attempt {attempt} at a {self.of} is not running and cannot be closed")

    def fail(self, attempt: int, failure: Failure, *, final: bool) -> None:
        """Close an attempt with its failure; ``final`` when it is not to be tried again."""
        with self.writing() as write:
            self.close(
                write,
                attempt,
                state="failed",
                failure_kind=failure.kind,
                message=failure.message,
                traceback=failure.traceback,
                final=int(final),
            )

    def failures(self, work: str) -> list[FailureKind]:
        """Return the kinds of the failed attempts at some work since it was last reopened, oldest first."""
        query = (
            f"SELECT failure_kind FROM {self.table} WHERE {self.of} = ? AND state = 'failed' AND forgiven = 0 "
            "ORDER BY id"
        )
        return [row["failure_kind"] for row in self.connection.execute(query, (work,))]

    def final_failures(self) -> list[tuple[str, str, str]]:
        """Return (work, kind, message) of all that failed for good."""
        query = (
            f"SELECT {self.of}, failure_kind, message FROM {self.table} JOIN {self.states} USING ({self.of}) "
            f"WHERE final = 1 AND forgiven = 0 AND {self.states}.state = 'failed' ORDER BY {self.table}.id"
        )
        return [tuple(row) for row in self.connection.execute(query)]

    def release(self, message: str) -> int:
        """Close what a dead driver left running, to be tried again; return how many attempts that were."""
        rows = self.connection.execute(f"SELECT id FROM {self.table} WHERE state = 'running'").fetchall()
        for row in rows:
            self.fail(row["id"], Failure("lost_driver", message), final=False)
        return len(rows)

    def reopen_failed(self) -> int:
        """Forgive all failures of what failed for good, so that it starts anew; return how much that is."""
        failed = f"SELECT {self.of} FROM {self.states} WHERE state = 'failed'"
        n_failed = len(self.connection.execute(failed).fetchall())
        with self.writing() as write:
            write.execute(f"UPDATE {self.table} SET forgiven = 1 WHERE state = 'failed' AND {self.of} IN ({failed})")
        return n_failed

    def beat(self, write: sqlite3.Connection) -> None:
        """Renew the lease of every running attempt, as a part of what is being written."""
        query = f"UPDATE {self.table} SET heartbeat = max(?, heartbeat) WHERE state = 'running'"
        write.execute(query, (time.time(),))

    def n_repeated(self) -> int:
        """Count the work that finished more than once: an index forbids it, and the certificate looks anyway."""
        repeated = f"SELECT 1 FROM {self.table} WHERE state = 'finished' GROUP BY {self.of} HAVING count(*) > 1"
        return int(self.connection.execute(f"SELECT count(*) FROM ({repeated})").fetchone()[0])
