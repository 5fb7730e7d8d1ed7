"""``gridsearch export``: what each tool reads again is what the tables of the study hold."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gridsearch as gs
from gridsearch.study.study import Study
from reports.importing.tables import read_table
from reports.study.optuna_export import state_of
from runners.exporting.formats import FORMATS
from tests.reports.conftest import Writer, outcome, small_plan
from tests.reports.pages import import_table
from tests.runners.exporting.events import hparams_of, scalars_of
from tests.runners.exporting.studies import export, rows_of, study_of_all_ends


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    home = tmp_path / 'a user\'s "folder"?#% 中文'
    home.mkdir()
    monkeypatch.chdir(home)
    return study_of_all_ends(Path("mine"))


def test_tables_are_those_of_python(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = gs.load(study.folder)
    assert export(study, "csv", Path("out/csv")) == 0
    assert "trials.csv (8 rows), epochs.csv (9 rows)" in capsys.readouterr().out
    assert export(study, "parquet", Path("out/parquet")) == 0
    assert "predictions.parquet (400 rows)" in capsys.readouterr().out
    for name in ("cells", "trials", "epochs", "effects"):
        expected, written = getattr(loaded, name), pd.read_parquet(f"out/parquet/{name}.parquet")
        pd.testing.assert_frame_equal(written, expected)
        spelled = pd.read_csv(f"out/csv/{name}.csv")
        assert list(spelled) == list(expected)
        for column in expected.select_dtypes("number"):
            np.testing.assert_array_equal(spelled[column].astype(float), expected[column].astype(float))
    written = pd.read_parquet("out/parquet/predictions.parquet")
    pd.testing.assert_frame_equal(written, loaded.predictions)
    assert sorted(path.name for path in Path("out").iterdir()) == ["csv", "parquet"]


def test_columns_of_numbers_are_numbers_whatever_is_known(tmp_path: Path) -> None:
    """No cell is repeated, nothing is on test, and nothing can be tested; then, nothing has begun at all."""
    one = Writer(Study(tmp_path / "one"), small_plan())
    one.finish(1, outcome(0.8, None))
    Writer(Study(tmp_path / "none"), small_plan())
    numbers = {
        "cells": ("result", "result_sd", "dev", "dev_sd", "train_seconds_per_epoch"),
        "trials": ("dev", "test", "seconds", "train_seconds_per_epoch"),
        "epochs": ("train_loss", "dev", "train_seconds", "dev_seconds"),
        "effects": ("estimate", "standard_error", "low", "high", "p", "adjusted_p"),
    }
    for name in ("one", "none"):
        loaded = gs.load(tmp_path / name)
        for table, columns in numbers.items():
            assert {str(getattr(loaded, table)[column].dtype) for column in columns} == {"float64"}, table
        assert {str(loaded.trials[column].dtype) for column in ("chosen_epoch", "epochs", "peak_bytes")} == {"Int64"}
        assert [str(loaded.effects[column].dtype) for column in ("term", "found")] == ["str", "bool"]
        assert str(loaded.epochs["is_chosen"].dtype) == "bool"
        assert str(loaded.epochs["bertadam"].dtype) == "category"
        assert export(Study(tmp_path / name), "csv", tmp_path / "csv" / name) == 0
        for table in numbers:
            assert list(pd.read_csv(tmp_path / "csv" / name / f"{table}.csv")) == list(getattr(loaded, table))


def test_optuna_reads_its_storage(study: Study) -> None:
    import optuna

    assert export(study, "optuna", Path("mine.db")) == 0
    plain = Path("..", "plain.db").resolve()  # a path that a URL can hold
    plain.write_bytes(Path("mine.db").read_bytes())
    read = optuna.load_study(study_name="mine", storage=f"sqlite:///{plain}")
    assert [(one.user_attrs["index"], one.state.name) for one in read.trials] == [
        (1, "COMPLETE"),
        (2, "FAIL"),
        (3, "COMPLETE"),
    ]
    assert read.best_value == pytest.approx(rows_of(study).cells[0].dev.mean)


def test_what_optuna_has_comes_in_again(study: Study) -> None:
    assert export(study, "optuna", Path("out.db")) == 0
    found = read_table(Path("out.db"), None)
    finished = [cell for cell in rows_of(study).cells if state_of(cell) == "COMPLETE"]
    assert [row.value for row in found.rows] == [cell.dev.mean for cell in finished]
    assert [dict(row.levels) for row in found.rows] == [
        {name: cell.levels[name] for name in found.factors} for cell in finished
    ]


def test_tensorboard_has_a_run_a_trial(study: Study) -> None:
    """Read by tensorboardX; `tensorboard` itself is asked where it is installed."""
    assert export(study, "tensorboard", Path("events")) == 0
    first, second = rows_of(study).cells[:2]
    folders = sorted(path.parent.relative_to("events") for path in Path("events").rglob("events.*"))
    expected = [(1, first.trials[0]), (1, first.trials[1]), (2, second.trials[0]), (2, second.trials[1])]
    assert folders == sorted(Path(f"cell-{index}", trial[:8]) for index, trial in expected)
    numbers = scalars_of(Path("events", "cell-1", first.trials[0][:8]))
    assert numbers["epoch/dev"] == [(1, pytest.approx(0.8)), (2, pytest.approx(0.8))]
    assert numbers["dev"] == [(1, pytest.approx(0.8))]
    assert numbers["test_accuracy"] == [(1, pytest.approx(0.79))]
    assert "seconds" in numbers
    assert scalars_of(Path("events", "cell-2", second.trials[0][:8]))["epoch/train_loss"] == [(1, pytest.approx(0.9))]
    settings = hparams_of(Path("events", "cell-2", second.trials[1][:8]))
    assert (settings["factor.bert_adam"], settings["bert_adam"], settings["seed"]) == ("1", True, 1.0)
    assert settings["epochs"] == 2.0
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed"
    )
    read = accumulator.EventAccumulator(str(Path("events", "cell-1", first.trials[0][:8])))
    read.Reload()
    assert set(read.Tags()["scalars"]) == set(numbers)
    assert "_hparams_/session_start_info" in read.PluginTagToContent("hparams")


def test_what_is_there_stays(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = study.ledger_path.read_bytes()
    for form, place in (("csv", "out"), ("optuna", "out.db")):
        assert export(study, form, Path(place)) == 0
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    Path("out/mine.txt").write_text("mine")
    assert told(capsys, export(study, "csv", Path("out"))) == "out is not empty; --force replaces it"
    assert told(capsys, export(study, "optuna", Path("out.db"))) == "out.db exists; --force replaces it"
    assert told(capsys, export(study, "csv", Path("out.db"), "--force")) == "-o must be a folder, but out.db is a file"
    assert told(capsys, export(study, "optuna", Path("out"), "--force")) == "-o must be a file, but out is a folder"
    for place in (".", "..", "mine", "mine/tables", "mine/ledger.sqlite"):
        assert "is in the way of the study mine" in told(capsys, export(study, "csv", Path(place), "--force"))
    assert Path("out/mine.txt").is_file()
    assert export(study, "csv", Path("out"), "--force") == 0
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == before
    assert study.ledger_path.read_bytes() == ledger
    assert sorted(path.name for path in Path().iterdir()) == ["mine", "out", "out.db"]


def told(capsys: pytest.CaptureFixture[str], code: int) -> str:
    assert code == 2
    sentence = capsys.readouterr().err.strip()
    assert sentence.startswith("gridsearch export: ")
    assert "\n" not in sentence
    return sentence.removeprefix("gridsearch export: ")


def test_wrong_requests(study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(capsys, export(study, "tensorbord", Path("out"))).startswith(
        "--to: unknown format 'tensorbord' (did you mean 'tensorboard'?); known: csv, parquet, "
    )
    assert told(capsys, export(study, "csv", Path("out"), "--trial", "best")).endswith("and csv is made of all of them")
    assert "there is no study at nowhere" in told(capsys, export(Study(Path("nowhere")), "csv", Path("out")))
    for form, module in (
        ("mlflow", "mlflow"),
        ("trackio", "trackio"),
        ("wandb", "wandb"),
        ("tensorboard", "tensorboardX"),
        ("optuna", "optuna"),
    ):
        with monkeypatch.context() as patch:
            for name in [name for name in sys.modules if name.partition(".")[0] == module]:
                patch.delitem(sys.modules, name)
            patch.setitem(sys.modules, module, None)
            assert told(capsys, export(study, form, Path("out"))).endswith(
                f"is a package of its own: pip install {module}"
            )
    assert not Path("out").exists()


def test_a_disk_that_fails_leaves_nothing(
    study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second table cannot be written."""
    real = pd.DataFrame.to_csv

    def to_csv(frame: pd.DataFrame, path: Path, **more: object) -> None:
        if path.name == "trials.csv":
            raise OSError(28, "No space left on device")
        real(frame, path, **more)

    monkeypatch.setattr(pd.DataFrame, "to_csv", to_csv)
    assert "No space left on device" in told(capsys, export(study, "csv", Path("out")))
    assert [path.name for path in Path().iterdir()] == ["mine"]


def test_an_imported_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("a,b,result\n0,0,0.5\n0,1,0.6\n1,0,0.7\n1,1,0.8\n")
    study = Study(Path("imported"))
    import_table(Path("table.csv"), "result", study)
    for form, known in FORMATS.items():
        if known.needs_trials:
            said = told(capsys, export(study, form, Path(form)))
            others = "--to csv, parquet, optuna can be made of it"
            assert said == f"imported is an imported table, and {form} is made of trials: {others}"
        else:
            assert export(study, form, Path(form)) == 0
    assert sorted(path.name for path in Path("csv").iterdir()) == ["cells.csv", "effects.csv"]
    assert list(pd.read_csv("csv/cells.csv")["result"]) == [0.5, 0.6, 0.7, 0.8]
