"""Spaces and tasks that are given in Python mean what files mean, and lie in the study's folder when all is done."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest

import gridsearch as gs
from gridsearch.tasks.taskfile import load_task
from runners.api.given import given_in_scratch, given_in_study
from runners.cli import main

TEXT, LABEL = "the text", "which one?"
SPACE: dict[str, Any] = {"recipe": {"epochs": 1, "max_length": 16}, "factors": {"bert_adam": [False, True]}}


def rows() -> list[dict[str, str]]:
    with Path("data.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def columns() -> dict[str, list[str]]:
    return {name: [row[name] for row in rows()] for name in (TEXT, LABEL)}


def fingerprint(task: object) -> str:
    with given_in_scratch("finetune64", task) as named:
        assert named.task is not None
        return load_task(named.task).fingerprint


def keys(train: object) -> dict[str, Any]:
    about = {"name": "small", "kind": "single", "metric": "accuracy", "columns": {"text": TEXT, "label": LABEL}}
    return about | {"files": {"train": train, "dev": 0.1}}


FORMS: dict[str, Callable[[], object]] = {
    "DataFrame": lambda: gs.task(pd.DataFrame(rows()), metric="accuracy"),
    "categories": lambda: gs.task(pd.DataFrame(rows()).astype({LABEL: "category"}), metric="accuracy"),
    "list of dicts": lambda: gs.task(rows(), metric="accuracy"),
    "list of tuples": lambda: gs.task([(row[TEXT], row[LABEL]) for row in rows()], metric="accuracy"),
    "Arrow": lambda: gs.task(pyarrow.Table.from_pylist(rows()), text=TEXT, label=LABEL, metric="accuracy"),
    "dict of columns": lambda: gs.task(
        {name: [row[name] for row in rows()] for name in (TEXT, LABEL)}, metric="accuracy"
    ),
    "with a share": lambda: gs.task(rows(), dev=0.1, metric="accuracy"),
    "keys with columns": lambda: keys({name: np.array(column) for name, column in columns().items()}),
    "splits": lambda: gs.task({"train": rows()}, metric="accuracy"),
    "keys with a table": lambda: keys(pd.DataFrame(rows())),
    "keys with a path": lambda: keys("data.tsv"),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_the_same_task(project: Path, form: str) -> None:
    file = Path("task.toml").read_text(encoding="utf-8").replace("dev = 0.25", "dev = 0.1")
    Path("same.toml").write_text(file, encoding="utf-8")
    assert fingerprint(FORMS[form]()) == load_task(Path("same.toml")).fingerprint


def test_a_table_alone_is_guessed_as_init_does(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "data.tsv", "-o", "guessed.toml"]) == 0
    capsys.readouterr()
    assert fingerprint(rows()) == load_task(Path("guessed.toml")).fingerprint
    assert f"text is {TEXT!r}" in capsys.readouterr().out, "and it is told"


def test_guesses_are_told(project: Path) -> None:
    told = str(gs.task(pd.DataFrame(rows())))
    assert f"text is {TEXT!r}" in told
    assert f"label is {LABEL!r} with 2 values" in told


def test_splits_have_the_names_that_data_sets_give_them(project: Path) -> None:
    found = gs.task({"train": rows()[:60], "validation": rows()[60:], "unsupervised": rows()[:5]})
    assert list(found.keys["files"]) == ["train", "dev"]
    with pytest.raises(gs.RequestError, match="no table called train, but other"):
        gs.task({"other": rows()})


def test_a_space_is_that_of_its_file(project: Path) -> None:
    text = "[recipe]\nepochs = 1\nmax_length = 16\n[factors]\nbert_adam = [false, true]\n"
    Path("same.toml").write_text(text, encoding="utf-8")
    ours, theirs = (gs.plan(space, task="task.toml") for space in (SPACE, "same.toml"))
    assert list(ours.trials["trial"]) == list(theirs.trials["trial"])
    assert "2 cells x 1 seed = 2 trials" in str(ours)
    assert list(ours.cells["bert_adam"]) == ["0", "1"]


def test_numbers_of_numpy_and_pandas_are_numbers(project: Path) -> None:
    space = {"factors": {"weight_decay": list(np.array([0.0, 0.1]))}, "design": {"seeds": list(np.arange(2))}}
    set_ = {"epochs": np.int64(1), "learning_rate": pd.Series([2e-5])[0]}
    assert len(gs.plan(space, task="task.toml", set=set_).trials) == 4


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: gs.plan(3), "space must be a name, a path, or a mapping as in docs/spaces.md, but is int"),
        (lambda: gs.plan({"factors": {"bert_adam": [object()]}}), "the space holds what no TOML file can"),
        (lambda: gs.plan(SPACE, task=3), "task must be a name, a path, a table, or a mapping"),
        (lambda: gs.task(3), "train must be a DataFrame, a Dataset, an Arrow table, a dict of columns, or"),
        (lambda: gs.task([(1, 2, 3, 4)]), "train must be a DataFrame"),
        (lambda: gs.task(pd.DataFrame({"a": [1, "b", 2.5]})), "train cannot be read as a table"),
        (lambda: gs.task(rows()[:0]), "train has no rows"),
        (lambda: gs.task(pd.DataFrame(rows()).iloc[:0]), "train has no rows"),
        (lambda: gs.task(rows(), kind="clas"), "unknown kind 'clas' (did you mean 'class'?); known: class, multi"),  # type: ignore[arg-type]
        (lambda: gs.task(rows(), metric="f1"), "the task: unknown metric 'f1'; known: accuracy"),
        (lambda: gs.task(rows(), metric=gs.Metric(lambda *_: 1.0, name="a")), "is given to sweep, optimize or plan"),  # type: ignore[arg-type]
        (lambda: gs.task(rows(), dev=1.5), "dev must be a file or a share between 0 and 1, but is 1.5"),
        (lambda: gs.task([*rows(), {TEXT: "a", LABEL: ""}]), "no column of train.arrow looks like the label: "),
        (lambda: gs.plan({"factors": {"epochs": [1, None]}}), "the space holds what no TOML file can: None among"),
        (lambda: gs.Metric(lambda truth, said: 1.0), "the name of a metric is 1 to 40 letters"),
        (lambda: gs.plan(SPACE, task="data.tsv"), "`gridsearch init data.tsv -o data.toml` makes a task of it"),
        (lambda: gs.task("data.tsv"), "train must be a table, and not the path of one, which data.tsv may be"),
        (lambda: gs.plan(SPACE, task=rows(), sedes=[0]), "unrecognized arguments: sedes=0 (did you mean seeds?)"),
        (
            lambda: gs.plan(SPACE, task=rows(), seed=[0, 1]),
            "unrecognized arguments: seed=0,1 (did you mean seeds?)",
        ),
        (lambda: gs.plan(SPACE, task=rows(), seeds="a"), "seeds are whole numbers with commas between them"),
        (lambda: gs.plan(SPACE, task=rows(), set={"epochs": {1: 2}}), "set: epochs must be a number, a text"),
        (lambda: gs.plan(SPACE, task=rows(), metric=max), "metric must be a function of your own, as gridsearch.Met"),
        (lambda: gs.plan("no such space"), "unknown space 'no such space'"),
        (lambda: gs.sweep(SPACE, task="task.toml"), "name one, as in study='studies/mine'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(project: Path, call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(gs.RequestError) as told:
        call()
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)
    assert not Path("studies").exists()


def test_a_refused_sweep_leaves_nothing(project: Path) -> None:
    with pytest.raises(gs.RequestError, match="epoch"):
        gs.sweep({**SPACE, "recipe": {"epoch": 1}}, task=rows(), study="studies/mine")
    assert not Path("studies").exists()


def test_it_is_kept_with_the_study_and_goes_on_from_a_terminal(
    project: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about: Any = {"model": str(encoder_folder), "study": Path("studies", "mine"), "runner": "serial"}
    frame = pd.DataFrame(rows())
    study = gs.sweep(SPACE, task=gs.task(frame), **about)
    assert study.verify().complete
    (given,) = Path("studies/mine/given").iterdir()
    assert sorted(one.name for one in given.iterdir()) == ["space.toml", "task.toml", "train.arrow"]
    with pytest.raises(gs.RequestError, match="holds another study"):
        gs.sweep(SPACE, task=gs.task(frame.head(60)), **about)
    assert [one.name for one in Path("studies/mine/given").iterdir()] == [given.name], "what was refused is gone"
    more = gs.sweep({**SPACE, "design": {"seeds": [0, 1]}}, task=gs.task(frame), **about)
    assert len(more.trials) == 4
    (grown,) = Path("studies/mine/given").iterdir()
    assert grown.name != given.name, "only what the ledger speaks of is kept"
    assert main(["rerun", "studies/mine", "--trial", "best"]) == 0
    capsys.readouterr()
    words = ["--task", str(grown / "task.toml"), "--model", str(encoder_folder), "--study", "studies/mine"]
    assert main(["sweep", str(grown / "space.toml"), *words, "--runner", "serial"]) == 0
    assert "4 planned, 4 finished" in capsys.readouterr().out


def test_what_was_given_is_gone_where_no_study_came_of_it(project: Path) -> None:
    with given_in_study(SPACE, rows(), "studies/mine") as named:
        assert Path(named.space).is_file()
    assert not Path("studies").exists()
