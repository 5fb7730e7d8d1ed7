"""Where things lie outside of a study: the cache for what is made once per machine."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gridsearch.whole_file import whole_file

WAIT_SECONDS = 1.0


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


def keep(file: Path, text: str) -> None:
    """Write a file of the cache as a whole or not at all; a cache that cannot be written is no reason to stop."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as draft:
            draft.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """Yield a folder to fill, which then takes a place in the cache, whole or not at all; what lies there makes room.

    It is filled beside and renamed, so that a killed maker leaves nothing that would be taken for the real one. Whoever
    fills it holds the lock of the place.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    for leftover in place.parent.glob(f"{place.name}.draft-*"):  # of makers that were killed: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        dir=place.parent, prefix=f"{place.name}.draft-", ignore_cleanup_errors=True
    ) as top:
        draft = Path(top, place.name)
        draft.mkdir()
        try:
            yield draft
        except OSError as error:
            error.filename = error.filename or str(place)  # a full disk is told without a name
            raise
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
