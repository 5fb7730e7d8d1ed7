"""``gridsearch predict`` of several labels a row, and of numbers: what is kept says what the ledger has."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from gridsearch.study.study import Study
from reports.study.read import read_study
from runners.cli import EXIT_DONE, EXIT_WRONG_REQUEST, main

WORDS = ("the", "return", "array", "if")
"""A row has the label of each word that it holds; its number is how many words it has."""
CELL, COLUMNS = 'label = "held"\n[labels]\nseparator = "; "\nempty_is_none = true\n', 'label = ["the", "return"]\n'


@pytest.fixture(autouse=True)
def _without_a_yardstick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.driver.measure_yardstick", lambda *given: None)


@pytest.fixture
def rows(project: Path) -> Path:
    """The texts of the project with all that their words say of them."""
    texts = [line.split("\t")[1] for line in (project / "data.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    with (project / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["the text", "held", "the", "return", "words"])
        for text in texts:
            held = [word for word in WORDS if word in text.lower().split()]
            one_each = [int(word in held) for word in ("the", "return")]
            writer.writerow([text, "; ".join(held), *one_each, 10 * len(text.split())])
    return project / "rows.csv"


def sweep(folder: Path, model: Path, kind: str, metric: str, columns: str, *options: str) -> None:
    space = folder / "question.toml"
    space.write_text(space.read_text().partition("frozen_layers")[0])  # two cells
    (folder / "task.toml").write_text(
        f'name = "kinds"\nkind = "{kind}"\nmetric = "{metric}"\n[files]\ntrain = "rows.csv"\ndev = "rows.csv"\n'
        f'[columns]\ntext = "the text"\n{columns}'
    )
    words = ["question.toml", "--task", "task.toml", "--model", str(model), "--study", "study", "--runner", "serial"]
    assert main(["sweep", *words, *options]) == EXIT_DONE


def predicted(capsys: pytest.CaptureFixture[str], *options: str, code: int = EXIT_DONE) -> tuple[list[dict], str]:
    capsys.readouterr()
    assert main(["predict", "study", "rows.csv", "--digits", "9", *options]) == code
    told = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(told.out))), told.err


def in_the_ledger(cell: int) -> tuple[list[np.ndarray], str]:
    """What a cell's trials said of dev, which is the very file, and its metric as the table has it."""
    with Study(Path("study")).open() as ledger:
        row = read_study(ledger).cells[cell - 1]
        found = [ledger.logits(trial, "dev") for trial in row.trials]
        assert all(one is not None for one in found)
        return [one.astype(np.float64) for one in found if one is not None], f"{row.dev.mean:.4f}"


@pytest.mark.slow  # 1.7 s
@pytest.mark.parametrize(("columns", "n_labels"), [(CELL, 4), (COLUMNS, 2)])
def test_several_labels(
    rows: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str], columns: str, n_labels: int
) -> None:
    sweep(rows.parent, encoder_folder, "multilabel", "f1_micro", columns, "--keep", "all")
    found, said = predicted(capsys, "--cell", "2")
    (logits,), result = in_the_ledger(2)
    chances = [[float(value) for name, value in row.items() if name.startswith("p(")] for row in found]
    assert np.array(chances).shape == (96, n_labels)
    np.testing.assert_allclose(chances, expit(logits), atol=2e-9)
    assert f"96 rows have labels: f1_micro {result}, subset_accuracy" in said
    if columns is COLUMNS:
        has = [[int(row[f"has({name})"]) for name in ("the", "return")] for row in found]
        assert has == (logits > 0).astype(int).tolist()
    else:
        names = sorted(WORDS)
        told = ["; ".join(name for name, value in zip(names, row, strict=True) if value > 0) for row in logits]
        assert [row["predicted"] for row in found] == told


@pytest.mark.slow  # 2 s
def test_numbers(rows: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(rows.parent, encoder_folder, "score", "rmse", 'label = "words"\n', "--keep", "all", "--seeds", "0,1")
    found, said = predicted(capsys, "--trial", "best")
    with Study(Path("study")).open() as ledger:
        best = next(one for cell in read_study(ledger).ranking for one in cell.finished if one.trial[:8] in said)
        assert best.dev == min(one.dev for cell in read_study(ledger).cells for one in cell.finished if one.dev)
        logits = ledger.logits(best.trial, "dev")
    assert logits is not None
    np.testing.assert_allclose([float(row["predicted"]) for row in found], logits[:, 0], rtol=1e-6)
    assert f"96 rows scored by trial {best.trial[:8]} (seed {best.seed}, dev rmse {best.dev:.4f})" in said
    assert f"96 rows have a score: rmse {best.dev:.4f}" in said
    both, said = predicted(capsys, "--cell", "2")
    each, _ = in_the_ledger(2)
    np.testing.assert_allclose([float(row["predicted"]) for row in both], np.mean(each, axis=0)[:, 0], rtol=1e-6)
    assert "scored by cell 2: the mean of the numbers of its 2 trials (2 seeds; dev rmse" in said
    _, said = predicted(capsys, "--columns", "p(*)", code=EXIT_WRONG_REQUEST)
    assert "p(*) is of labels, and the study has numbers; write prediction" in said
