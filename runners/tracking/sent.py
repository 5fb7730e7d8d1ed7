"""What a tracker has been told of, kept beside the ledger: what a killed driver has sent is not sent again."""

import json
from pathlib import Path

from gridsearch.whole_file import whole_file


class Sent:
    """Which trials and cells a place has, in which state; a file of lines, of which the last one of each counts.

    A file that cannot be read, or is of another place, counts for nothing: everything is sent.
    """

    def __init__(self, path: Path, place: str) -> None:
        self._path = path
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        found = dict(filter(None, map(_entry, lines)))
        self._known = found if found.get("place") == place else {"place": place}
        with whole_file(path) as draft:  # without what stands in it twice, or was torn
            draft.write_text("".join(map(_line, self._known.items())), "utf-8")

    def has(self, what: str, state: str) -> bool:
        """Whether the tracker knows that it has come to this state."""
        return self._known.get(what) == state

    def note(self, what: str, state: str) -> None:
        """Write down that the tracker knows it."""
        self._known[what] = state
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line((what, state)))


def _line(entry: tuple[str, str]) -> str:
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _entry(line: str) -> tuple[str, str] | None:
    """Read a line; None is one that a killed process has torn."""
    try:
        what, state = json.loads(line)
    except (ValueError, TypeError):
        return None
    return (what, state) if isinstance(what, str) and isinstance(state, str) else None
