"""Commands on mutated files and words: each ends with an exit code and one sentence, and leaves nothing half done.

A case is a number: the same number is the same case. ``FUZZ_CASES=17`` or ``FUZZ_CASES=0-99`` makes the quick test run
these instead of its own; ``FUZZ_KEEP=FOLDER`` keeps the files of those that fail.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.subjects import SUBJECTS
from tests.fuzz.watched import wrong_of

N_QUICK, N_SLOW, N_LONG = 24, 1000, 10_000
N_IN_A_BLOCK = 250


@pytest.mark.slow  # 4 s; what they once found is quick, in test_found.py
def test_a_few_cases(begun: Path, tmp_path: Path) -> None:
    asked = os.environ.get("FUZZ_CASES", f"0-{N_QUICK - 1}")
    first, _, last = asked.partition("-")
    _try(range(int(first), int(last or first) + 1), begun, tmp_path)


@pytest.mark.slow  # hundreds of commands
@pytest.mark.parametrize("first", range(0, N_SLOW, N_IN_A_BLOCK))
def test_a_thousand_cases(first: int, begun: Path, tmp_path: Path) -> None:
    _try(range(first, first + N_IN_A_BLOCK), begun, tmp_path)


@pytest.mark.long  # thousands of commands
@pytest.mark.parametrize("first", range(N_SLOW, N_SLOW + N_LONG, N_IN_A_BLOCK))
def test_ten_thousand_cases(first: int, begun: Path, tmp_path: Path) -> None:
    _try(range(first, first + N_IN_A_BLOCK), begun, tmp_path)


def _try(numbers: range, begun: Path, folder: Path) -> None:
    failed = [told for number in numbers if (told := _wrong(number, begun, folder))]
    if failed:
        pytest.fail(f"{len(failed)} of {len(numbers)} cases\n" + "\n".join(failed), pytrace=False)


def _wrong(number: int, begun: Path, top: Path) -> str:
    """Return what is wrong with a case, and how it is run again; empty where nothing is."""
    names = list(SUBJECTS)
    name, random = names[number % len(names)], Random(number)
    folder = top / str(number)
    folder.mkdir()
    began = time.monotonic()
    with contextlib.chdir(folder):
        words = SUBJECTS[name](random, begun)
        wrong = wrong_of(words)
    if wrong and (kept := os.environ.get("FUZZ_KEEP")):
        shutil.rmtree(Path(kept, str(number)), ignore_errors=True)
        shutil.copytree(folder, Path(kept, str(number)), symlinks=True)
    shutil.rmtree(folder)
    again = f"FUZZ_CASES={number} pytest {Path(__file__).relative_to(Path(__file__).parents[2])} -k few"
    return (
        f"case {number} ({name}, {time.monotonic() - began:.1f} s): {words}\n    {wrong}\n    {again}" if wrong else ""
    )
