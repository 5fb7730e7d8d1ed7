"""Opening a ledger's file: what SQLite says of it in a sentence, and how long its path may be."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gridsearch.errors import DamagedError, RequestError, first_line
from gridsearch.study.damage.sentences import damaged_sentence

PATH_BYTES: Final = 504
"""SQLite takes paths of 512 bytes, "-journal" of its own behind a file's name included."""


def refuse_long_path(path: Path) -> None:
    """Raise RequestError for a path at which SQLite opens nothing, whatever the system does."""
    n_bytes = len(os.fsencode(path.absolute()))
    if n_bytes > PATH_BYTES:
        raise RequestError(
            f"the path of the study's {path.name} has {n_bytes} bytes, and SQLite takes {PATH_BYTES} at most: "
            "choose a shorter one with --study, or a folder further up to work in"
        )


@contextlib.contextmanager
def telling_of(path: Path) -> Iterator[None]:
    """Raise RequestError for a file that is no ledger, or cannot be one; a full disk is told as any other is."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname == "SQLITE_FULL":
            raise
        raise RequestError(f"{path} cannot be used as a ledger: {error}") from None
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname.startswith("SQLITE_CORRUPT"):
            raise DamagedError(damaged_sentence(path, error)) from None
        raise RequestError(f"{path} is not a ledger: {error}") from None
    except UnicodeDecodeError as error:  # the name of a table, or SQLite's own sentence about one
        raise DamagedError(damaged_sentence(path, first_line(error))) from None


@contextlib.contextmanager
def one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold a read transaction, so that nothing that is read contradicts another, whoever writes meanwhile."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        connection.rollback()
