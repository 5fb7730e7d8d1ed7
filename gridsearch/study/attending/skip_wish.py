"""The wish that cells are left out, or taken back in: a file in the study's folder, addressed to the driver at work.

It is named as the wish to stop is (see stop_wish.py). The driver takes it with its next heartbeat, writes the ledger,
and removes the file: so whoever asked sees that it was taken. Where the driver refuses, it says why in a file beside.
"""

import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from gridsearch.study.attending.stop_wish import remove
from gridsearch.whole_file import whole_file

_PREFIX, _SUFFIX, _REFUSED = "skip-", ".json", ".refused"


@dataclass(frozen=True)
class NamedCell:
    """A cell as it is found again in a table that grows: the ids of its trials, and its levels."""

    trials: tuple[str, ...]
    levels: dict[str, str]


@dataclass(frozen=True)
class SkipWish:
    """Cells, and why they are to be left out; None takes them back in."""

    cells: tuple[NamedCell, ...]
    why: str | None


def ask_to_skip(folder: Path, token: str, wish: SkipWish) -> Path:
    """Write the wish to the driver of this token; return its file, which the driver removes when it has taken it."""
    file = folder / f"{_PREFIX}{token}-{uuid.uuid4().hex}{_SUFFIX}"
    with whole_file(file) as draft:
        draft.write_text(json.dumps(asdict(wish), ensure_ascii=False), encoding="utf-8")
    return file


def skip_wishes(folder: Path, token: str) -> Iterator[tuple[Path, SkipWish | None]]:
    """Yield the wishes to this driver with their files; None in place of one that cannot be read."""
    for file in sorted(folder.glob(f"{_PREFIX}{token}-*{_SUFFIX}")):
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            cells = tuple(NamedCell(tuple(cell["trials"]), dict(cell["levels"])) for cell in kept["cells"])
            yield file, SkipWish(cells, kept["why"])
        except FileNotFoundError:  # whoever asked has taken it back
            continue
        except (OSError, ValueError, KeyError, TypeError):
            yield file, None


def forget_wishes(folder: Path, token: str) -> None:
    """Remove the wishes to all other drivers: by the one that drives now, to which they mean nothing."""
    for file in folder.glob(f"{_PREFIX}*"):
        if not file.name.startswith(f"{_PREFIX}{token}-"):
            remove(file)


def refuse(file: Path, why: str) -> None:
    """Say why a wish is not taken, to whoever waits for its file to go."""
    with contextlib.suppress(OSError), whole_file(file.with_suffix(_REFUSED)) as draft:
        draft.write_text(why, encoding="utf-8")


def why_refused(file: Path) -> str:
    """Return why a wish was not taken, and remove the answer; empty where it was."""
    answer = file.with_suffix(_REFUSED)
    try:
        why = answer.read_text(encoding="utf-8")
    except OSError:
        return ""
    remove(answer)
    return why
