"""What trackers keep becomes the table of a study: Optuna's and MLflow's files, Trainer's folders, tables of data."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.importing.tables import read_table
from reports.study.optuna_export import study_view
from reports.study.read import read_study
from runners.cli import main
from tests.reports.pages import sixty_four_cells


def optuna_file(folder: Path) -> Path:
    storage = f"sqlite:///{folder}/optuna.db"
    study = optuna.create_study(storage=storage, study_name="rates", direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("learning_rate", 1e-5, 1e-3, log=True)
        layers = trial.suggest_int("frozen_layers", 0, 3)
        attack = trial.suggest_categorical("attack", ["none", "fgm", None])
        if layers == 3:
            raise optuna.TrialPruned
        return rate * 100 + layers + (attack == "fgm")

    study.sampler = optuna.samplers.RandomSampler(seed=0)
    study.optimize(objective, n_trials=12)
    return folder / "optuna.db"


def test_an_optuna_storage(tmp_path: Path) -> None:
    path = optuna_file(tmp_path)
    before = path.read_bytes()
    found = read_table(path, None)
    (known,) = optuna.get_all_study_summaries(f"sqlite:///{path}")
    trials = optuna.load_study(study_name="rates", storage=f"sqlite:///{path}").trials
    complete = [one for one in trials if one.state == optuna.trial.TrialState.COMPLETE]
    assert (found.title, found.response, found.index_column) == (known.study_name, "result", "id")
    assert set(found.factors) == {"learning_rate", "frozen_layers", "attack"}
    assert [row.value for row in found.rows] == [one.value for one in complete]
    assert [row.index for row in found.rows] == [str(one.number) for one in complete]
    assert [row.levels["frozen_layers"] for row in found.rows] == [str(one.params["frozen_layers"]) for one in complete]
    names = {"none": "none", "fgm": "fgm", None: "null"}
    assert [row.levels["attack"] for row in found.rows] == [names[one.params["attack"]] for one in complete]
    assert len(found.without) == len(trials) - len(complete)
    assert path.read_bytes() == before, "it is read, and no more"


def test_a_study_that_was_exported_to_optuna_is_the_same_table(tmp_path: Path) -> None:
    with sixty_four_cells(Study(tmp_path / "study")).open() as ledger:
        study = read_study(ledger)
    study_view(study, optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/copy.db"))
    found = read_table(tmp_path / "copy.db", None)
    finished = [cell for cell in study.cells if cell.state == "finished"]
    assert [row.value for row in found.rows] == [cell.dev.mean for cell in finished]
    ours = [{name: cell.levels[name] for name in found.factors} for cell in finished]
    assert [dict(row.levels) for row in found.rows] == ours


def test_several_studies_are_chosen_from(tmp_path: Path) -> None:
    path = optuna_file(tmp_path)
    second = optuna.create_study(storage=f"sqlite:///{path}", study_name="second")
    for value in (0.0, 1.0, 2.0):
        trial = optuna.trial.create_trial(
            value=value, params={"x": value}, distributions={"x": optuna.distributions.FloatDistribution(0, 2)}
        )
        second.add_trial(trial)
    with pytest.raises(RequestError, match=r"more than one study: choose one by --table N \(1 rates, 2 second\)"):
        read_table(path, None)
    assert read_table(path, None, number=2).title == "second"


MLFLOW = """
CREATE TABLE experiments (experiment_id INTEGER, name TEXT);
CREATE TABLE runs (run_uuid TEXT, name TEXT, experiment_id INTEGER, lifecycle_stage TEXT, start_time INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE latest_metrics (key TEXT, value REAL, is_nan INTEGER, run_uuid TEXT);
INSERT INTO experiments VALUES (0, 'Default'), (1, 'reviews');
INSERT INTO runs VALUES ('p', 'cell 1', 1, 'active', 0), ('gone', 'x', 1, 'deleted', 9);
INSERT INTO tags VALUES ('mlflow.parentRunId', 'p', 'a');
"""


def mlflow_file(folder: Path) -> Path:
    path = folder / "mlflow.db"
    with sqlite3.connect(path) as write:
        write.executescript(MLFLOW)
        for place, (run, rate, seed, value) in enumerate(
            [("a", "1e-5", "0", 0.8), ("b", "1e-5", "1", 0.81), ("c", "3e-5", "0", 0.9), ("d", "3e-5", "1", None)]
        ):
            write.execute("INSERT INTO runs VALUES (?, ?, 1, 'active', ?)", (run, f"run {run}", place))
            for name, setting in (("lr", rate), ("seed", seed), ("model", "bert")):
                write.execute("INSERT INTO params VALUES (?, ?, ?)", (name, setting, run))
            write.execute("INSERT INTO latest_metrics VALUES ('loss', 0.5, 0, ?)", (run,))
            if value is not None:
                write.execute("INSERT INTO latest_metrics VALUES ('accuracy', ?, 0, ?)", (value, run))
    return path


def test_an_mlflow_store(tmp_path: Path) -> None:
    path = mlflow_file(tmp_path)
    with pytest.raises(RequestError, match="name one of loss, accuracy as --response"):
        read_table(path, None)
    with pytest.raises(RequestError, match=r"unknown number 'acuracy' \(did you mean 'accuracy'"):
        read_table(path, "acuracy")
    found = read_table(path, "accuracy", ["loss"])
    assert (found.title, found.factors, found.seeds) == ("reviews", ("lr",), ("seed",)), (
        "what never differs is no factor"
    )
    assert [(row.index, row.value) for row in found.rows] == [("run a", 0.8), ("run b", 0.81), ("run c", 0.9)]
    assert [row.index for row in found.without] == ["run d"]


def trainer_folder(top: Path) -> Path:
    for rate in ("1e-5", "3e-5"):
        for seed in (0, 1):
            history = [
                {"epoch": 1.0, "step": 10, "loss": 0.6, "learning_rate": 1e-5},
                {"epoch": 1.0, "step": 10, "eval_loss": 0.5, "eval_accuracy": 0.7 + seed / 100},
                {"epoch": 2.0, "step": 20, "eval_loss": 0.6, "eval_accuracy": 0.6},
            ]
            state = {"global_step": 20, "best_metric": 0.7 + seed / 100, "best_global_step": 10, "log_history": history}
            folder = top / f"lr={rate},seed={seed}" / "checkpoint-20"
            folder.mkdir(parents=True)
            (folder / "trainer_state.json").write_text(json.dumps(state))
            earlier = folder.parent / "checkpoint-10"
            earlier.mkdir()
            (earlier / "trainer_state.json").write_text(json.dumps({"global_step": 10, "log_history": []}))
    return top


def test_folders_of_the_trainer(tmp_path: Path) -> None:
    found = read_table(trainer_folder(tmp_path / "runs"), "eval_accuracy")
    assert (found.title, found.factors, found.seeds) == ("runs", ("lr",), ("seed",))
    assert [row.value for row in found.rows] == [0.7, 0.71, 0.7, 0.71], "at the best step, not at the last"
    assert found.rows[0].index == "lr=1e-5,seed=0"
    assert [row.levels["lr"] for row in found.rows] == ["1e-5", "1e-5", "3e-5", "3e-5"]


@pytest.mark.parametrize("name", ["t.xlsx", "t.json", "t.jsonl", "t.parquet", "t.feather"])
def test_tables_of_data(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"model": ["a", "a", "b", "b"], "lr": ["1", "2", "1", "2"], "result": [0.5, 0.25, 0.75, 1.0]})
    path = tmp_path / name
    write = {
        ".xlsx": lambda: frame.to_excel(path, index=False),
        ".json": lambda: frame.to_json(path, orient="records"),
        ".jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        ".parquet": lambda: frame.to_parquet(path),
        ".feather": lambda: frame.to_feather(path),
    }
    write[path.suffix]()
    found = read_table(path, None)
    assert found.factors == ("model", "lr")
    assert np.array_equal([row.value for row in found.rows], frame["result"])


def test_nested_json_as_trackers_write_it(tmp_path: Path) -> None:
    rows = [{"config": {"lr": lr}, "summary": {"accuracy": 0.5 + lr}} for lr in (0.1, 0.2)]
    (tmp_path / "runs.json").write_text(json.dumps(rows))
    found = read_table(tmp_path / "runs.json", "summary.accuracy")
    assert found.factors == ("config.lr",)


def test_what_is_none_of_them_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = sixty_four_cells(Study(tmp_path / "study")).ledger_path
    with pytest.raises(RequestError, match="is the ledger of a study: every command takes"):
        read_table(ledger, None)
    with sqlite3.connect(tmp_path / "other.db") as write:
        write.execute("CREATE TABLE x (y)")
    with pytest.raises(RequestError, match="neither Optuna's nor MLflow's"):
        read_table(tmp_path / "other.db", None)
    path = optuna_file(tmp_path)
    with sqlite3.connect(path) as write:
        write.execute("UPDATE trial_params SET distribution_json = '{'")
    with pytest.raises(RequestError, match="cannot be read as a tracker's SQLite file"):
        read_table(path, None)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "trainer_state.json").write_text("{}")
    assert main(["import", str(tmp_path / "runs"), "--study", str(tmp_path / "new")]) == 2
    assert "it has no log_history" in capsys.readouterr().err


def test_the_command_makes_a_page_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["import", str(mlflow_file(tmp_path)), "--response", "accuracy", "--study", str(tmp_path / "new")]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "3 rows imported" in told
    assert (tmp_path / "new" / "page.html").is_file()
