"""Ray's folder: where it is, and a short way to it, because a socket's path may be short only."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gridsearch.this_process import is_dead, mark

SOCKET_BYTES: Final = 107
"""The longest path of a socket (unix(7)); Ray's are below its folder."""
_SHORT: Final = ("/tmp", "/dev/shm", "/var/tmp")
"""Folders in which a link may lead to one with a long path."""
_START: Final = "gridsearch-"


def ray_folder() -> Path:
    """Return the folder that Ray keeps its sessions in, by its own rule, where TMPDIR is there."""
    chosen, temporary = os.environ.get("RAY_TMPDIR"), os.environ.get("TMPDIR", "")
    return Path(chosen or (temporary if os.path.isdir(temporary) else "/tmp"), "ray").absolute()


def bytes_too_many(folder: Path) -> int:
    """Count by how many bytes the paths of Ray's sockets would be too long; 0 or less where they fit."""
    # Ray names a session by time and process.
    longest = folder / f"session_2026-01-01_00-00-00_000000_{os.getpid()}" / "sockets" / "plasma_store"
    return len(os.fsencode(longest)) - SOCKET_BYTES


def short_place() -> str:
    """Return a folder with a short path that can be written; empty where there is none."""
    return next((place for place in _SHORT if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK)), "")


@contextlib.contextmanager
def folder_for_sockets() -> Iterator[Path]:
    """Yield Ray's folder by a path that is short enough: where its own is too long, that of a link to it.

    A cluster's TMPDIR is often long, and on the disk that is meant to be used: what Ray writes goes there all the same.
    Links of drivers that were killed are removed.
    """
    _clear_leftovers()
    folder = ray_folder()
    place = short_place() if bytes_too_many(folder) > 0 else ""
    if not place:
        yield folder
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_START, dir=place, ignore_cleanup_errors=True) as short:
        Path(short, mark()).touch()  # in the folder's own name there is no room for it
        link = Path(short, "ray")
        link.symlink_to(folder)
        yield link


def _clear_leftovers() -> None:
    for place in _SHORT:
        for folder in Path(place).glob(f"{_START}*"):
            with contextlib.suppress(OSError):  # it is another user's, or goes at this moment
                if any(is_dead(file.name) for file in folder.iterdir()):
                    shutil.rmtree(folder)
