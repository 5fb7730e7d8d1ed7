"""Where neither Ray nor Optuna is installed, a sweep runs in processes, and what needs them says so."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.runners.missing_packages import site_without

ROOT = Path(__file__).parents[2]
Gridsearch = Callable[..., list[tuple[int, str, str]]]


SEVERAL = """
import contextlib, io, json, sys
from runners.cli import main
for words in json.loads(sys.argv[1]):
    said, sorry = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(sorry):
        code = main(words)
    print(json.dumps([code, said.getvalue(), sorry.getvalue()]))
"""


@pytest.fixture(scope="module")
def gridsearch(tmp_path_factory: pytest.TempPathFactory) -> Gridsearch:
    """Return how to run commands in a Python where the two cannot be imported, and are not said to be installed.

    One process runs them all, one after the other; each gives its exit code and what it says and complains of.
    """
    site = site_without(("ray", "optuna"), tmp_path_factory.mktemp("bare") / "site")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}

    def run(*commands: Sequence[object]) -> list[tuple[int, str, str]]:
        asked = json.dumps([list(map(str, words)) for words in commands])
        command = [sys.executable, "-S", "-W", "error", "-c", SEVERAL, asked]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return [tuple(json.loads(line)) for line in done.stdout.splitlines()]

    return run


def question(encoder_folder: Path) -> list[object]:
    return ["question.toml", "--task", "task.toml", "--model", encoder_folder, "--study", "study"]


@pytest.mark.slow  # imports all anew, sweeps, and reads it by three commands
@pytest.mark.parametrize(
    ("options", "is_told"),
    [
        (["--runner", "processes"], False),
        ([], True),
        (["--halving", "3", "--set", "epochs=3"], True),
    ],
    ids=str,
)
def test_a_sweep_goes_all_the_way(
    options: list[str], is_told: bool, gridsearch: Gridsearch, project: Path, encoder_folder: Path
) -> None:
    sweep = ["sweep", *question(encoder_folder), *options, "--workers", "1"]
    swept, *others = gridsearch(sweep, *([command, "study"] for command in ("verify", "status", "report")))
    code, said, sorry = swept
    assert code == 0, sorry
    assert ("Ray is not installed: trials run in processes on this machine" in said) == is_told
    assert "complete: 8 planned, " in said.splitlines()[-1]
    for (code, said, sorry), expected in zip(
        others, ("complete: 8 planned, ", "complete: 8 planned, ", ""), strict=True
    ):
        assert code == 0, sorry
        assert expected in said
    page = Path("study", "page.md").read_text(encoding="utf-8")
    assert "torch" in page.partition("versions: ")[2]
    assert "ray" not in page.partition("versions: ")[2].partition("\n-")[0]


NEEDS_RAY = "this needs Ray, which is not installed: `pip install 'ray[tune]'`, or take --runner processes"
WITHOUT = {
    "sweep --runner ray": NEEDS_RAY,
    "sweep --address 10.0.0.1:6379": NEEDS_RAY,
    "optimize --trials 2": "this needs Optuna, which is not installed: `pip install optuna`",
}


def test_what_needs_them_says_so(gridsearch: Gridsearch, project: Path, encoder_folder: Path) -> None:
    asked = [words.split() for words in WITHOUT]
    told = gridsearch(*([command, *question(encoder_folder), *options] for command, *options in asked))
    assert told == [
        (2, "", f"gridsearch {command}: {sentence}\n")
        for (command, *_), sentence in zip(asked, WITHOUT.values(), strict=True)
    ]
    assert not Path("study").exists()


@pytest.mark.slow  # imports every module in a new process
def test_the_core_and_the_processes_import_neither() -> None:
    every_module = (
        "import pkgutil, importlib, gridsearch\n"
        "for one in pkgutil.walk_packages(gridsearch.__path__, 'gridsearch.'):\n"
        "    one.name.endswith('__main__') or importlib.import_module(one.name)\n"
        "import runners.backends.processes, runners.backends.serial, runners.driver, reports.page\n"
        "import sys; assert not {'ray', 'optuna'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", every_module], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
