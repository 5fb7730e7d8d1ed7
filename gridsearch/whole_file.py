"""Files that are there whole or not at all."""

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

DEAD_SECONDS = 60.0


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


def clear_drafts(folder: Path) -> None:
    """Remove, here and below, drafts of :func:`whole_file` whose process is no more, as far as that can be.

    What was written within a minute stays: on a network disk it may be that of a process elsewhere.
    """
    for draft in folder.rglob("*.part"):
        found = re.search(r"\.(\d+)\.part$", draft.name)
        if found is None or Path("/proc", found.group(1)).exists():
            continue
        with contextlib.suppress(OSError):
            if time.time() - draft.stat().st_mtime > DEAD_SECONDS:
                draft.unlink()
