"""Studies that are judged by a function of the user's own, from the sweep to what every command says of them."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.tasks.judging.judge import probabilities
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.task import Task
from reports.study.read import read_study
from runners.cli import main, parse
from runners.commands import optimize, rerun, sweep
from tests.fixtures_core import Once
from tests.runners.conftest import make_project
from tests.runners.own_metrics import script

SPACE = """
title = "A small question"
[recipe]
epochs = 2
learning_rate = 3e-3
batch_size = 16
max_length = 24
[factors]
bert_adam = [false, true]
frozen_layers = [0, 1]
"""
METRIC = OwnMetric(script.cost, name="cost", version="1")
"""Of a module that stands in a file of its own: what goes to a ledger is the same as from the program."""
ONLY = "it is judged by the function cost of Python (version 1), and goes on only from Python (gridsearch.sweep(..., "


def swept(metric: OwnMetric | None, *words: str) -> int:
    """Sweep as the Python API does: by the command's own code, with a function beside its words."""
    arguments = parse(["sweep", *words])
    if metric is not None:
        arguments.metric = metric
    answer = sweep.run(arguments)
    print(answer.text)
    return answer.exit_code


@pytest.fixture(scope="module")
def whole(once: Once, docstrings_task: Task, encoder_folder: Path) -> Path:
    """Return a user's folder with a study of four cells, and what its sweep printed; nobody changes it."""

    def make(top: Path) -> None:
        folder = make_project(top, docstrings_task)
        (folder / "question.toml").write_text(SPACE)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            words = ["--task", "task.toml", "--model", str(encoder_folder), "--study", "study", "--runner", "serial"]
            assert swept(METRIC, "question.toml", *words, "--keep", "best") == 0

    (folder,) = (one for one in once("own metric", make).iterdir() if one.is_dir())
    return folder


