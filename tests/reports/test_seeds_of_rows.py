"""Rows of a list with seeds of their own: every form of the table tells which row has which."""

import csv
import json
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from reports.commands import _from_sources
from reports.page import terminal_table, write_reports
from reports.study.read import read_study
from runners.commands.plan import _cells
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan

LIST = (
    SMALL_SPACE
    + """[design]
kind = "list"
seeds = [0, 1]
rows = [{ row = "plain" }, { row = "frozen", frozen_layers = 6, seed = 42 }, { row = "again", seeds = [1, 2, 3] }]
"""
)


def written(folder: Path, space: str) -> Study:
    writer = Writer(Study(folder), small_plan(space, has_test=False))
    for cell, planned in enumerate(writer.plan.cells, start=1):
        for replicate, trial in enumerate(planned.trials):
            if trial not in [one for other in writer.plan.cells[: cell - 1] for one in other.trials]:
                writer.finish(
                    cell, outcome(0.9 if planned.row == "frozen" else 0.8 + (cell + 2 * replicate) / 100), replicate
                )
    return writer.study


@pytest.mark.slow  # 1.4 s
def test_each_form_has_the_column(tmp_path: Path) -> None:
    study = written(tmp_path / "study", LIST)
    page, rows, numbers, html, trials = (
        path.read_text() for path in write_reports(study, None, ["md", "csv", "json", "html"]) if path.suffix != ".tex"
    )
    assert [row["seeds"] for row in csv.DictReader(rows.splitlines())] == ["0, 1", "42", "1, 2, 3"]
    assert "3 cells of 2 factors, a list of rows, 1 to 3 seeds each" in " ".join(page.split())
    assert "| frozen " in page
    assert "| 42 " in page
    assert [[one["seed"] for one in cell["replicates"]] for cell in json.loads(numbers)["cells"]] == [
        [0, 1],
        [42],
        [1, 2, 3],
    ]
    assert "<td>1, 2, 3</td>" in html or ">1, 2, 3<" in html
    assert trials.splitlines()[0].count("seed") == 1
    with study.open() as ledger:
        assert "seeds" in terminal_table(ledger)
        assert "--seeds 0,1" in _from_sources(read_study(ledger))


def test_where_no_row_has_its_own_there_is_no_column(tmp_path: Path) -> None:
    study = written(tmp_path / "study", LIST.replace(", seed = 42", "").replace(", seeds = [1, 2, 3]", ""))
    page, rows, _ = (path.read_text() for path in write_reports(study, None, ["md", "csv"]))
    assert "seeds" not in rows.splitlines()[0]
    assert "a list of rows, 2 seeds each" in " ".join(page.split())


def test_in_chinese(tmp_path: Path) -> None:
    study = written(tmp_path / "study", LIST)
    page = write_reports(study, None, ["md"], "zh")[0].read_text()
    assert "1 到 3 个种子" in " ".join(page.split())
    assert "| 种子 " in page


def test_the_plan_says_which_rows_have_which() -> None:
    lines = _cells(small_plan(LIST), list_all=False)
    assert lines[0] == "3 cells x 1 to 3 seeds = 5 trials"
    assert "seeds: 0, 1 (plain); 42 (frozen); 1, 2, 3 (again)" in lines
