"""Sentences that a call from Python raises name its arguments, and those of a disk are sentences there as well."""

import errno
import inspect
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import gridsearch as gs
from runners.api.calls import OptimizeOptions, PlanOptions, SweepOptions
from runners.api.loaded import LoadedStudy
from runners.api.spelling import FLAGS, NAMES, in_python
from tests.runners.api.test_given import SPACE, rows

POSITIONAL = {"self", "space", "train", "table", "trials", "split", "options"}


def test_every_argument_is_known() -> None:
    entries = [gs.plan, gs.sweep, gs.optimize, gs.task, LoadedStudy.predict, LoadedStudy.export]
    named = {name for entry in entries for name in inspect.signature(entry).parameters}
    options = {name for form in (PlanOptions, SweepOptions, OptimizeOptions) for name in form.__annotations__}
    assert (named - POSITIONAL) | options == NAMES
    flags = {
        name for form in (PlanOptions, SweepOptions) for name, kind in form.__annotations__.items() if kind is bool
    }
    assert flags <= FLAGS


@pytest.mark.parametrize(
    ("sentence", "spelled"),
    [
        ("--only-folds needs folds: --folds 5", "only_folds needs folds: folds=5"),
        ("take --runner processes", "take runner processes"),
        ("a word-with--dashes, -o and pip install --no-deps", "a word-with--dashes, -o and pip install --no-deps"),
        ("`gridsearch init --kind score` or --kind score", "`gridsearch init --kind score` or kind score"),
    ],
)
def test_options_become_arguments(sentence: str, spelled: str) -> None:
    assert in_python(sentence) == spelled


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: gs.plan(SPACE, task=rows(), halving=1), "halving divides the cells by a whole number from 2"),
        (lambda: gs.optimize(SPACE, task=rows(), study="mine"), "a search needs an end: trials=N, or hours=H"),
        (lambda: gs.sweep(SPACE, task=rows(), study="mine", only_folds=0), "only_folds needs folds: folds=5"),
        (lambda: gs.sweep(SPACE, task=rows(), study="mine", runner="dask"), "argument runner: invalid choice: 'dask'"),
        (
            lambda: gs.task(rows(), text="the text", label="the text"),
            "text, pair and label must name three different columns",
        ),
    ],
)
def test_what_is_wrong_is_told_of_arguments(project: Path, call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(gs.RequestError) as told:
        call()
    assert sentence in str(told.value)
    assert "--" not in str(told.value)


def test_what_was_guessed_is_told_of_arguments(project: Path) -> None:
    guessed = gs.task([{**row, "further": f"{row['the text']} and more of it"} for row in rows()])
    assert "pair=COLUMN" in str(guessed)
    assert "--" not in str(guessed)


@pytest.mark.parametrize("study", ["data.tsv", "data.tsv/mine"])
def test_a_file_in_the_place_of_a_folder_is_told(project: Path, study: str) -> None:
    before = sorted(Path().rglob("*"))
    with pytest.raises(gs.GridSearchError) as told:
        gs.sweep(SPACE, task=rows(), study=study)
    where, sentence = str(told.value).split(": ", 1)
    assert where.startswith("data.tsv")
    assert sentence == "a file is where a folder is to be: name another folder with study"
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("entry", ["sweep", "plan", "task"])
def test_a_full_disk_is_told_wherever_what_is_given_is_written(
    project: Path, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    task = gs.task(rows())
    monkeypatch.setattr(Path, "write_bytes", full)
    entries: dict[str, Callable[[], object]] = {
        "sweep": lambda: gs.sweep(SPACE, task=task, study="studies/mine"),
        "plan": lambda: gs.plan(SPACE, task=task),
        "task": lambda: gs.task(rows()),
    }
    with pytest.raises(gs.GridSearchError, match="No space left on device: make room") as told:
        entries[entry]()
    assert "\n" not in str(told.value)
    assert not Path("studies").exists()
