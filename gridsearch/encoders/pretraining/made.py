"""Encoders that a pretraining has made: folders of the machine's cache, named by what they are made from.

They are Hugging Face folders. Beside the model lies a record of the training, and the checksums of all files, by which
a damaged one shows; and what was trained to tell labels, where anything was.
"""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gridsearch.cache import cache_folder, locked, whole_folder
from gridsearch.checksums import CHECKSUMS, checksums_of, damaged_file, is_sealed
from gridsearch.encoders.files import file_sha256
from gridsearch.errors import GridSearchError, safe_name

MODEL, LABEL_TOKENS, RECORD = "model.safetensors", "label_tokens.safetensors", "pretraining.json"


@dataclass(frozen=True)
class MadeEncoder:
    """An encoder's folder, what was recorded of its making, and the SHA-256 of its weights."""

    folder: Path
    record: Mapping[str, Any]
    checksum: str

    def files(self) -> dict[str, bytes]:
        """Read all of it, but the checksums, which are those of the folder as it lies in a cache."""
        found = (path for path in sorted(self.folder.iterdir()) if path.is_file() and path.name != CHECKSUMS)
        return {path.name: path.read_bytes() for path in found}


def folder_of(identity: str) -> Path:
    """Return where an encoder of this identity lies, or would."""
    return cache_folder() / "encoders" / safe_name(identity)


def find(identity: str) -> MadeEncoder | None:
    """Return an encoder if it is there and whole: its files are those that were written."""
    folder = folder_of(identity)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if is_sealed(folder):
            checksum, is_whole = checksums_of(folder)[MODEL], damaged_file(folder) is None
        else:
            checksum, is_whole = record["checksum"], _weights_are_whole(folder, record)
        return MadeEncoder(folder, record, checksum) if is_whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, GridSearchError):
        return None


def _weights_are_whole(folder: Path, record: Mapping[str, Any]) -> bool:
    """Look at the checksums in a record: all that an older version wrote."""
    checksums = {MODEL: record["checksum"], **record.get("further_checksums", {})}
    return all(file_sha256(folder / name) == checksum for name, checksum in checksums.items())


def put(identity: str, files: Mapping[str, bytes]) -> MadeEncoder:
    """Write an encoder's folder, whole or not at all; what lies there and is damaged makes room.

    Whoever writes holds the lock of :func:`alone`.
    """
    place = folder_of(identity)
    checksums = {name: sha256(content).hexdigest() for name, content in files.items()}
    with whole_folder(place, checksums) as draft:
        for name, content in files.items():
            (draft / name).write_bytes(content)
    found = find(identity)
    if found is None:
        raise GridSearchError(f"the encoder in {place} is not what was written there")
    return found


def alone(name: str, while_waiting: Callable[[], None] = lambda: None) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of an encoder, or of a run that makes several. ``while_waiting`` may raise."""
    return locked(folder_of(name), while_waiting)