@pytest.fixture
def here(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    shutil.copytree(whole, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def words(encoder_folder: Path) -> list[str]:
    return ["question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]


def dev_results(folder: Path) -> dict[str, dict[str, float]]:
    with Study(folder).open() as ledger:
        return {trial: dict(parts["task"]) for trial, parts in ledger.dev_results().items()}


def n_attempts(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        (number,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    return int(number)


def test_cells_are_ranked_by_it(here: Path) -> None:
    """As by hand from the logits that are kept."""
    with Study(Path("study")).open() as ledger:
        study = read_study(ledger)
        labels = ledger.labels("dev")
        assert labels is not None
        assert study.predictions is not None
        by_hand = {
            trial: script.cost(labels, probabilities(logits["task"].astype(np.float64), "class"))
            for trial, logits in study.predictions.logits.items()
        }
    assert (study.metric, study.lower_is_better, len(study.cells)) == ("cost", False, 4)
    values = [cell.dev.mean for cell in study.ranking]
    assert values == sorted(values, reverse=True)
    told = {cell.finished[0].trial: cell.dev.mean for cell in study.cells}
    assert {trial: told[trial] for trial in by_hand} == pytest.approx(by_hand)
    assert study.yardsticks[0].dev is not None
    assert study.guesses == {}


def test_going_on_trains_nothing_again(here: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = n_attempts(Path("study"))
    assert swept(METRIC, *words, "--runner", "serial") == 0
    assert n_attempts(Path("study")) == before == 4
    assert "complete: 4 planned, 4 finished" in capsys.readouterr().out


def test_another_version_or_source_is_another_study(here: Path, words: list[str]) -> None:
    for changed, told in (
        (OwnMetric(script.cost, "cost", "2"), "the version of the metric cost was 1, now it is 2"),
        (OwnMetric(lambda truth, said: 0.0, "cost", "1"), "the source of the metric cost has changed, and its version"),
        (OwnMetric(script.cost, "price", "1"), "the metric was cost, now it is price"),
    ):
        with pytest.raises(RequestError, match=told):
            swept(changed, *words, "--runner", "serial")
    assert n_attempts(Path("study")) == 4


def test_commands_that_train_say_that_only_python_can(
    here: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("study/weights")
    for command in (
        ["sweep", *words, "--runner", "serial"],
        ["sweep", *words, "--seeds", "0,1"],
        ["optimize", *words, "--trials", "2"],
        ["rerun", "study", "--trial", "best"],
        ["predict", "study", "data.tsv"],
    ):
        assert main(command) == 2, command
        told = capsys.readouterr().err
        assert ONLY in told, told
    assert n_attempts(Path("study")) == 4


def test_a_plan_beside_the_study_is_no_error(here: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Only what goes on needs the function."""
    assert main(["plan", *words[:-2]]) == 0
    assert main(["verify", "study"]) == 0
    assert main(["status", "study"]) == 0
    assert "cost" in capsys.readouterr().out


def test_trials_are_run_again_with_the_function(here: Path, words: list[str], capsys) -> None:
    words[-1] = "again"
    assert swept(METRIC, *words, "--runner", "serial") == 0
    arguments = parse(["rerun", "again", "--trial", "best"])
    arguments.metric = METRIC
    capsys.readouterr()
    answer = rerun.run(arguments)
    assert answer.exit_code == 0
    told = capsys.readouterr().out + answer.text
    assert "dev cost -" in told
    assert "equal to the ledger's, to the last bit" in told
    arguments.metric = OwnMetric(script.cost, "cost", "2")
    with pytest.raises(RequestError, match="cost is no longer the function that the study was made with"):
        rerun.run(arguments)


def test_kept_weights_predict_without_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "study", "data.tsv", "--output", "said.tsv"]) == 0
    told = capsys.readouterr().err
    assert "rows have a label: accuracy 0." in told
    assert "no cost: it is a function of Python, which is not kept with the study" in told


def test_averages_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ensemble", "study"]) == 2
    assert "cannot be averaged: cost is a function of Python, which no study keeps" in capsys.readouterr().err


TOLD = {
    "en": (
        "`result` is cost on dev, at the epoch that is best on dev. cost is a function of Python that this study was "
        "given (version 1; its source is under Provenance).",
        "Higher is better",
        "not compared row by row: cost is a function of Python, which no page runs.",
        "Averages of runs are not told: cost is a function of Python, which no page runs.",
        "trials are run again, only from there, by `gridsearch.sweep(..., metric=...)`.",
        "<summary>The function cost, version 1</summary>",
    ),
    "zh": (
        "cost 是交给本研究的 Python 函数（版本 1；源码见“来源与环境”）。",
        "最佳组合与基线未作逐行比较",
        "未给出多次运行的平均",
        "<summary>函数 cost，版本 1</summary>",
    ),
}


@pytest.mark.parametrize("language", TOLD)
def test_the_page_tells_of_it(language: str, here: Path) -> None:
    assert main(["report", "study", "--lang", language, "--format", "md,html,csv,latex,json"]) == 0
    page = Path("study/page.md").read_text(encoding="utf-8")
    for sentence in TOLD[language]:
        assert "".join(sentence.split()) in "".join(page.split())
    assert f"```python\n{METRIC.source}\n```" in page
    assert "gridsearch rerun" not in page
    numbers = json.loads(Path("study/page.json").read_text())
    assert numbers["result"]["own_metric"] == {"name": "cost", "version": "1", "source": METRIC.source}
    assert (numbers["guess"], numbers["versus"], numbers["ensembles"]) == (None, None, None)
    assert numbers["commands"] == {"sweep": None, "rerun": None}
    rows = list(csv.DictReader(Path("study/trials.csv").read_text().splitlines()))
    assert {row["trial"]: float(row["dev_cost"]) for row in rows} == {
        trial: one["cost"] for trial, one in dev_results(Path("study")).items()
    }
    assert "float(price(truth, said.argmax(axis=1)).mean())" in Path("study/page.html").read_text(encoding="utf-8")


def test_a_source_stays_words(here: Path, words: list[str]) -> None:
    """Whoever wrote it: it is escaped, and ends no block."""
    hostile = OwnMetric(script.cost, "cost", "1", source="```\n</details><script>hit()</script>\n![x](//example.com/x)")
    words[-1] = "hostile"
    assert swept(hostile, *words, "--runner", "serial") == 0
    assert main(["report", "hostile", "--format", "html,md"]) == 0
    html = Path("hostile/page.html").read_text(encoding="utf-8")
    assert "&lt;/details&gt;&lt;script&gt;hit()" in html
    assert "<script>hit()" not in html
    assert "````python\n```\n</details>" in Path("hostile/page.md").read_text()


def test_studies_of_two_versions_are_not_subtracted(
    here: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words[-1] = "other"
    assert swept(OwnMetric(script.cost, "cost", "2"), *words, "--runner", "serial") == 0
    capsys.readouterr()
    assert main(["compare", "study", "other"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "they differ in the version of the metric cost (1 in A, 2 in B)." in told
    assert "Their results are of different measures, so they are not subtracted." in told


def test_no_file_holds_the_function(here: Path) -> None:
    """Nothing that is read back from a disk could run it."""
    packed = METRIC.travelling
    for folder in (here, Path(os.environ["GRIDSEARCH_CACHE"])):
        for path in folder.rglob("*"):
            held = path.read_bytes() if path.is_file() else b""
            assert packed not in held, path
            assert b"cloudpickle" not in held, path
    with Ledger(Path("study/ledger.sqlite")) as ledger:
        kept = ledger.trials_manifest().task.own_metric
        assert kept is not None
        assert (kept.name, kept.version, kept.source) == ("cost", "1", METRIC.source)


def _changed(change: Callable[[dict[str, Any]], object]) -> None:
    with closing(sqlite3.connect("study/ledger.sqlite")) as connection, connection as write:
        (text,) = write.execute("SELECT value FROM study WHERE key = 'own_metric'").fetchone()
        kept = json.loads(text)
        change(kept)
        write.execute("UPDATE study SET value = ? WHERE key = 'own_metric'", (json.dumps(kept),))


@pytest.mark.parametrize(
    "change",
    [lambda kept: kept.update(name="price"), lambda kept: kept.update(version=1), lambda kept: kept.pop("source")],
    ids=["name", "version", "source"],
)
def test_what_is_kept_of_it_may_be_damaged(change: Callable[[dict[str, Any]], object], here: Path) -> None:
    _changed(change)
    assert main(["report", "study"]) == 2


def test_folds_are_refused(here: Path, words: list[str]) -> None:
    with pytest.raises(RequestError, match="judges dev rows and no folds"):
        swept(METRIC, *words, "--folds", "3")


def from_a_program(folder: Path, runner: str, words: list[str]) -> dict[str, dict[str, float]]:
    """Sweep by a program whose own function judges; return the results on dev by trial."""
    words = [*words[:-1], runner, "--runner", runner, "--workers", "2"]
    program = folder / "program.py"  # in no package, and nowhere that a worker would look
    program.write_text(Path(script.__file__).read_text(encoding="utf-8"))
    done = subprocess.run([sys.executable, program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dev_results(Path(runner))


@pytest.mark.slow  # a program, its workers and Ray start anew; what goes to them is tried in test_own_metric.py
@pytest.mark.parametrize("runner", ["processes", "ray"])
def test_a_function_of_a_program_goes_to_its_workers(runner: str, here: Path, words: list[str]) -> None:
    assert from_a_program(here, runner, words) == dev_results(Path("study"))


@pytest.mark.slow  # two more studies, one of which is begun by Optuna
@pytest.mark.parametrize("way", ["halving", "search"])
def test_what_goes_on_is_chosen_by_it(way: str, here: Path, words: list[str]) -> None:
    words[-1] = way
    if way == "halving":
        assert swept(METRIC, *words, "--runner", "serial", "--set", "epochs=4", "--halving", "2") == 0
    else:
        arguments = parse(["optimize", *words, "--runner", "serial", "--trials", "3"])
        arguments.metric = METRIC
        assert optimize.run(arguments).exit_code == 0
    with Study(Path(way)).open() as ledger:
        study = read_study(ledger)
    assert study.metric == "cost"
    assert study.ranking[0].dev.mean == max(one["cost"] for one in dev_results(Path(way)).values())
