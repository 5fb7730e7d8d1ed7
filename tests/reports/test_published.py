"""`make published`, on studies of a few rows."""

import csv
from pathlib import Path

import pytest

from reports.published import __main__ as published
from reports.published.__main__ import ALL, HERE, Published, main, make
from tests.reports.formats.test_trials_table import same_numbers

TASK = """
name = "moods"
kind = "single"
metric = "accuracy"
[files]
train = "moods.tsv"
dev = "moods.tsv"
[columns]
text = "text"
label = "mood"
"""
SPACE = """
title = "Does weight decay help?"
[recipe]
epochs = 1
batch_size = 8
max_length = 16
[factors.weight_decay]
levels = [0.0, 0.01]
"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder of its own; return where pages are written to."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pages"


@pytest.mark.slow  # a real sweep and two reports, each a process of its own: half a minute
def test_a_sweep_is_run_and_written(pages: Path, bert_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("moods.toml").write_text(TASK)
    Path("decay.toml").write_text(SPACE)
    rows = "".join(f"text number {number}\t{('good', 'bad')[number % 2]}\n" for number in range(16))
    Path("data").mkdir()
    Path("data/moods.tsv").write_text("text\tmood\n" + rows)
    question = ("sweep", "decay.toml", "--task", "moods.toml", "--model", str(bert_folder), "--runner", "serial")
    small = Published(f"decay-moods-{bert_folder.name}", question, "moods.tsv")
    make("small", small, Path("data"), 1, pages)
    assert "complete: 2 planned, 2 finished" in capfd.readouterr().out
    assert {path.name for path in (pages / "small").iterdir()} >= {"page.md", "page.csv", "trials.csv", "figures", "zh"}
    assert "验证集" in (pages / "small/zh/page.md").read_text(encoding="utf-8")
    assert "data" not in (pages / "small/page.md").read_text().split("gridsearch sweep")[1].split("\n")[0]
    same_numbers(pages / "small")


@pytest.mark.slow  # the page of a published table, twice
def test_a_table_is_imported_once(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("reference").mkdir()
    Path("reference/table.csv").write_text("index,a,result\n1,0,0.5\n2,1,0.6\n3,0,0.7\n4,1,0.8\n")
    question = ("import", "{data}/../reference/table.csv", "--study", "studies/table")
    table = Published("table", question, "../reference/table.csv")
    Path("data").mkdir()
    make("table", table, Path("data"), 1, pages)
    commands: list[str] = []
    monkeypatch.setattr(published, "_run", lambda words, data: commands.append(words[2]))
    make("table", table, Path("data"), 1, pages)
    assert commands == ["report", "report"]
    assert (pages / "table/trials.csv").read_text() == (pages / "table/page.csv").read_text()
    with (pages / "table/trials.csv").open() as rows:
        assert [row["result"] for row in csv.DictReader(rows)] == ["0.5", "0.6", "0.7", "0.8"]


def test_what_is_missing_is_said(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sst2-minilmm", "--data", "nowhere"]) == 2
    assert "unknown published study 'sst2-minilmm' (did you mean 'sst2-minilm'?)" in capsys.readouterr().err
    assert main(["sst2-minilm", "--data", "nowhere"]) == 2
    assert "sst2-minilm needs nowhere/glue/SST-2, which is not there" in capsys.readouterr().err


@pytest.mark.slow  # starts a command
def test_a_command_that_fails_ends_it(pages: Path) -> None:
    with pytest.raises(published.RequestError, match="ended with exit code 2"):
        make("none", Published("none", ("import", "none.csv"), "."), Path(), 1, pages)


def test_every_folder_is_made_again() -> None:
    assert {path.parent.name for path in HERE.glob("*/page.md")} == set(ALL)
    for name, one in ALL.items():
        assert one.question[0] == "import" or one.maker is None or (HERE / name / one.maker).is_file()
        spaces = [word for word in one.question if word.endswith(".toml")]
        assert all((HERE.parents[1] / space).is_file() for space in spaces)


OLDER = {"sst2-minilm", "precision-sst2-minilm"}
"""Pages that were written before there was a trials.csv, whose ledgers are gone; see reports/published/README.md."""


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_trials_of_a_published_page_lie_beside_it(name: str) -> None:
    assert (HERE / name / "trials.csv").is_file() == (name not in OLDER)
    if name not in OLDER:
        same_numbers(HERE / name)
