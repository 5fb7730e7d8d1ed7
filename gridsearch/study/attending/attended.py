"""What a ledger keeps of what was asked of its drivers. Written by the driver alone, as all of it."""

import json
import sqlite3
from collections.abc import Sequence

from gridsearch.canonical import canonical_json
from gridsearch.errors import RequestError
from gridsearch.study.attempts import Writing
from gridsearch.study.attending.skip_wish import SkipWish
from gridsearch.study.attending.skips import Skip, position_of, refuse_no_skip, skips_of
from gridsearch.study.attending.stop_wish import StopWish, read_stop

_STOPPED = "stopped"
"""The entry of the table `study` that says that its last driver ended because it was asked to."""


class Attended:
    """The part of a ledger that is about wishes; see schema.sql."""

    def __init__(self, connection: sqlite3.Connection, writing: Writing) -> None:
        self._connection, self._writing = connection, writing

    def stopped(self) -> StopWish | None:
        """Return the wish by which the last driver ended in order; None where it ended otherwise, or one drives now."""
        row = self._connection.execute("SELECT value FROM study WHERE key = ?", (_STOPPED,)).fetchone()
        return None if row is None else read_stop(json.loads(row[0]))

    def note_stop(self, wish: StopWish) -> None:
        """Note that the driver ends because it was asked to."""
        with self._writing() as write:
            write.execute("INSERT OR REPLACE INTO study VALUES (?, ?)", (_STOPPED, canonical_json(wish.to_json())))

    def forget_stop(self) -> None:
        """Note that a driver is at work again."""
        with self._writing() as write:
            write.execute("DELETE FROM study WHERE key = ?", (_STOPPED,))

    def skips(self) -> tuple[Skip, ...]:
        """Return the cells that are left out on purpose, in table order."""
        return skips_of(self._connection)

    def take(self, wish: SkipWish) -> None:
        """Leave cells out, or take them back in: all of it, or nothing. Raises RequestError where that is not possible.

        What has run, or runs, stays; so does what a cell needs that is not left out.
        """
        with self._writing() as write:
            positions = [position_of(write, frozenset(cell.trials), cell.levels) for cell in wish.cells]
            if wish.why is None:
                self._take_back(write, positions)
                return
            write.executemany(
                "INSERT OR REPLACE INTO skipped VALUES (?, ?)", [(position, wish.why) for position in positions]
            )
            refuse_no_skip(write, positions)

    def _take_back(self, write: sqlite3.Connection, positions: Sequence[int]) -> None:
        known = {skip.position for skip in skips_of(write)}
        for position in positions:
            if position not in known:
                raise RequestError(f"cell {position} is not left out: there is nothing to undo")
            write.execute("DELETE FROM skipped WHERE position = ?", (position,))
