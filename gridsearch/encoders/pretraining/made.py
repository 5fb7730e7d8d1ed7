"""Encoders that a pretraining has made: folders of the machine's cache, named by what they are made from.

They are Hugging Face folders. Beside the model lies a record of the training, and the checksum by which a damaged one
shows.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridsearch.cache import cache_folder
from gridsearch.encoders.files import file_sha256
from gridsearch.errors import GridSearchError

MODEL, RECORD = "model.safetensors", "pretraining.json"
WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class MadeEncoder:
    """An encoder's folder, and what was recorded of its making."""

    folder: Path
    record: Mapping[str, Any]

    def files(self) -> dict[str, bytes]:
        """Read all of it."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}


def folder_of(identity: str) -> Path:
    """Return where an encoder of this identity lies, or would."""
    return cache_folder() / "encoders" / identity


def find(identity: str) -> MadeEncoder | None:
    """Return an encoder if it is there and whole: its weights are those that were written."""
    folder = folder_of(identity)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        is_whole = file_sha256(folder / MODEL) == record["checksum"]
    except (OSError, ValueError, KeyError, TypeError, GridSearchError):
        return None
    return MadeEncoder(folder, record) if is_whole else None


def put(identity: str, files: Mapping[str, bytes]) -> MadeEncoder:
    """Write an encoder's folder, whole or not at all; what lies there and is damaged makes room.

    Whoever writes holds the lock of :func:`alone`.
    """
    place = folder_of(identity)
    place.parent.mkdir(parents=True, exist_ok=True)
    for leftover in place.parent.glob(f"{identity}.draft-*"):  # of makers that were killed: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{identity}.draft-", ignore_cleanup_errors=True) as top:
        draft = Path(top, "encoder")
        draft.mkdir()
        for name, content in files.items():
            (draft / name).write_bytes(content)
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    found = find(identity)
    if found is None:
        raise GridSearchError(f"the encoder in {place} is not what was written there")
    return found


@contextlib.contextmanager
def alone(name: str, while_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock of this machine's cache; it falls with the process that holds it. ``while_waiting`` may raise."""
    from filelock import FileLock, Timeout

    place = cache_folder() / "encoders" / f"{name}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place)
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
