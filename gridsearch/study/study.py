"""A study's folder: every path in it, and the lock that keeps a second driver out."""

import contextlib
import fcntl
import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gridsearch.errors import NotBegunError, RequestError, StudyLockedError, safe_name
from gridsearch.study.attending.skip_wish import forget_wishes
from gridsearch.study.attending.stop_wish import (
    StopWish,
    forget_other_stops,
    forget_stop,
    stop_wish,
)
from gridsearch.study.damage.judge import refuse_damaged
from gridsearch.study.lease import WATCH_SECONDS, Trace, driver_elsewhere, is_alive, trace_of
from gridsearch.study.ledger import Ledger
from gridsearch.study.opening import one_moment, refuse_long_path
from gridsearch.this_process import this_process


@dataclass(frozen=True)
class Study:
    """The folder of a study. No other file builds a path in it."""

    folder: Path

    @property
    def name(self) -> str:
        """What other tools call the study: its folder's name."""
        return self.folder.resolve().name

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

    @property
    def given_folder(self) -> Path:
        """What was given in Python, a space or the tables of a task: files in a folder that is named by their hash."""
        return self.folder / "given"

    def tracked_path(self, tracker: str) -> Path:
        """What an experiment tracker has been told of: the runs that have ended."""
        return self.folder / f"tracked-{safe_name(tracker)}.jsonl"

    @property
    def events_folder(self) -> Path:
        """What TensorBoard reads while trials run."""
        return self.folder / "tensorboard"

    def weights_of(self, trial_id: str) -> Path:
        """The kept weights of one trial. Raises RequestError for an id that names another folder."""
        return self.weights_folder / safe_name(trial_id)

    def open(self) -> Ledger:
        """Open the ledger of a study that exists. Raises NotBegunError where a driver has come no further than that."""
        if self.lock_path.is_file() and not self.ledger_path.is_file():
            raise self._not_begun()
        try:
            return Ledger(self.ledger_path, must_exist=True)
        except NotBegunError:
            raise self._not_begun() from None

    def refuse_no_trials(self, ledger: Ledger) -> None:
        """Raise RequestError where no trial is planned in the study, whose ledger is open."""
        if ledger.trial_ids():
            return
        if ledger.is_begun:
            ledger.trials_manifest()  # refuses an imported table
        raise self._not_begun(driver_elsewhere(ledger.connection))

    def _not_begun(self, elsewhere: str = "") -> NotBegunError:
        """Return the error of a study without a plan; ``elsewhere``: whom its ledger names as its driver."""
        note = self.driver_note()
        if note is None and not elsewhere:
            told = "nothing is planned in it, and nobody on this machine is at work on it: give its command again"
        else:
            who = f"{elsewhere} prepares it, if that still lives" if note is None else f"{note.name} prepares it"
            doing = f" ({note.doing})" if note is not None and note.doing else ""
            told = f"{who}{doing}: ask again when gridsearch status counts its trials"
        return NotBegunError(f"the study {self.folder} has not begun: {told}")

    def driver(self) -> str:
        """Name the driver that is at work on this machine; empty when there is none."""
        note = self.driver_note()
        return "" if note is None else note.name

    def driver_note(self) -> "DriverNote | None":
        """Read what the driver that is at work on this machine says of itself; None when there is none."""
        if not self.lock_path.is_file():
            return None
        with self.lock_path.open(encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _note_in(lock)
            except OSError:
                return None  # a disk without locks: only the ledger tells
        return None

    @contextlib.contextmanager
    def driven(self, say: Callable[[str], None] = lambda sentence: None) -> Iterator[Ledger]:
        """Lock the folder for this driver, and open its ledger. ``say`` hears when that takes a while."""
        with self.held(say) as hold, hold.ledger() as ledger:
            yield ledger

    @contextlib.contextmanager
    def held(self, say: Callable[[str], None] = lambda sentence: None) -> Iterator["Hold"]:
        """Make the folder and lock it for this driver; without a ledger, what was made is taken away again.

        ``say`` hears when it takes a while. Raises StudyLockedError where another driver is at work.
        """
        refuse_long_path(self.ledger_path)
        made = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked() as (lock, holds):
            try:
                with Hold(self, lock, self._last_driver(say, lock_holds=holds)) as hold:
                    yield hold
            finally:
                if not self.ledger_path.is_file():
                    with contextlib.suppress(OSError):  # somebody else has put something there
                        self.lock_path.unlink()
                        for folder in made:
                            folder.rmdir()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[tuple[IO[str], bool]]:
        """Lock the file; the kernel lets go when the driver dies, however it dies. False where a disk has no locks."""
        for _ in range(10):
            with self.lock_path.open("a+", encoding="utf-8") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    name = _note_in(lock).name
                    time.sleep(0.1)  # somebody may only be asking who the driver is
                    continue
                except OSError:
                    yield lock, False
                    return
                if self._is_there(lock):
                    yield lock, True
                    return
        raise StudyLockedError(f"the study {self.folder} is being driven by {name}")

    def _is_there(self, lock: IO[str]) -> bool:
        """Whether the file that was locked is still the one in the folder: a driver that made nothing takes it away."""
        try:
            return os.path.samestat(os.fstat(lock.fileno()), self.lock_path.stat())
        except OSError:
            self.folder.mkdir(parents=True, exist_ok=True)
            return False

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
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            return None  # no ledger: opening it says so


@dataclass(frozen=True)
class DriverNote:
    """What a driver says of itself: its name, what it prepares (empty before and after), and since when (Unix time).

    ``token`` is that of its lease, by which it can be asked for something; empty where the driver does not tell it.
    """

    name: str
    doing: str = ""
    since: float = 0.0
    token: str = ""


@dataclass(frozen=True)
class Hold:
    """A study's folder in the hands of its one driver, before and while the ledger is open."""

    study: Study
    _lock: IO[str]
    _last: Trace | None
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __enter__(self) -> "Hold":
        self.tell("")
        return self

    def __exit__(self, *exception: object) -> None:
        forget_stop(self.study.folder, self.token)

    @property
    def name(self) -> str:
        """What the driver is called."""
        return this_process()

    def tell(self, doing: str) -> None:
        """Note what is being prepared, for whoever asks while nothing runs yet."""
        with contextlib.suppress(OSError):  # a full disk: what is missing is a remark
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.write(
                json.dumps(vars(DriverNote(self.name, doing, time.time(), self.token)), ensure_ascii=False)
            )
            self._lock.flush()

    def stop_wish(self) -> StopWish | None:
        """Return the wish that this driver may stop; None while nobody has asked."""
        return stop_wish(self.study.folder, self.token)

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger, and write as the one driver; what is damaged is refused before a byte of it is written."""
        with Ledger(self.study.ledger_path) as ledger:
            with one_moment(ledger.connection):
                refuse_damaged(ledger.connection, ledger.path, "a driver begins")
            with ledger.leased(self.name, self.token, self._last):
                forget_other_stops(self.study.folder, self.token)
                forget_wishes(self.study.folder, self.token)
                yield ledger


def _note_in(lock: IO[str]) -> DriverNote:
    """Read who wrote the lock file; an older version wrote its name alone."""
    lock.seek(0)
    text = lock.read().strip()
    try:
        return DriverNote(**json.loads(text))
    except (ValueError, TypeError):
        return DriverNote(text or "another process")
