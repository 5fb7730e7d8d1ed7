"""The checksums of a folder's files, by which a damaged one shows: weights with a wrong bit are read like any other."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from gridsearch.canonical import canonical_json

CHECKSUMS = "checksums.json"
"""The file of a folder that has the SHA-256 of each of the others, by its path in the folder."""


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path, checksums: Mapping[str, str] | None = None) -> None:
    """Write down the checksums of all files in a folder, and in the folders in it; as given, where they are known."""
    if checksums is None:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / CHECKSUMS)
        checksums = {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}
    (folder / CHECKSUMS).write_text(canonical_json(checksums) + "\n", encoding="utf-8")


def is_sealed(folder: Path) -> bool:
    """Tell whether the checksums of a folder were written down; folders of older versions have none."""
    return (folder / CHECKSUMS).exists()


def checksums_of(folder: Path) -> dict[str, str]:
    """Read the checksums of a sealed folder. Raises OSError or ValueError where they cannot be read."""
    found = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("the checksums of a folder are a mapping")
    return {name: str(checksum) for name, checksum in found.items()}


def damaged_file(folder: Path) -> Path | None:
    """Return a file of a sealed folder that is not what was written, or is gone; None where all are whole."""
    try:
        known = {folder / name: checksum for name, checksum in checksums_of(folder).items()}
    except (OSError, ValueError):
        return folder / CHECKSUMS
    return next((path for path, checksum in known.items() if not _is_whole(path, checksum)), None)


def _is_whole(path: Path, checksum: str) -> bool:
    try:
        return file_sha256(path) == checksum
    except OSError:
        return False
