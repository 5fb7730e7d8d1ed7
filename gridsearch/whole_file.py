"""Files and folders that are there whole or not at all."""

import contextlib
import glob
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gridsearch.errors import RequestError
from gridsearch.this_process import is_dead, mark

_DRAFT: Final = re.compile(r"\.(\w+-\d+)\.part$|\.draft-(\w+-\d+)-\w+$")


@contextlib.contextmanager
def whole_file(place: Path) -> Iterator[Path]:
    """Yield a file beside, to be written, which then takes the place, whole or not at all: what fails leaves nothing.

    Its name is ``place.name``, the mark of the process and ``.part``, so that two processes are not in each other's
    way, and what a killed one leaves can be found. An OSError of the draft, or of no file, tells of the place.
    """
    draft = place.with_name(f"{place.name}.{mark()}.part")
    try:
        yield draft
        draft.replace(place)
    except OSError as error:
        if error.filename in (None, str(draft), draft):
            error.filename, error.filename2 = str(place), None
        raise
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """Yield an empty folder beside, to be filled, which then takes the place; what lies there makes room then.

    Its name is a point, ``place.name``, the mark of the process and ``.part``. What fails leaves nothing.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    clear_drafts(place.parent.glob(f".{glob.escape(place.name)}.*.part"))
    draft = place.with_name(f".{place.name}.{mark()}.part")
    draft.mkdir()
    try:
        yield draft
        make_room(place)
        draft.rename(place)
    except OSError as error:
        error.filename = error.filename or str(place)  # a full disk is told without a name
        raise
    finally:
        make_room(draft)


def refuse_to_replace(place: Path, *, force: bool) -> None:
    """Raise RequestError where something is in the place of a folder, unless ``force`` says that it may go.

    A file, and the folder that one is in, never go.
    """
    if place.exists() and not place.is_dir():
        raise RequestError(f"-o must be a folder, but {place} is a file")
    if Path.cwd().is_relative_to(place.resolve()):
        raise RequestError(f"-o {place} would take the place of the folder that this is typed in: name one of its own")
    if place.is_dir() and any(place.iterdir()) and not force:
        raise RequestError(f"{place} is not empty; --force replaces it")


def make_room(place: Path) -> None:
    """Remove what has a name that something else is to have: a file, a link, or a folder as far as that can be."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def clear_drafts(paths: Iterable[Path]) -> None:
    """Remove those that are drafts of :func:`whole_file`, or of a folder, whose process is no more."""
    for draft in list(paths):  # all are found before any goes
        found = _DRAFT.search(draft.name)
        if found is not None and is_dead(found[1] or found[2]):
            with contextlib.suppress(OSError):
                make_room(draft)
