"""A study's folder: every path in it, and the lock that keeps a second driver out."""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gridsearch.errors import StudyLockedError
from gridsearch.ledger import Ledger

LEASE_SECONDS = 60.0
"""A running attempt whose heartbeat is older than this belongs to a dead driver."""


@dataclass(frozen=True)
class Study:
    """The folder of a study. No other file builds a path in it."""

    folder: Path

    @property
    def ledger_path(self) -> Path:
        """The SQLite file."""
        return self.folder / "ledger.sqlite"

    @property
    def lock_path(self) -> Path:
        """Held by the driver while it lives."""
        return self.folder / "driver.lock"

    @property
    def page_path(self) -> Path:
        """The markdown page."""
        return self.folder / "page.md"

    @property
    def weights_folder(self) -> Path:
        """Kept weights, one folder a trial."""
        return self.folder / "weights"

    def weights_of(self, trial_id: str) -> Path:
        """The kept weights of one trial."""
        return self.weights_folder / trial_id

    def open(self) -> Ledger:
        """Open the ledger of a study that exists."""
        return Ledger(self.ledger_path, must_exist=True)

    def driver(self) -> str:
        """Name the driver that is at work on this machine; empty when there is none."""
        if not self.lock_path.is_file():
            return ""
        with self.lock_path.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _holder(lock)
        return ""

    @contextlib.contextmanager
    def driven(self) -> Iterator[Ledger]:
        """Make the folder, lock it for this driver, and open its ledger."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock_path.open("a+") as lock:
            self._take(lock)
            lock.truncate(0)
            lock.write(f"process {os.getpid()} on {socket.gethostname()}")
            lock.flush()
            with Ledger(self.ledger_path) as ledger:
                self._refuse_other_machine(ledger)
                yield ledger

    def _take(self, lock: IO[str]) -> None:
        """Lock the file; the kernel lets go of it when the driver dies, however it dies."""
        for _ in range(10):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(0.1)  # somebody may only be asking who the driver is
        raise StudyLockedError(f"the study {self.folder} is being driven by {_holder(lock)}")

    def _refuse_other_machine(self, ledger: Ledger) -> None:
        """Locks may not cross machines on a network disk, so a fresh lease from another one counts as well."""
        query = "SELECT driver, max(heartbeat) AS heartbeat FROM attempts WHERE state = 'running' GROUP BY driver"
        for row in ledger.connection.execute(query):
            age = time.time() - row["heartbeat"]
            if row["driver"] != socket.gethostname() and age < LEASE_SECONDS:
                raise StudyLockedError(
                    f"the study {self.folder} is being driven from {row['driver']}, last heard {age:.0f} s ago"
                )


def _holder(lock: IO[str]) -> str:
    """Read who wrote the lock file."""
    lock.seek(0)
    return lock.read().strip() or "another process"
