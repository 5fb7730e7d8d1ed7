"""A cluster of Ray on this machine."""

from collections.abc import Iterator
from typing import Any

import pytest

from runners.backends.ray_alone import _look_again
from tests.runners.conftest import tokens


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that runs nothing and asks for no token, to which nodes can be added."""
    from ray.cluster_utils import Cluster

    for name in tokens():
        monkeypatch.delenv(name)
    _look_again()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield cluster
    cluster.shutdown()
