"""When a worker is replaced between two jobs because of the memory that it holds: a leak ends with its process."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from runners.checkup.limits import memory_limit

SHARE: Final = 0.9
"""Of the machine's memory, all workers together may hold so much between two jobs."""
N_FIRST: Final = 3
"""What a worker holds is compared with the most that it held after so many first jobs."""
GROWTH_FACTOR, GROWTH_BYTES = 1.5, 2**30
"""It may be so much more: another recipe may need more, and what a trial gives back the process keeps for the next."""


def usable_memory() -> int:
    """Return the bytes of memory that all processes here may have: the machine's, or a container's limit."""
    machine, limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), memory_limit()
    return machine if limit is None else min(machine, limit[0])


def held_bytes(process: int) -> int:
    """Return the bytes of memory that are a process's own: shared materials are not. 0 where none can be read."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


@dataclass
class MemoryBudget:
    """What one worker may hold between two jobs: its share of the memory, and not much more than after its first jobs.

    >>> budget = MemoryBudget(10 * 2**30)
    >>> [budget.is_spent(n * 2**30) for n in (2, 1, 1, 3, 5)]
    [False, False, False, False, True]
    >>> budget.begin_anew()
    >>> budget.is_spent(5 * 2**30), budget.is_spent(11 * 2**30)
    (False, True)
    """

    share_bytes: float
    _first: list[int] = field(default_factory=list)

    def is_spent(self, n_bytes: int) -> bool:
        """Whether a worker that holds so much after a job is to be replaced."""
        if len(self._first) < N_FIRST:
            self._first.append(n_bytes)
        return n_bytes > min(self.share_bytes, GROWTH_FACTOR * max(self._first) + GROWTH_BYTES)

    def begin_anew(self) -> None:
        """Forget the worker that was there before."""
        self._first.clear()
