"""Waiting for a moment in what another process does: as long as it takes on a machine that has much else to do."""

import contextlib
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

SECONDS = 600
"""After these a process is taken to hang."""


def wait_until(has_come: Callable[[], object], process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Return as soon as the moment has come; fail where the process ends before, or it never comes, and end it then."""
    try:
        for _ in range(50 * SECONDS):
            if has_come():
                return
            assert process.poll() is None, "it ended before the moment"
            time.sleep(0.02)
        raise AssertionError("the moment did not come")
    except BaseException:
        process.kill()
        process.wait()
        raise


def attempts_by_state(study: str = "study") -> Counter[str]:
    """Count the attempts of a study in each state: none while its ledger, or the tables in it, are not made yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{study}/ledger.sqlite?mode=ro", uri=True)) as connection:
            return Counter(state for (state,) in connection.execute("SELECT state FROM attempts"))
    except sqlite3.OperationalError:
        return Counter()


def state_of(process: int) -> str:
    """Read the state of a process as /proc spells it: Z of one that has ended, T of one that is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
