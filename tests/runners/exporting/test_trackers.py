"""Exports to trackers that are packages of their own, read again by the packages themselves.

None of them is installed by `make install`: pip install -e '.[trackers]' runs these.
"""

import json
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from gridsearch.study.study import Study
from reports.importing.tables import read_table
from tests.runners.exporting.offline_runs import history_of, records_of, summary_of
from tests.runners.exporting.studies import export, rows_of, study_of_all_ends

pytestmark = [
    pytest.mark.slow,  # seconds each to import, and to make a store
    pytest.mark.filterwarnings("ignore"),  # they warn of one another
]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    home = tmp_path / 'a user\'s "folder" 中文'
    home.mkdir()
    monkeypatch.chdir(home)
    study = study_of_all_ends(Path("mine"))
    study.page_path.with_suffix(".html").write_text("<p>the page</p>")
    return study


def ids_of(study: Study) -> tuple[list[str], list[str]]:
    return tuple(list(cell.trials) for cell in rows_of(study).cells[:2])


def test_mlflow(study: Study) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    assert export(study, "mlflow", Path("store")) == 0
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{Path('store').absolute()}/mlflow.db")
    (experiment,) = [one for one in client.search_experiments() if one.name == "mine"]
    runs = {run.info.run_name: run for run in client.search_runs(experiment.experiment_id)}
    (first, unlearned), (pruned, failed) = ids_of(study)
    cells = ["cell 1 (plain)", "cell 2 (own)", "cell 3 (plain again)", "cell 4 (later)"]
    assert set(runs) == {"the study", *cells, *(trial[:8] for trial in (first, unlearned, pruned, failed))}
    states = [runs[trial[:8]].info.status for trial in (first, pruned, failed)]
    assert states == ["FINISHED", "KILLED", "FAILED"]
    one = runs[first[:8]]
    assert one.data.tags["mlflow.parentRunId"] == runs["cell 1 (plain)"].info.run_id
    assert {"trial": first, "seed": "0", "cells": "1, 3", "factor.bert_adam": "0", "bert_adam": "False"}.items() <= (
        one.data.params.items()
    )
    assert (one.data.metrics["dev"], one.data.metrics["test_accuracy"]) == (0.8, 0.79)
    history = client.get_metric_history(one.info.run_id, "epoch/dev")
    assert [(entry.step, entry.value) for entry in history] == [(1, 0.8), (2, 0.8)]
    assert runs[unlearned[:8]].data.tags["not_learned"] == "every dev row gets the same label"
    assert runs["cell 1 (plain)"].data.metrics["dev"] == pytest.approx(0.75)
    assert runs["cell 4 (later)"].info.status == "RUNNING"
    (page,) = client.list_artifacts(runs["the study"].info.run_id)
    where = Path(unquote(urlparse(runs["the study"].info.artifact_uri).path), page.path)
    assert where.read_text() == "<p>the page</p>"
    again = read_table(Path("store/mlflow.db"), "dev")
    values = {one.trial[:8]: one.dev for cell in rows_of(study).cells for one in cell.finished}
    assert {row.index: row.value for row in again.rows} == values, "and it comes in again"
    assert sorted(path.name for path in Path("store").iterdir()) == ["artifacts", "mlflow.db"]


def test_trackio(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackio", reason="trackio is not installed")
    from trackio import sqlite_storage

    before = sqlite_storage.TRACKIO_DIR
    assert export(study, "trackio", Path("store")) == 0
    assert before == sqlite_storage.TRACKIO_DIR
    monkeypatch.setattr(sqlite_storage, "TRACKIO_DIR", Path("store"))
    storage = sqlite_storage.SQLiteStorage
    (first, unlearned), (pruned, failed) = ids_of(study)
    assert storage.get_projects() == ["mine"]
    assert sorted(storage.get_runs("mine")) == sorted(one[:8] for one in (first, unlearned, pruned, failed))
    *epochs, summary = storage.get_logs("mine", first[:8])
    assert [(entry["step"], entry["epoch/dev"]) for entry in epochs] == [(1, 0.8), (2, 0.8)]
    assert (summary["step"], summary["dev"], summary["test_accuracy"]) == (1, 0.8, 0.79)
    config = storage.get_run_config("mine", first[:8])
    about = {"_Group": "cell 1 (plain)", "seed": 0, "factor.bert_adam": "0", "bert_adam": False, "state": "finished"}
    assert about.items() <= config.items()
    assert storage.get_run_config("mine", failed[:8])["state"] == "failed"
    assert [entry["epoch/dev"] for entry in storage.get_logs("mine", pruned[:8])[:-1]] == [0.4]


def test_trackio_calls_no_project_so(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("trackio", reason="trackio is not installed")
    study.folder.rename("mine_system")
    assert export(Study(Path("mine_system")), "trackio", Path("store")) == 2
    assert "It is that of the study's folder: give this another one" in capsys.readouterr().err
    assert not Path("store").exists()


def test_wandb(study: Study) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    assert export(study, "wandb", Path("store")) == 0
    (first, unlearned), (pruned, failed) = ids_of(study)
    records = {path.stem.removeprefix("run-"): records_of(path) for path in Path("store/wandb").rglob("*.wandb")}
    assert set(records) == {first, unlearned, pruned, failed}
    (begun,) = [one.run for one in records[first] if one.WhichOneof("record_type") == "run"]
    assert begun.host == ""
    assert not list(Path("store").rglob("requirements.txt"))
    assert (begun.project, begun.run_group, begun.display_name) == ("mine", "cell 1 (plain)", first[:8])
    config = {item.key: json.loads(item.value_json) for item in begun.config.update}
    assert {"seed": 0, "factor.bert_adam": "0", "bert_adam": False, "cells": "1, 3"}.items() <= config.items()
    history = history_of(records[first])
    assert [(entry["_step"], entry["epoch/dev"]) for entry in history] == [(1, 0.8), (2, 0.8)]
    summary = summary_of(records[first])
    assert (summary["dev"], summary["test_accuracy"], summary["state"]) == (0.8, 0.79, "finished")
    (code,) = [one.exit.exit_code for one in records[failed] if one.WhichOneof("record_type") == "exit"]
    assert code == 1
