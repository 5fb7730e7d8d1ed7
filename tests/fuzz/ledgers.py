"""Mutation of a study's ledger: values of its rows, whole rows and tables, and the bytes of the file."""

import contextlib
import json
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import odd, raw, trees


def mutate(random: Random, path: Path) -> None:
    """Change a ledger in place."""
    if random.random() < 0.2:
        path.write_bytes(raw.mutated(random, path.read_bytes(), 2))
        return
    with contextlib.closing(sqlite3.connect(path)) as connection, connection as write:
        for pragma in ("ignore_check_constraints = ON", "foreign_keys = OFF", "journal_mode = OFF"):
            write.execute(f"PRAGMA {pragma}")
        for _ in range(random.randint(1, 2)):
            with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeError):  # not even SQLite keeps that
                _change(random, write)


def _change(random: Random, write: sqlite3.Connection) -> None:
    tables = [name for (name,) in write.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    held = [name for name in tables if write.execute(f"SELECT 1 FROM {name}").fetchone()]
    # What a study is bound to stands in one table of many entries.
    table = random.choice([*held, *(["study"] * 5 if "study" in held else [])])
    match random.randrange(30):
        case 0:
            write.execute(f"DROP TABLE {table}")
        case 1:
            write.execute(f"PRAGMA user_version = {random.choice((0, 1, 2, 3, 4, 5, 7, -1, 2**31 - 1))}")
        case 2:
            write.execute(f"DELETE FROM {table}")
        case 3 | 4:
            write.execute(f"DELETE FROM {table} WHERE rowid = ?", (_row(random, write, table),))
        case _:
            _change_value(random, write, table)


def _row(random: Random, write: sqlite3.Connection, table: str) -> int:
    found: int = random.choice([number for (number,) in write.execute(f"SELECT rowid FROM {table}")])
    return found


def _change_value(random: Random, write: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in write.execute(f"PRAGMA table_info({table})") if (table, row[1]) != ("study", "key")]
    column, row = random.choice(columns), _row(random, write, table)
    (before,) = write.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (row,)).fetchone()
    write.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (_changed(random, before), row))


def _changed(random: Random, before: Any) -> Any:
    if isinstance(before, bytes):
        return raw.mutated(random, before, 2)
    if isinstance(before, str):
        with contextlib.suppress(ValueError):
            tree = json.loads(before)
            if isinstance(tree, dict | list) or random.random() < 0.5:
                return json.dumps(trees.mutated(random, tree, 1), default=str)
        return random.choice((before[:-1], "", *odd.TEXTS))
    return random.choice((None, 0, -1, 2**62, 0.5, float("inf"), "x", "1"))
