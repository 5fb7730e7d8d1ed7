"""Where things lie outside of a study: the cache for what is made once per machine."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from gridsearch.checksums import seal
from gridsearch.this_process import mark
from gridsearch.whole_file import make_room, whole_file

WAIT_SECONDS = 1.0
_KEPT = re.compile(rb'\{"sha256":"([0-9a-f]{64})","content":(.*)\}\n', re.DOTALL)


def cache_folder() -> Path:
    """Return ``$GRIDSEARCH_CACHE``, or ``gridsearch`` below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if chosen := os.environ.get("GRIDSEARCH_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gridsearch"


@contextlib.contextmanager
def locked(place: Path, while_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of a place in the cache; it falls with the process that holds it. ``while_waiting`` may raise."""
    from filelock import FileLock, Timeout

    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{place}.lock")
    while True:
        try:
            lock.acquire(timeout=WAIT_SECONDS)
            break
        except Timeout:
            while_waiting()
    try:
        yield
    finally:
        lock.release()


def write_kept(file: Path, content: object) -> None:
    """Write a file of the cache, as a whole or not at all: JSON, and the checksum by which a damaged one shows."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as draft:
        checksum = sha256(text.encode()).hexdigest()
        draft.write_text(f'{{"sha256":"{checksum}","content":{text}}}\n', encoding="utf-8", newline="")
        if file.is_dir():
            make_room(file)


def keep(file: Path, content: object) -> None:
    """Write a file of the cache if that can be: one that cannot be written is no reason to stop."""
    with contextlib.suppress(OSError):
        write_kept(file, content)


def kept(file: Path) -> Any:
    """Read what a file of the cache keeps; None where there is none, or not what was written."""
    try:
        found = _KEPT.fullmatch(file.read_bytes())
    except OSError:
        return None
    if found is None or sha256(found[2]).hexdigest().encode() != found[1]:
        return None
    return json.loads(found[2])


@contextlib.contextmanager
def whole_folder(place: Path, checksums: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Yield a folder to fill, which then takes a place in the cache, whole or not at all; what lies there makes room.

    It is filled beside and renamed, so that a killed maker leaves nothing that would be taken for the real one. Whoever
    fills it holds the lock of the place. The checksums of all files in it are written last (``checksums.py``): those of
    what was to be written, where they are given, else of what is there.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    for leftover in place.parent.glob(f"{place.name}.draft-*"):  # of makers that were killed: we hold the lock
        make_room(leftover)
    with tempfile.TemporaryDirectory(
        dir=place.parent, prefix=f"{place.name}.draft-{mark()}-", ignore_cleanup_errors=True
    ) as top:
        draft = Path(top, place.name)
        draft.mkdir()
        try:
            yield draft
            seal(draft, checksums)
        except OSError as error:
            error.filename = error.filename or str(place)  # a full disk is told without a name
            raise
        make_room(place)
        draft.rename(place)
