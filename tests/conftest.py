"""What several test modules need: the folder of real data files."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.fixtures_core"]

# A deadline for one example measures how busy the machine is: the first call of pandas takes longer than any other.
settings.register_profile("gridsearch", deadline=None)
settings.load_profile("gridsearch")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Published data sets, beside the project and not part of it: their licences differ."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data; skip where there is none, but fail in CI: there, nothing is skipped silently."""
    if SHARED_DATA.is_dir():
        return SHARED_DATA
    reason = "the real data sets are not beside the project (../shared/data)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    return pytest.skip(reason)
