"""Temporary folders of killed processes go, and those of living ones and of other machines stay."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gridsearch.scratch import scratch_folder
from gridsearch.this_process import is_dead, mark

KILLED = """
import os, signal
from gridsearch.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "file").write_text("half")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_what_a_killed_process_left_is_removed_by_the_next(temporary: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, check=False)
    left = Path(ended.stdout.strip())
    assert (left / "file").read_text() == "half"
    elsewhere = temporary / left.name.replace("scratch-", "scratch-0", 1)
    elsewhere.mkdir()
    with scratch_folder() as mine:
        assert not left.exists()
        assert elsewhere.exists()
        with scratch_folder() as other:
            assert mine.exists()
            assert other != mine
    assert list(temporary.iterdir()) == [elsewhere]


def test_who_is_dead() -> None:
    namespace = mark().rpartition("-")[0]
    assert mark() == f"{namespace}-{os.getpid()}"
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert is_dead(f"{namespace}-{child.pid}")
    assert not is_dead(mark())
    assert not is_dead(f"{namespace}-1")
    assert not is_dead(f"elsewhere-{child.pid}")
    for odd in ("", namespace, f"{namespace}-", f"{namespace}-x", f"{namespace}--1", "-", f"-{child.pid}"):
        assert not is_dead(odd)
