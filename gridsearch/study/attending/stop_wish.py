"""The wish that a driver may stop: a file in the study's folder, written by anybody, addressed to that one driver.

Only the driver writes the ledger, so the wish cannot stand there. The file is named by the token of the driver's lease:
a driver heeds the file of its own token and no other, so a wish that its driver did not live to see means nothing to
the next one. The file appears whole, by a rename, which needs no lock and works on network disks as well.
"""

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gridsearch.this_process import this_process
from gridsearch.whole_file import whole_file

_PREFIX, _SUFFIX = "stop-", ".json"


@dataclass(frozen=True)
class StopWish:
    """Who asked (a process and its machine), and when (Unix time, by the clock of that machine)."""

    who: str
    asked: float

    def to_json(self) -> dict[str, Any]:
        """Return what the ledger keeps of it; :func:`read_stop` reads it again."""
        return asdict(self)


def read_stop(kept: Any) -> StopWish | None:
    """Read a wish from what a ledger, or the wish's own file, keeps; None where that is none."""
    try:
        return StopWish(str(kept["who"]), float(kept["asked"]))
    except (KeyError, TypeError, ValueError):
        return None


def stop_file(folder: Path, token: str) -> Path:
    """Return where the wish to the driver of this token lies."""
    return folder / f"{_PREFIX}{token}{_SUFFIX}"


def ask_to_stop(folder: Path, token: str) -> StopWish:
    """Ask the driver of this token to stop; a wish that is there already stays the first. Return what is there."""
    if (known := stop_wish(folder, token)) is not None:
        return known
    wish = StopWish(this_process(), time.time())
    with whole_file(stop_file(folder, token)) as draft:
        draft.write_text(json.dumps(wish.to_json()), encoding="utf-8")
    return wish


def stop_wish(folder: Path, token: str) -> StopWish | None:
    """Return the wish to the driver of this token; None while nobody has asked."""
    try:
        text = stop_file(folder, token).read_text(encoding="utf-8")
    except OSError:  # a disk that is gone for a moment brings the wish back with it
        return None
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    # The file's name is the wish: one that was made by hand counts as well.
    return read_stop(kept) or StopWish("somebody", time.time())


def forget_stop(folder: Path, token: str) -> None:
    """Remove the wish to one driver: by itself, when it ends."""
    remove(stop_file(folder, token))


def forget_other_stops(folder: Path, token: str) -> None:
    """Remove the wishes to all other drivers: by the one that drives now, to which they mean nothing."""
    own = stop_file(folder, token).name
    for file in folder.glob(f"{_PREFIX}*{_SUFFIX}*"):  # and what a writer that was killed left of one
        if not file.name.startswith(own):
            remove(file)


def remove(file: Path) -> None:
    """Remove a wish that was taken, is taken back, or means nothing any more."""
    with contextlib.suppress(OSError):
        file.unlink()
