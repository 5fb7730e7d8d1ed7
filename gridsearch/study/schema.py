"""The tables of a ledger: made in a new file, and brought up to date in one of an older version."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

SCHEMA_VERSION = 7
_SCHEMA = Path(__file__).with_name("schema.sql")
_YOUNGER_THAN_THEIR_TABLES = (
    ("stages", "labels TEXT NOT NULL DEFAULT ''"),
    ("stage_attempts", "zero_shot TEXT"),
    ("stage_log", "hidden_share REAL"),
    ("outcomes", "train TEXT"),
    ("attempts", "seal TEXT"),
    ("stage_attempts", "seal TEXT"),
)
"""Columns that a ledger of an older schema may lack, though it has the table."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the schema of a ledger; 0 where no table has been made yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def make_up_to_date(connection: sqlite3.Connection) -> None:
    """Make what a ledger lacks: everything, or what has come since its version. All of it, or nothing."""
    with connection as write:
        write.execute("BEGIN IMMEDIATE")  # two that open a new file at once make its tables once
        version = version_of(write)
        for statement in _statements(_SCHEMA.read_text(encoding="utf-8")):
            if version == 0 or (version < SCHEMA_VERSION and _is_for_older(statement)):
                write.execute(statement)
        if 0 < version < 3:
            _chunk_logits(write)
            write.execute("ALTER TABLE attempts RENAME COLUMN collapsed TO not_learned")
        if 0 < version < SCHEMA_VERSION:
            _add_columns(write)
        if version < SCHEMA_VERSION:
            write.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def up_to_date_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Copy an older ledger to a private place on disk and upgrade that: whoever only reads changes no file."""
    copy = sqlite3.connect("", isolation_level="IMMEDIATE")
    connection.backup(copy)
    make_up_to_date(copy)
    copy.execute("PRAGMA query_only = ON")
    return copy


def tables_of_a_new_one() -> dict[str, list[str]]:
    """Return the columns of each table, and view, of a ledger that is up to date."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        make_up_to_date(connection)
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        ]
        return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}


def _add_columns(write: sqlite3.Connection) -> None:
    for table, column in _YOUNGER_THAN_THEIR_TABLES:
        if column.split()[0] not in {row[1] for row in write.execute(f"PRAGMA table_info({table})")}:
            write.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _chunk_logits(write: sqlite3.Connection) -> None:
    """Until schema 3 an outcome's logits were two of its columns; each is a matrix of one chunk now."""
    for split in ("dev", "test"):
        write.execute(
            f"INSERT INTO logits SELECT attempt, part, '{split}', 0, {split}_logits FROM outcomes "
            f"WHERE {split}_logits IS NOT NULL"
        )
        write.execute(f"ALTER TABLE outcomes DROP COLUMN {split}_logits")


def _is_for_older(statement: str) -> bool:
    """Whether a ledger of an older schema is given this, too: what it may lack, and all views."""
    return "IF NOT EXISTS" in statement or re.search(r"^(CREATE|DROP) VIEW ", statement, re.MULTILINE) is not None


def _statements(script: str) -> Iterator[str]:
    """Split a script at the semicolons that end a statement: executescript() would commit before it."""
    statement = ""
    for line in script.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
