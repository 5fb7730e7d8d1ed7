"""The world that cases begin with, made once for all workers."""

from functools import partial
from pathlib import Path

import pytest

from gridsearch.tasks.task import Task
from tests.fixtures_core import Once
from tests.fuzz import world


@pytest.fixture(scope="session")
def begun(once: Once, docstrings_task: Task) -> Path:
    """Return the folder with an encoder, tables and studies; nobody changes it."""
    return once("fuzz", partial(world.make, docstrings_task))
