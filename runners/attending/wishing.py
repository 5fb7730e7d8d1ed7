"""Asking a driver for something: which driver that is, and whether it lives."""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from gridsearch.errors import RequestError
from gridsearch.study.attending.stop_wish import StopWish, stop_wish
from gridsearch.study.lease import WATCH_SECONDS, Trace, driver_elsewhere, is_alive, trace_of
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import DriverNote, Study
from reports.formats.markdown import seconds_text

_N_LOOKS, _PAUSE_SECONDS = 20, 0.05
"""A note is read again so often while its driver is writing it."""


@dataclass(frozen=True)
class Driver:
    """A driver that lives: its name, and the token by which it is asked for something."""

    name: str
    token: str


def living_driver(study: Study, say: Callable[[str], None]) -> Driver | None:
    """Return who drives a study; None where nobody does. ``say`` hears where it takes a while to find out.

    Raises RequestError for a folder without a study, and for a driver that cannot be asked.
    """
    name = ""
    for _ in range(_N_LOOKS):
        note = study.driver_note()
        if note is None:
            return _elsewhere(study, say)
        if note.token:
            return Driver(note.name, note.token)
        name = note.name
        time.sleep(_PAUSE_SECONDS)
    raise RequestError(f"{name} drives {study.folder}, and cannot be asked: it is of an older version")


def _elsewhere(study: Study, say: Callable[[str], None]) -> Driver | None:
    """Return a driver that this machine's locks say nothing about, if its ledger changes while somebody watches."""
    with study.open() as ledger:
        trace = _trace_elsewhere(ledger)
    if trace is None:
        return None
    # The file itself: an older ledger was opened as a copy, which nobody changes.
    with contextlib.closing(sqlite3.connect(study.ledger_path, timeout=WATCH_SECONDS)) as watched:
        return Driver(trace.name, trace.token) if is_alive(watched, say, trace.name) else None


def _trace_elsewhere(ledger: Ledger) -> Trace | None:
    return trace_of(ledger.connection) if driver_elsewhere(ledger.connection) else None


def still_drives(study: Study, driver: Driver) -> bool:
    """Whether nobody has found out that the driver has ended."""
    if (note := study.driver_note()) is not None:
        return note.token == driver.token
    with study.open() as ledger:
        trace = _trace_elsewhere(ledger)
    return trace is not None and trace.token == driver.token


def told_skips(ledger: Ledger) -> list[str]:
    """Say which cells are left out on purpose, and why."""
    return [f"cell {skip.position} is left out on purpose: {skip.why}" for skip in ledger.attended.skips()]


def asked_of(ledger: Ledger, note: DriverNote | None) -> StopWish | None:
    """Return the stop that the study's driver was asked for and has not come to; None where there is none."""
    if note is not None:
        return stop_wish(ledger.path.parent, note.token)
    trace = _trace_elsewhere(ledger)
    return None if trace is None else stop_wish(ledger.path.parent, trace.token)


def told_wish(wish: StopWish) -> str:
    """Say who has asked, and how long ago; the clock of another machine may be ahead."""
    return f"{wish.who} asked for a stop {seconds_text(max(0.0, time.time() - wish.asked))} ago"
