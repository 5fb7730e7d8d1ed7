"""How the tests share the machine: one thread each, a worker on each core, and what is slow to make made once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from gridsearch.cache import cache_folder
from tests.conftest import pytest_xdist_auto_num_workers
from tests.made_once import folder_of_the_run, made_once


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


def test_of_workers_that_ask_at_once_one_makes_the_folder(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("whole")

    with ThreadPoolExecutor(4) as threads:
        folders = {future.result() for future in [threads.submit(made_once, tmp_path, "it", make) for _ in range(4)]}
    assert len(made) == 1
    assert [(folder / "file").read_text() for folder in folders] == ["whole"]


def test_a_maker_that_fails_leaves_nothing_and_nobody_waits_for_it(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "file").write_text("half")
        raise OSError("the disk is full")

    for _ in range(2):
        with pytest.raises(OSError, match="the disk is full"):
            made_once(tmp_path, "it", fail)
    assert not (tmp_path / "it").exists()
    assert list(made_once(tmp_path, "it", lambda folder: None).iterdir()) == []


def test_what_commands_keep_is_not_kept_in_the_users_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert cache_folder().parent == folder_of_the_run(tmp_path_factory)
