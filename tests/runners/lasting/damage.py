"""Ways in which a file is damaged between two commands."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def flip(file: Path, place: float = 0.5, bit: int = 0) -> None:
    """Turn one bit, in the middle or so far into the file."""
    content = bytearray(file.read_bytes())
    content[round(place * len(content))] ^= 1 << bit
    file.write_bytes(content)


def replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "a file").touch()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut in half": lambda file: os.truncate(file, file.stat().st_size // 2),
    "emptied": lambda file: os.truncate(file, 0),
    "one bit": flip,
    "random bytes": lambda file: file.write_bytes(os.urandom(file.stat().st_size)),
    "a folder": replace_by_folder,
}


def remove(place: Path) -> None:
    """Remove a file, or what has its name now."""
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
