"""Means over epochs, and the training rows' metric, as a user meets them: from the sweep to the page and to labels."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from runners.cli import main

SPACE = """
[recipe]
epochs = 3
learning_rate = 3e-3
batch_size = 16
max_length = 24
[factors]
checkpoints = {levels}
"""


def swept(encoder_folder: Path, *more: str, levels: str = "[1, 2, 3]", command: str = "sweep", code: int = 0) -> None:
    Path("epochs.toml").write_text(SPACE.format(levels=levels))
    question = ["epochs.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    assert main([command, *question, "--runner", "serial", *more]) == code


@pytest.mark.slow  # 5 s
@pytest.mark.usefixtures("project")
def test_means_over_epochs_are_labelled_and_run_again_as_they_were(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swept(encoder_folder, "--keep", "all")
    assert main(["report", "study", "--format", "md,json"]) == 0
    assert "the epochs that the cell's selection and checkpoints name" in " ".join(
        Path("study/page.md").read_text(encoding="utf-8").split()
    )
    Path("new.txt").write_text("Return the tensor.\nStart the actor.\n", encoding="utf-8")
    told = []
    for cell in json.loads(Path("study/page.json").read_text())["cells"]:
        trial = cell["replicates"][0]["trial"]
        capsys.readouterr()
        assert main(["rerun", "study", "--trial", trial]) == 0
        assert "equal to the ledger's, to the last bit" in capsys.readouterr().out
        main(["predict", "study", "new.txt", "--trial", trial])
        told.append(capsys.readouterr().out)
        shutil.rmtree(f"study/weights/{trial}")
        main(["predict", "study", "new.txt", "--trial", trial])
        assert capsys.readouterr().out == told[-1], "from weights that are trained again"
    assert len(set(told)) == 3


@pytest.mark.usefixtures("project")
def test_more_checkpoints_than_epochs_are_those_of_all(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swept(encoder_folder, levels="[3, 9]", code=2)
    assert "are the same recipe: there are no more than 3 epochs to average" in capsys.readouterr().err
    swept(encoder_folder, "--set", "epochs=1", levels="[1, 2]", code=2)
    assert "checkpoints" in (told := capsys.readouterr().err)
    assert "epochs = 1 leaves one epoch to average" in told


@pytest.mark.slow  # 3 s
@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["sweep", "optimize"])
def test_the_training_rows_are_measured_on_request(
    command: str, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trials that finished without it stay as they are, and blank."""
    trials = {"sweep": [[], []], "optimize": [["--trials", "1"], ["--trials", "3"]]}[command]
    swept(encoder_folder, *trials[0], command=command, levels="[1]" if command == "sweep" else "[1, 2, 3]")
    assert main(["report", "study", "--format", "md,csv"]) == 0
    assert "train" not in Path("study/page.csv").read_text().splitlines()[0].replace("train_seconds", "")
    swept(encoder_folder, *trials[1], "--train-metric", command=command)
    assert main(["report", "study", "--format", "md,csv,json"]) == 0
    with Path("study/page.csv").open(encoding="utf-8", newline="") as page:
        found = [row["train accuracy"] for row in csv.DictReader(page)]
    assert sorted(found)[0] == ""
    assert all(0.5 < float(value) <= 1 for value in sorted(found)[1:])
    with Path("study/trials.csv").open(encoding="utf-8", newline="") as table:
        assert [row["train_accuracy"] for row in csv.DictReader(table)] == found
    cells = json.loads(Path("study/page.json").read_text())["cells"]
    assert ["" if cell["train"]["mean"] is None else str(cell["train"]["mean"]) for cell in cells] == found
    assert "`train accuracy` is the same metric on the training rows" in Path("study/page.md").read_text()
    assert main(["report", "study", "--lang", "zh", "--format", "md"]) == 0
    assert "训练集 accuracy" in Path("study/page.md").read_text(encoding="utf-8")
    assert main(["annotate", "study", "train accuracy", "1=0.5"]) == 2
    assert "the table has such a column" in capsys.readouterr().err
