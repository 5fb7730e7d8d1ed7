"""A study's folder: every path in it, and the lock that keeps a second driver out."""

import contextlib
import fcntl
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gridsearch.errors import RequestError, StudyLockedError
from gridsearch.study.lease import WATCH_SECONDS, Trace, driver_elsewhere, is_alive, trace_of
from gridsearch.study.ledger import Ledger


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
            except OSError:
                return ""  # a disk without locks: only the ledger tells
        return ""

    @contextlib.contextmanager
    def driven(self, say: Callable[[str], None] = lambda sentence: None) -> Iterator[Ledger]:
        """Make the folder, lock it for this driver, and open its ledger. ``say`` hears when that takes a while."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock_path.open("a+") as lock:
            last = self._last_driver(say, lock_holds=self._take(lock))
            name = f"process {os.getpid()} on {socket.gethostname()}"
            lock.truncate(0)
            lock.write(name)
            lock.flush()
            with Ledger(self.ledger_path) as ledger, ledger.leased(name, last):
                yield ledger

    def _take(self, lock: IO[str]) -> bool:
        """Lock the file; the kernel lets go when the driver dies, however it dies. False where a disk has no locks."""
        for _ in range(10):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                time.sleep(0.1)  # somebody may only be asking who the driver is
            except OSError:
                return False
        raise StudyLockedError(f"the study {self.folder} is being driven by {_holder(lock)}")

    def _last_driver(self, say: Callable[[str], None], *, lock_holds: bool) -> Trace | None:
        """Return what the last driver left, who is dead; StudyLockedError for one that the lock did not stop.

        Nothing is written: it may be of an older version, with a ledger of its own schema.
        """
        if not self.ledger_path.is_file():
            return None
        try:
            with contextlib.closing(sqlite3.connect(self.ledger_path, timeout=WATCH_SECONDS)) as connection:
                name = driver_elsewhere(connection, lock_holds=lock_holds)
                if name and is_alive(connection, say, name):
                    raise StudyLockedError(f"the study {self.folder} is being driven by {name}")
                return trace_of(connection)
        except sqlite3.OperationalError as error:
            raise RequestError(f"{self.ledger_path} cannot be used as a ledger: {error}") from None
        except sqlite3.DatabaseError:
            return None  # no ledger: opening it says so


def _holder(lock: IO[str]) -> str:
    """Read who wrote the lock file."""
    lock.seek(0)
    return lock.read().strip() or "another process"
