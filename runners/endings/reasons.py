"""From an exception to the sentence that a user reads: what is in the way, and what to do about it."""

import errno
import os
import re
import sqlite3
import tempfile
from pathlib import Path
from typing import Final

from gridsearch.cache import cache_folder
from gridsearch.errors import GridSearchError, first_line
from gridsearch.installed import NOT_NEEDED
from gridsearch.study.damage.sentences import damaged_sentence
from gridsearch.study.study import Study

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
NOT_WRITABLE: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT)
OWN: Final = ("gridsearch", "runners", "reports", "search_spaces")
LITTLE_BYTES: Final = 2**20
"""A disk with less room than this is taken for the one that was full."""
NO_NAME: Final = "a path that a file or the study names holds the character NUL, which no file can be called by"
NO_MEMORY: Final = "this machine's memory does not suffice: free some, or take fewer --workers"


def sentence_about(error: BaseException, study: Path | None) -> str | None:
    """Say what is in the way of a command, in one sentence; None where it is an error of gridsearch's own.

    ``study`` is the folder of the study that the command is about, as far as it is known.
    """
    match error:
        case GridSearchError():
            return str(error)
        case ImportError():
            return _missing(error)
        case MemoryError():
            return NO_MEMORY
        case ValueError() if "embedded null" in str(error):
            return NO_NAME
        case OSError():
            return _of_the_system(error.errno, error.strerror or first_line(error), error.filename, study)
        case sqlite3.Error():
            return _of_a_ledger(error, study)
        case RuntimeError() if "can't start new thread" in str(error):
            return "this machine lets no more threads start: raise its limit (ulimit -u), or take fewer --workers"
        case RuntimeError() if "can't allocate memory" in str(error):
            return NO_MEMORY
        # Libraries that are written in Rust (safetensors, tokenizers) name the system's error in their words.
        case Exception() if found := re.search(r"\(os error (\d+)\)", str(error)):
            number = int(found.group(1))
            return _of_the_system(number, os.strerror(number), None, study)
    return None


def _missing(error: ImportError) -> str | None:
    """Tell of a package that is not there, or that the system cannot load; an import of our own is our own error."""
    if (error.name or "").partition(".")[0] in OWN:
        return None
    if isinstance(error, ModuleNotFoundError) and error.name in NOT_NEEDED:
        otherwise = ", or take --runner processes" if error.name == "ray" else ""
        remedy = f"`pip install {NOT_NEEDED[error.name]}`"
        return f"this needs {error.name.capitalize()}, which is not installed: {remedy}{otherwise}"
    return f"a package cannot be loaded ({first_line(error)}): `gridsearch doctor` tells which ones are needed"


def _of_the_system(number: int | None, words: str, filename: object, study: Path | None) -> str:
    """Say it in the system's own words, of the file or of the disk that is full, with what to do."""
    if number is None and ".so" in words:  # torch loads its libraries so
        return f"a library cannot be loaded ({words}): install the build of its package that is made for this machine"
    if number == errno.ENOMEM:
        return NO_MEMORY
    place = os.fsdecode(filename) if isinstance(filename, str | bytes | os.PathLike) else ""
    if number in (errno.EEXIST, errno.ENOTDIR):
        words = "a file is where a folder is to be"
    if number in FULL:
        ways_out = {place: _way_out(place, study)} if place else _full_places(study)
        full = " and ".join(ways_out) or "the disk that is written to"
        elsewhere = "".join(f", or {way_out}" for way_out in ways_out.values() if way_out)
        return f"{full}: {words}: make room{elsewhere}, and give the same command again"
    remedy = _way_out(place, study) if place and number in NOT_WRITABLE else ""
    if number == errno.ENAMETOOLONG:
        place = f"{place[:40]}...{place[-20:]}"
    return f"{place or 'input or output'}: {words}" + (f": {remedy}" if remedy else "")


def _of_a_ledger(error: sqlite3.Error, study: Path | None) -> str:
    """Say what SQLite met; what the ledger held before is whole."""
    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        return _of_the_system(errno.ENOSPC, os.strerror(errno.ENOSPC), study, study)
    if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT") and study is not None:
        return damaged_sentence(Study(study).ledger_path, first_line(error))
    return f"the ledger cannot be written or read: {first_line(error)}"


def _places(study: Path | None) -> dict[str, tuple[Path, str]]:
    """Map what each folder is called to where it is and how another one is named."""
    places: dict[str, tuple[Path, str]] = {}
    if study is not None:
        places["the study"] = study, "name another folder with --study"
    try:
        places["the cache"] = cache_folder(), "set GRIDSEARCH_CACHE to another folder"
        places["the temporary folder"] = Path(tempfile.gettempdir()), "set TMPDIR to another folder"
    except (GridSearchError, OSError):
        pass  # there is none
    return places


def _full_places(study: Path | None) -> dict[str, str]:
    """Name the folders whose disks have no room, each with what to do about it."""
    full = {name: place for name, place in _places(study).items() if _free_bytes(place[0]) < LITTLE_BYTES}
    return {f"{name} {folder}": way_out for name, (folder, way_out) in full.items()}


def _free_bytes(folder: Path) -> float:
    for place in (folder, *folder.absolute().parents):
        try:
            found = os.statvfs(place)
        except OSError:
            continue
        return found.f_bavail * found.f_frsize
    return float("inf")


def _way_out(place: str, study: Path | None) -> str:
    """Say how a folder is chosen that a file is in, or that is to be made in it; empty where a user names the file."""
    here = Path(place).absolute()
    for folder, way_out in _places(study).values():
        if here.is_relative_to(folder.absolute()) or folder.absolute().is_relative_to(here):
            return way_out
    return ""
