"""Commands whose output is closed, full, read no more, or in an encoding that cannot spell it: in real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures_core import slow


def shell(script: str, *words: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a script of bash, with Python as $0, other words from $1 on, and the project on Python's path."""
    environment = {**os.environ, "GRIDSEARCH": f"{sys.executable} -m runners.cli", "PYTHONPATH": os.getcwd()}
    return subprocess.run(
        ["bash", "-c", script, sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.mark.parametrize(
    ("script", "code", "told"),
    [
        ("$GRIDSEARCH knobs | head -1 >/dev/null; exit ${PIPESTATUS[0]}", 0, ""),
        ("$GRIDSEARCH --help | true; exit ${PIPESTATUS[0]}", 0, ""),
        ("$GRIDSEARCH knobs >&-", 0, ""),
        slow("$GRIDSEARCH knobs <&- >&- 2>&-", 0, ""),
        ("$GRIDSEARCH knobs >/dev/full", 2, "gridsearch: what it prints cannot be written: No space left on device\n"),
        ("$GRIDSEARCH --help >/dev/full", 2, "gridsearch: what it prints cannot be written: No space left on device\n"),
        slow("$GRIDSEARCH knobs >/dev/full 2>/dev/full", 2, ""),
        slow("$GRIDSEARCH verify nowhere | true; exit ${PIPESTATUS[0]}", 2, "gridsearch verify: there is no study at "),
    ],
)
def test_output_that_goes_nowhere_changes_no_ending(script: str, code: int, told: str) -> None:
    done = shell(script)
    assert done.returncode == code, done.stderr
    assert done.stderr == told or (told and done.stderr.startswith(told) and len(done.stderr.splitlines()) == 1)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_any_terminal_is_told_what_its_encoding_can_spell(encoding: str, tmp_path: Path) -> None:
    code = (
        "import sys; from runners.endings.ending import ended_process\n"
        "def run():\n    print('中文 … Ü'); print('预热 …', file=sys.stderr); return 1\n"
        "sys.exit(ended_process(run))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.decode(encoding) == "中文 … Ü\n".encode(encoding, "backslashreplace").decode(encoding)
    assert done.stderr.decode(encoding) == "预热 …\n".encode(encoding, "backslashreplace").decode(encoding)


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """What a library prints would be written into it."""
    code = (
        "import os, sys; from runners.endings.ending import ended_process\n"
        "def run():\n    file = open('ledger', 'w'); os.write(1, b'printed'); os.write(2, b'printed'); "
        "file.write(str(file.fileno() > 2)); return 0\n"
        "sys.exit(ended_process(run))"
    )
    done = shell('"$0" -c "$1" <&- >&- 2>&-', code, folder=tmp_path)
    assert (done.returncode, (tmp_path / "ledger").read_text()) == (0, "True")


def test_a_reader_that_stops_does_not_stop_the_command(tmp_path: Path) -> None:
    code = (
        "import sys; from runners.endings.ending import ended_process\n"
        "def run():\n    for _ in range(20000): print('a line of some length')\n"
        "    open('end', 'w').close(); return 1\n"
        "sys.exit(ended_process(run))"
    )
    done = shell('"$0" -c "$1" | head -1; exit ${PIPESTATUS[0]}', code, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "a line of some length\n", "")
    assert (tmp_path / "end").exists()
