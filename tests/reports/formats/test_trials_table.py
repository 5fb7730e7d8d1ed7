"""One row a trial, beside page.csv."""

import csv
import io
import statistics
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.formats.trials_table import trials_text
from reports.page import write_reports
from reports.study.read import read_study
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan

TWO_SEEDS = SMALL_SPACE + "[design]\nseeds = [0, 7]\n"


def rows_of(study: Study) -> list[dict[str, str]]:
    with study.open() as ledger:
        return list(csv.DictReader(io.StringIO(trials_text(read_study(ledger)))))


def test_a_trial_has_all_that_was_measured(study: Study) -> None:
    writer = Writer(study, small_plan(TWO_SEEDS))
    writer.finish(1, outcome(1 / 3, 2 / 3, not_learned="it guesses"), replicate=1)
    first, second, *others = rows_of(study)
    assert second == {
        "index": "1",
        "bertadam": "0",
        "frozen_layers": "0",
        "trial": writer.plan.cells[0].trials[1].id,
        "seed": "7",
        "fold": "0",
        "state": "finished",
        "not_learned": "it guesses",
        "dev": repr(1 / 3),
        "result": repr(2 / 3),
        "dev_accuracy": repr(1 / 3),
        "test_accuracy": repr(2 / 3),
        "chosen_epoch": "2",
        "epochs": "2",
        "train_seconds_per_epoch": "1.5",
        "dev_seconds_per_epoch": "0.25",
        "seconds": "4.0",
        "peak_bytes": str(2**30),
    }
    assert (first["state"], first["seed"], first["result"], first["dev_accuracy"]) == ("planned", "0", "", "")
    assert len(others) == 6


def test_all_metrics_on_the_training_rows_where_any_trial_has_them(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.5, 0.5, train=0.75))
    writer.finish(2, outcome(0.5, 0.5))
    assert [row["train_accuracy"] for row in rows_of(study)] == ["0.75", "", "", ""]


def test_failed_trials_have_a_row(study: Study) -> None:
    writer = Writer(study, small_plan(), {})
    writer.finish(1, outcome(0.5, 0.5))
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("code_error", "broken"), final=True), cell=2)
    assert [row["state"] for row in rows_of(study)] == ["finished", "failed", "planned", "planned"]


@pytest.mark.parametrize("has_test", [True, False])
def test_the_means_are_those_of_the_page(study: Study, *, has_test: bool) -> None:
    writer = Writer(study, small_plan(TWO_SEEDS, has_test=has_test))
    for cell in range(1, 5):
        for replicate in (0, 1):
            score = cell / 10 + replicate / 30
            writer.finish(cell, outcome(score, score + 0.01 if has_test else None), replicate)
    assert [path.name for path in write_reports(study, None, ["md", "csv"])] == ["page.md", "page.csv", "trials.csv"]
    same_numbers(study.folder)


def same_numbers(folder: Path) -> None:
    """Refuse a trials.csv that is not of the study whose page.csv lies beside it."""
    with (folder / "page.csv").open(encoding="utf-8", newline="") as page:
        cells = list(csv.DictReader(page))
    with (folder / "trials.csv").open(encoding="utf-8", newline="") as trials:
        rows = list(csv.DictReader(trials))
    assert cells
    if "trials" not in cells[0]:  # a published table: its rows are no trials
        assert rows == cells
        return
    for cell in cells:
        own = [row for row in rows if row["index"] == cell["index"]]
        assert [row["trial"] for row in own] == cell["trials"].split()
        # Where folds divide the rows, the table's results are of all rows together.
        columns = (
            {"fold mean": "result"} if "fold mean" in cell else {one: one for one in ("dev", "result") if one in cell}
        )
        for column, of_trial in columns.items():
            values = [float(row[of_trial]) for row in own if row["state"] == "finished"]
            assert (
                values == [] if cell[column] == "" else statistics.fmean(values) == pytest.approx(float(cell[column]))
            )
    assert len(rows) == sum(len(cell["trials"].split()) for cell in cells)
