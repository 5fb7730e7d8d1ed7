"""Files that are there whole or not at all."""

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

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
