"""``gridsearch predict`` by several trials: the seeds and folds of a row, and several rows, from real studies."""

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gridsearch.study.study import Study
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.metrics import probabilities, score
from gridsearch.tasks.tables.table import Columns
from gridsearch.training.kept_weights import open_kept, predict_logits
from reports.study.read import read_study
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, EXIT_WRONG_REQUEST, main

SPACE = """
[recipe]
epochs = 1
learning_rate = 3e-3
batch_size = 16
max_length = 24
[factors]
bert_adam = [false, true]
"""
LIST = '[design]\nkind = "list"\nrows = [{ row = "plain" }, { row = "own", bert_adam = true, seeds = [7, 8] }]\n'


@pytest.fixture
def sweep(project: Path, encoder_folder: Path):
    def run(*options: str, space: str = SPACE, code: int = EXIT_DONE) -> None:
        (project / "question.toml").write_text(space)
        words = ["question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
        assert main(["sweep", *words, "--runner", "serial", *options]) == code

    return run


@pytest.fixture
def predict(sweep, capsys: pytest.CaptureFixture[str]):
    def call(*options: str, code: int = EXIT_DONE, source: str = "data.tsv") -> tuple[list[dict[str, str]], str]:
        capsys.readouterr()
        assert main(["predict", "study", source, *options]) == code
        told = capsys.readouterr()
        return list(csv.DictReader(io.StringIO(told.out))), told.err

    return call


def trials_of(*cells: int) -> list[list[str]]:
    with Study(Path("study")).open() as ledger:
        rows = read_study(ledger).cells
    return [list(rows[cell - 1].trials) for cell in cells]


def chances_of(trial: str) -> np.ndarray:
    """What a kept trial says of the rows, without the command."""
    with Study(Path("study")).open() as ledger:
        columns = Columns.model_validate(ledger.trials_manifest().sources["columns"])
    inputs, _ = read_inputs(Path("data.tsv"), columns, "single")
    return probabilities(predict_logits(open_kept(Study(Path("study")).weights_of(trial)), inputs))


def told(rows: list[dict[str, str]]) -> np.ndarray:
    return np.array([[float(value) for name, value in row.items() if name.startswith("p(")] for row in rows])


@pytest.mark.slow  # 3 s
def test_a_row_of_a_study_of_folds_is_the_mean_over_them(sweep, predict) -> None:
    sweep("--folds", "3", "--keep", "all")
    ((first, *others),) = trials_of(2)
    whole = np.mean([chances_of(trial) for trial in (first, *others)], axis=0)
    rows, said = predict("--cell", "2", "--digits", "9")
    assert np.abs(told(rows) - whole).max() < 1e-6
    assert "96 rows labelled by cell 2: the mean of the probabilities of its 3 trials (3 folds; dev accuracy " in said
    best, said = predict()
    assert "rows labelled by the best row, cell " in said
    assert "its 3 trials (3 folds" in said
    alone, said = predict("--trial", first, "--digits", "9")
    assert np.abs(told(alone) - chances_of(first)).max() < 1e-6
    assert f"labelled by trial {first[:8]} (seed 0, fold 0, dev accuracy " in said
    assert (told(best) != told(alone)).any()
    # What was not kept is trained again, trial by trial, and predicts the same.
    shutil.rmtree("study/weights")
    again, said = predict("--cell", "2", "--digits", "9")
    assert again == rows
    assert said.count("training it again") == 3


@pytest.mark.slow  # predicts by retraining
def test_an_ensemble_is_the_mean_of_its_rows_however_many_trials_they_have(sweep, predict) -> None:
    """A row of one seed and one of two: the first weighs as much as the two of the other together."""
    sweep("--keep", "all", space=SPACE + LIST)
    (one,), (other, third) = trials_of(1, 2)
    wanted = (chances_of(one) + (chances_of(other) + chances_of(third)) / 2) / 2
    rows, said = predict("--ensemble", "1,own", "--digits", "9")
    assert np.abs(told(rows) - wanted).max() < 1e-6
    assert "96 rows labelled by the mean of the probabilities of cells 1, 2 (3 trials)" in said
    assert predict("--ensemble", "plain")[0] == predict("--cell", "1")[0] == predict("--trial", one)[0]
    assert "cell 2: the mean of the probabilities of its 2 trials (2 seeds; dev" in predict("--cell", "own")[1]
    for options, sentence in (
        (
            ("--ensemble", "1,3"),
            "the table has no row '3'; rows are named by their index, 1 to 2, or by their names in",
        ),
        (("--cell", "owm"), "the table has no row 'owm'"),
        (("--ensemble", "1,2,plain"), "--ensemble: row 1 is named twice; each member counts once"),
        (("--ensemble", ""), "the table has no row ''"),
    ):
        said = predict(*options, code=EXIT_WRONG_REQUEST)[1]
        assert sentence in said
        assert said.count("\n") == 1


def test_rows_that_share_their_trials_are_one_member(sweep, predict) -> None:
    sweep("--keep", "all", space=SPACE + LIST.replace('{ row = "plain" },', '{ row = "plain" }, { row = "copy" },'))
    said = predict("--ensemble", "1,2", code=EXIT_WRONG_REQUEST)[1]
    assert "--ensemble: row 2 is named and 1 too, which is the same trials; each member counts once" in said


def test_a_row_that_is_not_finished_does_not_predict(sweep, predict) -> None:
    sweep("--folds", "3", "--only-folds", "0", code=EXIT_INCOMPLETE)
    whole = predict("--cell", "1", code=EXIT_WRONG_REQUEST)[1]
    assert "cell 1 cannot predict: 1 of its 3 trials are finished; --trial ID takes one trial alone" in whole
    assert "cell 2 cannot predict" in predict("--ensemble", "2", code=EXIT_WRONG_REQUEST)[1]
    assert "no row of this study has all its folds finished yet" in predict(code=EXIT_WRONG_REQUEST)[1]
    ((first, *_), _) = trials_of(1, 2)
    assert len(predict("--trial", first)[0]) == 96


def test_rows_with_labels_are_scored(sweep, predict, project: Path) -> None:
    sweep("--keep", "best")
    rows, said = predict()
    names = [name[2:-1] for name in rows[0] if name.startswith("p(")]
    labels = np.array([names.index(row["which one?"]) for row in rows])
    assert f"96 rows have a label: accuracy {score(labels, np.log(told(rows)))['accuracy']:.4f}\n" in said
    lines = (project / "data.tsv").read_text(encoding="utf-8").splitlines()
    unlabelled = [lines[0], *("?\t" + line.split("\t", 1)[1] for line in lines[1:11]), *lines[11:31]]
    (project / "some.tsv").write_text("\n".join(unlabelled) + "\n", encoding="utf-8")
    assert "20 of 30 rows have a label: accuracy " in predict(source="some.tsv")[1]
    (project / "none.tsv").write_text("\n".join(unlabelled[:11]) + "\n", encoding="utf-8")
    assert "label:" not in predict(source="none.tsv")[1]


def test_a_file_as_a_competition_wants_it(sweep, predict, project: Path) -> None:
    sweep("--keep", "best")
    (project / "test.jsonl").write_text('{"id": 0, "the text": "Return."}\n{"id": 1, "the text": "Start."}\n')
    predict("--columns", "id,label=prediction", "-o", "out.jsonl", source="test.jsonl")
    written = [json.loads(line) for line in (project / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [list(row) for row in written] == [["id", "label"]] * 2
    assert [row["id"] for row in written] == [0, 1]
    # What is wrong with the form is found before anything is trained again.
    shutil.rmtree("study/weights")
    said = predict("--columns", "idd", source="test.jsonl", code=EXIT_WRONG_REQUEST)[1]
    assert "there is no column 'idd'" in said
    said = predict("--part", "small", code=EXIT_WRONG_REQUEST)[1]
    assert said == "gridsearch predict: --part is for studies of several parts, but small is a single task\n"
    assert not Path("study/weights").exists()


def test_one_way_to_name_who_predicts(sweep, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["predict", "study", "data.tsv", "--cell", "1", "--ensemble", "1,2"])
    assert ended.value.code == EXIT_WRONG_REQUEST
    assert "not allowed with argument" in capsys.readouterr().err
