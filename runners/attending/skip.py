"""``gridsearch skip``: leave cells out on purpose, or take them back in."""

import json
import shlex
import time
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.study.attending.skip_wish import NamedCell, SkipWish, ask_to_skip, why_refused
from gridsearch.study.attending.stop_wish import remove
from gridsearch.study.lease import HEARTBEAT_SECONDS
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from reports.formats.markdown import one_line
from reports.study.named import cell_named
from reports.study.read import read_study
from runners.attending.wishing import Driver, living_driver, still_drives
from runners.cli import Arguments
from runners.programs.answer import Answer, lines

PATIENCE_SECONDS = 6 * HEARTBEAT_SECONDS
"""A driver that lives takes a wish with its next heartbeat, unless its disk is in the way."""
PAUSE_SECONDS = 0.05


def run(arguments: Arguments) -> Answer:
    """Leave the cells out, all or none, or take them back in; by the driver, where one is at work."""
    study = Study(Path(arguments.study))
    why = _reason(arguments)
    with study.open() as ledger:
        study.refuse_no_trials(ledger)
        wish, indices = _read_wish(ledger, arguments.cell, why)
    while (driver := living_driver(study, print)) is not None:
        if _asked(study, driver, wish):
            break
    else:
        _write(study, wish)
    late = "the sweep that is at work may end without them, if they were left out when it began: run it again then"
    text = lines(
        _told(indices, why),
        late if why is None and driver is not None else "",
        f"gridsearch report {shlex.quote(str(study.folder))} writes the page anew",
    )
    facts = {"study": study.folder, "cells": indices, "left_out": why is not None, "why": why}
    return Answer({**facts, "driver": driver and driver.name}, text)


def _reason(arguments: Arguments) -> str | None:
    """Return why; None where what was left out is to be taken back in."""
    if arguments.undo:
        if arguments.why is not None:
            raise RequestError("--undo takes cells back in: it goes without --why")
        return None
    why = one_line(arguments.why or "").strip()
    if not why:
        raise RequestError("skip needs a reason, which the certificate and the page repeat: --why 'too slow to matter'")
    return why


def _read_wish(ledger: Ledger, keys: list[str], why: str | None) -> tuple[SkipWish, list[int]]:
    """Find the cells by their index or name. Raises RequestError where one is not there, or named twice."""
    rows = read_study(ledger)
    cells = [cell_named(rows, key) for key in keys]
    if len({cell.index for cell in cells}) < len(cells):
        raise RequestError("--cell names a cell twice")
    spelled = dict(ledger.connection.execute("SELECT position, levels FROM cells").fetchall())
    named = tuple(NamedCell(tuple(sorted(set(cell.trials))), json.loads(spelled[cell.index])) for cell in cells)
    return SkipWish(named, why), [cell.index for cell in cells]


def _write(study: Study, wish: SkipWish) -> None:
    """Write the ledger as its driver, where there is no other."""
    with study.driven(print) as ledger:
        ledger.attended.take(wish)


def _asked(study: Study, driver: Driver, wish: SkipWish) -> bool:
    """Ask the driver, and wait until it has written the ledger; False where it ended before.

    Raises RequestError where it refuses, and where it does not answer.
    """
    file = ask_to_skip(study.folder, driver.token, wish)
    end = time.monotonic() + PATIENCE_SECONDS
    while file.exists():
        if time.monotonic() > end:
            remove(file)
            raise RequestError(f"{driver.name} does not answer for {PATIENCE_SECONDS:.0f} s: ask again later")
        if not still_drives(study, driver):
            remove(file)
            return False
        time.sleep(PAUSE_SECONDS)
    if why := why_refused(file):
        raise RequestError(why)
    return True


def _told(indices: list[int], why: str | None) -> str:
    cells = f"cell{'s' * (len(indices) > 1)} {', '.join(map(str, indices))}"
    are = "is" if len(indices) == 1 else "are"
    return f"{cells} {are} {'taken back in' if why is None else f'left out on purpose: {why}'}"
