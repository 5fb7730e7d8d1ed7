"""The judge of a ledger: which checks are made at which moment, and the sentence for what they find first."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from gridsearch.errors import DamagedError, NotBegunError, RequestError, first_line
from gridsearch.study.damage.entries import damaged_arrays, wrong_entries
from gridsearch.study.damage.seals import changed_seals
from gridsearch.study.damage.sentences import damaged_sentence, telling_of_damage
from gridsearch.study.ledger import Ledger
from gridsearch.study.schema import tables_of_a_new_one

Moment = Literal["a page is made of it", "a driver begins", "it is verified", "a command has failed"]
"""When a ledger is judged: what takes long is looked at where somebody asks for just that."""
Check = Callable[[sqlite3.Connection], Iterator[str]]
"""Yields what is damaged, in words that stand in a sentence. It may rely on those before it, which found nothing."""


def damaged_pages(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what SQLite finds in pages, without what takes long: whether indexes have all rows."""
    yield from _found_by(connection, "quick_check")


def damaged_pages_or_indexes(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what SQLite finds, and rows that belong to none."""
    yield from _found_by(connection, "integrity_check")
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row[1]} of its table {row[0]} belongs to a row of {row[2]} that is not there"


def damaged_tables(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what tables and views lack: SQLite reads their columns from a text, which may be damaged as any other."""
    for table, columns in tables_of_a_new_one().items():
        lacking = set(columns) - {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if lacking:
            yield f"its table {table} lacks {', '.join(sorted(lacking))}"


CHECKS: Final[Mapping[Moment, tuple[Check, ...]]] = {
    "a page is made of it": (changed_seals,),
    "a driver begins": (damaged_pages, damaged_tables, changed_seals),
    "it is verified": (damaged_pages_or_indexes, damaged_tables, damaged_arrays, changed_seals),
    # A seal tells that something has changed, an entry what; and what was never sealed is told by its entries alone.
    "a command has failed": (damaged_pages_or_indexes, damaged_tables, damaged_arrays, wrong_entries, changed_seals),
}


def refuse_damaged(connection: sqlite3.Connection, path: Path, moment: Moment) -> None:
    """Raise DamagedError for the first thing that the checks of a moment find in the ledger at ``path``."""
    try:
        with telling_of_damage(path):
            damage = next((told for check in CHECKS[moment] for told in check(connection)), None)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY":  # somebody else writes: that is no damage
            raise
        raise DamagedError(damaged_sentence(path, first_line(error))) from None
    if damage is not None:
        raise DamagedError(damaged_sentence(path, damage))


def told_damage(path: Path) -> str:
    """Return the sentence for a ledger that some command could not read; empty where it is whole, or there is none."""
    if not path.is_file():
        return ""
    try:
        with Ledger(path, must_exist=True) as ledger:
            refuse_damaged(ledger.connection, path, "a command has failed")
    except NotBegunError:
        return ""
    except RequestError as error:
        return str(error)
    except sqlite3.Error:  # it cannot be asked now
        return ""
    return ""


def _found_by(connection: sqlite3.Connection, check: str) -> Iterator[str]:
    for row in connection.execute(f"PRAGMA {check}(1)"):
        if row[0] != "ok":
            yield str(row[0]).splitlines()[-1]
