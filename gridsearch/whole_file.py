"""Files that are there whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(place: Path) -> Iterator[Path]:
    """Yield a file beside, to be written, which then takes the place, whole or not at all: what fails leaves nothing.

    Its name is ``place.name``, the number of the process and ``.part``, so that two processes are not in each other's
    way, and what a killed one leaves can be found. An OSError of the draft, or of no file, tells of the place.
    """
    draft = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(place)
    except OSError as error:
        if error.filename in (None, str(draft), draft):
            error.filename, error.filename2 = str(place), None
        raise
    finally:
        draft.unlink(missing_ok=True)


def make_room(place: Path) -> None:
    """Remove what has a name that something else is to have: a file, a link, or a folder as far as that can be."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
