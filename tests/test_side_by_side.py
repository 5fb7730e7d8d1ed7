"""How the tests share the machine: one thread each, and as many workers as there are cores to use."""

import os
import subprocess
import sys

import pytest
import torch

from tests.conftest import pytest_xdist_auto_num_workers


def test_a_test_computes_in_as_many_threads_as_it_was_given() -> None:
    """One, unless whoever starts the tests says otherwise."""
    assert torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"])


def test_what_a_test_starts_does_so_too() -> None:
    command = [sys.executable, "-c", "import torch; print(torch.get_num_threads())"]
    assert int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) == torch.get_num_threads()


def test_workers_are_as_many_as_the_cores_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {3, 4, 5})
    assert pytest_xdist_auto_num_workers() == 3


def test_another_number_of_workers_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "7")
    assert pytest_xdist_auto_num_workers() is None, "it is pytest-xdist's to read"
