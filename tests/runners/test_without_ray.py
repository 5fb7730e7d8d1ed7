"""Where neither Ray nor Optuna is installed, a sweep runs in processes, and what needs them says so."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runners.missing_packages import site_without

ROOT = Path(__file__).parents[2]
Gridsearch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def gridsearch(tmp_path_factory: pytest.TempPathFactory) -> Gridsearch:
    """Return how to run a command in a Python where the two cannot be imported, and are not said to be installed."""
    site = site_without(("ray", "optuna"), tmp_path_factory.mktemp("bare") / "site")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}

    def run(*words: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-S", "-W", "error", "-m", "runners.cli", *map(str, words)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def question(encoder_folder: Path) -> list[object]:
    return ["question.toml", "--task", "task.toml", "--model", encoder_folder, "--study", "study"]


@pytest.mark.parametrize(
    ("options", "is_told"),
    [
        pytest.param(["--runner", "processes"], False, marks=pytest.mark.slow),
        ([], True),
        pytest.param(["--halving", "3", "--set", "epochs=3"], True, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_sweep_goes_all_the_way(
    options: list[str], is_told: bool, gridsearch: Gridsearch, project: Path, encoder_folder: Path
) -> None:
    swept = gridsearch("sweep", *question(encoder_folder), *options, "--workers", "2")
    assert swept.returncode == 0, swept.stderr
    assert ("Ray is not installed: trials run in processes on this machine" in swept.stdout) == is_told
    assert "complete: 8 planned, " in swept.stdout.splitlines()[-1]
    for command, said in (("verify", "complete: 8 planned, "), ("status", "complete: 8 planned, "), ("report", "")):
        done = gridsearch(command, "study")
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    page = Path("study", "page.md").read_text(encoding="utf-8")
    assert "torch" in page.partition("versions: ")[2]
    assert "ray" not in page.partition("versions: ")[2].partition("\n-")[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["sweep", "--runner", "ray"],
            "this needs Ray, which is not installed: `pip install 'ray[tune]'`, or take --runner processes",
        ),
        (
            ["sweep", "--address", "10.0.0.1:6379"],
            "this needs Ray, which is not installed: `pip install 'ray[tune]'`, or take --runner processes",
        ),
        (["optimize", "--trials", "2"], "this needs Optuna, which is not installed: `pip install optuna`"),
    ],
    ids=str,
)
def test_what_needs_them_says_so(
    words: list[str], sentence: str, gridsearch: Gridsearch, project: Path, encoder_folder: Path
) -> None:
    command, *options = words
    done = gridsearch(command, *question(encoder_folder), *options)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"gridsearch {command}: {sentence}\n")
    assert not Path("study").exists()


def test_the_core_and_the_processes_import_neither() -> None:
    every_module = (
        "import pkgutil, importlib, gridsearch\n"
        "for one in pkgutil.walk_packages(gridsearch.__path__, 'gridsearch.'): importlib.import_module(one.name)\n"
        "import runners.backends.processes, runners.backends.serial, runners.driver, reports.page\n"
        "import sys; assert not {'ray', 'optuna'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", every_module], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
