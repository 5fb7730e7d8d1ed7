"""Options of Python calls are those of the commands; the doors are light until they are opened."""

import subprocess
import sys
from pathlib import Path

import pytest

import gridsearch as gs
from runners.api.calls import OptimizeOptions, PlanOptions, SweepOptions, arguments_of
from runners.cli import parse

OF_THEIR_OWN = {"space", "task", "model", "command", "load", "words", "json"}


@pytest.mark.parametrize(
    ("command", "options"), [("plan", PlanOptions), ("sweep", SweepOptions), ("optimize", OptimizeOptions)]
)
def test_options_are_those_of_the_command(command: str, options: type) -> None:
    known = set(vars(parse([command, "finetune64"]))) - OF_THEIR_OWN
    assert known - {"study"} == set(options.__annotations__) - {"study"}


def test_a_call_is_the_command_with_these_words() -> None:
    given = {"seeds": (0, 1), "set": {"epochs": 2, "attack": "fgm"}, "halving": True, "time_limit": "30m", "lang": None}
    words = ["sweep", "pooling", "--seeds=0,1", "--set", "epochs=2", "--set", 'attack="fgm"', "--halving"]
    found = arguments_of("sweep", ["pooling"], given)
    assert found.words == [*words, "--time-limit=30m"]
    assert (found.seeds, found.halving, found.time_limit) == ([0, 1], 3, 1800)


def test_one_number_is_a_list_of_one() -> None:
    assert arguments_of("sweep", ["pooling"], {"seeds": 3, "only_folds": [0]}).seeds == [3]


def test_importing_it_loads_nothing_that_takes_time() -> None:
    heavy = {"torch", "transformers", "pandas", "numpy", "ray", "optuna", "pydantic", "runners", "reports"}
    code = f"import sys, gridsearch; dir(gridsearch); print(sorted({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_python_m_gridsearch_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "gridsearch", "knobs", "epochs"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "epochs" in done.stdout


def test_every_name_is_there_and_no_other() -> None:
    assert all(callable(getattr(gs, name)) for name in gs.__all__)
    with pytest.raises(AttributeError, match="no attribute 'swep'"):
        gs.swep  # noqa: B018


@pytest.mark.slow  # two processes import torch
def test_a_script_without_a_guard_runs_once(project: Path, encoder_folder: Path) -> None:
    Path("script.py").write_text(
        "import gridsearch as gs\n"
        "print('begun')\n"
        "space = {'recipe': {'epochs': 1, 'max_length': 16}, 'factors': {'bert_adam': [False, True]}}\n"
        f"study = gs.sweep(space, task='task.toml', model={str(encoder_folder)!r}, study='mine', runner='processes',\n"
        "                 workers=2)\n"
        "print(study.verify())\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("begun") == 1
    assert "complete: 2 planned, 2 finished" in done.stdout
