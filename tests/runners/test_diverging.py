"""Runs whose numbers stop being finite: what is chosen, kept, told and predicted, and that the sweep goes on."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gridsearch.study.study import Study
from runners.cli import main
from tests.fixtures_core import slow

SPACE = """
[recipe]
epochs = 3
max_length = 16
learning_rate = 1e-3
class_weights = [1.0, 40.0]
adversarial = "fgm"
adversarial_start = {start}
selection = "{selection}"
[factors]
adversarial_epsilon = [{epsilons}]
"""
TASK = """
name = "nan"
kind = "single"
metric = "accuracy"
[files]
train = "train.csv"
dev = "dev.csv"
[columns]
text = "text"
label = "label"
"""
OVERFLOWS = "3e38"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nearly all of dev has the first label, and the class weights drive finite epochs to the second."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    rows = [f"words of text {number},{'b' if number % 9 == 8 else 'a'}" for number in range(120)]
    Path("train.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    rows = [f"other words {number},{'b' if number < 6 else 'a'}" for number in range(50)]
    Path("dev.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    Path("new.csv").write_text("text\nsome words\n")
    Path("t.toml").write_text(TASK)
    return tmp_path


def sweep(encoder: Path, epsilons: str, start: int = 2, selection: str = "best") -> int:
    Path("s.toml").write_text(SPACE.format(start=start, epsilons=epsilons, selection=selection))
    asked = ["s.toml", "--task", "t.toml", "--model", str(encoder), "--study", "st"]
    return main(["sweep", *asked, "--runner", "serial", "--keep", "best"])


def attempts() -> list[dict[str, object]]:
    with Study(Path("st")).open() as ledger:
        return [dict(row) for row in ledger.connection.execute("SELECT * FROM attempts ORDER BY trial")]


@pytest.mark.slow  # 1.3 s
def test_an_epoch_of_nan_is_not_chosen(folder: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A NaN read as the first, frequent label would be right in 44 of 50 rows, and beat every finite epoch."""
    assert sweep(encoder_folder, f"1.0, {OVERFLOWS}") == 0
    assert "numbers were not finite in epoch 2; epoch 1 is chosen from those before it" in capsys.readouterr().out
    assert main(["report", "st", "--format", "md,json", "-o", "out"]) == 0
    cells = json.loads(Path("out/page.json").read_text())["cells"]
    assert [cell["replicates"][0]["diverged_in"] for cell in cells] == [None, 2]
    broken = cells[1]["replicates"][0]
    assert broken["chosen_epoch"] == 1
    assert broken["dev"] == broken["dev_by_epoch"][0]
    assert broken["dev_by_epoch"][1:] == [None]
    page = Path("out/page.md").read_text()
    assert "## Runs that diverged" in page
    assert "epoch 2; the chosen one is epoch 1" in page
    for file in Path("st/weights").rglob("*.safetensors"):
        assert all(np.isfinite(array).all() for array in load_file(file).values())
    capsys.readouterr()
    assert main(["predict", "st", "--trial", broken["trial"], "new.csv"]) == 0
    _, row = csv.reader(capsys.readouterr().out.splitlines())
    assert all(np.isfinite(float(chance)) for chance in row[2:])


@pytest.mark.parametrize(("start", "selection"), [(1, "best"), slow(2, "last")])
def test_a_run_without_a_finite_result_fails_for_good_and_the_others_go_on(
    folder: Path, encoder_folder: Path, start: int, selection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    epsilons = [OVERFLOWS, "3.1e38", "3.2e38", "3.3e38"]
    assert sweep(encoder_folder, ", ".join(epsilons), start, selection) == 1
    found = attempts()
    assert [(row["state"], row["failure_kind"], row["final"]) for row in found] == [("failed", "diverged", 1)] * 4
    assert all(f"in epoch {start} of 3 the training loss is not finite" in str(row["message"]) for row in found)
    assert "settled: 4 planned, 0 finished, 4 failed, 0 pending" in capsys.readouterr().out
    with Study(Path("st")).open() as ledger:
        epochs = ledger.connection.execute("SELECT number, train_loss, dev FROM epochs").fetchall()
    assert {(row["train_loss"], row["dev"]) for row in epochs if row["number"] == start} == {(None, "{}")}
    assert main(["report", "st", "-o", "out"]) == 0
    trial = str(found[0]["trial"])
    assert main(["rerun", "st", "--trial", trial]) == 1
    assert f"no result: in epoch {start} of 3" in capsys.readouterr().out


@pytest.mark.slow  # 2 s
def test_weights_that_are_not_finite_do_not_predict(
    folder: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(encoder_folder, "1.0, 2.0") == 0
    (kept,) = Path("st/weights").rglob("*.safetensors")
    arrays = load_file(kept)
    save_file({name: array * np.float32(np.nan) for name, array in arrays.items()}, kept)
    (kept.parent / "checksums.json").unlink()  # weights that were such from the start
    capsys.readouterr()
    assert main(["predict", "st", "--trial", "best", "new.csv"]) == 2
    assert "cannot predict: what it computes for the rows is not finite" in capsys.readouterr().err
