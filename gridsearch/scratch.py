"""Temporary folders that are removed even if their process is killed: by the next one that makes such a folder."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gridsearch.this_process import is_dead, mark

_START: Final = "gridsearch-scratch-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder below the temporary folder of this machine, and remove it with all that is in it."""
    for leftover in Path(tempfile.gettempdir()).glob(f"{_START}*"):
        if is_dead(leftover.name.removeprefix(_START).rpartition("-")[0]):
            shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_START}{mark()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
