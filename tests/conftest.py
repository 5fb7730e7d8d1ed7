"""What several test modules need: the folder of real data files; and how tests share the machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from runners.machine import usable_cores
from tests.made_once import folder_of_the_run

pytest_plugins = ["tests.fixtures_core"]

# Tests run side by side, one on each core. Set before torch and numpy are loaded, and handed on to what tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")
# Threads that wait for others sleep: where two have one core, those that wait would keep the other from working.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# What tests write lies in memory where there is room: a ledger waits for the disk at every commit, and no test asks
# whether it outlives the machine.
IN_MEMORY, ROOM_FOR_A_RUN = Path("/dev/shm"), 4 * 2**30
if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM_FOR_A_RUN:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))

# A deadline for one example measures how busy the machine is: the first call of pandas takes longer than any other.
settings.register_profile("gridsearch", deadline=None)
settings.load_profile("gridsearch")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Published data sets, beside the project and not part of it: their licences differ."""


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is kept between commands out of the user's folder: nothing that lies there may decide a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDSEARCH_CACHE", str(folder_of_the_run(tmp_path_factory) / "cache"))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data; skip where there is none, but fail in CI: there, nothing is skipped silently."""
    if SHARED_DATA.is_dir():
        return SHARED_DATA
    reason = "the real data sets are not beside the project (../shared/data)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    return pytest.skip(reason)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Take a worker for every core that this process may use; by itself, pytest-xdist counts all of the machine's."""
    return None if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") else len(usable_cores())
