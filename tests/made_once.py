"""Folders that many tests read and none changes, made by the first worker that asks and read by all of a run."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder that all workers of this run share: each has its own below it."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(top: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of that name in ``top``; whoever asks first makes it, and the others wait for it.

    What a maker leaves that fails or is killed is thrown away, and the next one that asks makes the folder anew.
    """
    folder, draft = top / name, top / f"{name}.draft"
    with FileLock(top / f"{name}.lock"):
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            make(draft)
            draft.rename(folder)
    return folder
