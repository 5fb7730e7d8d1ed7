"""The section of what Optuna found, and the copy of a study that Optuna's own tools read."""

import io
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.language.say import speaking
from reports.page import make_page
from reports.sections.context import PageContext
from reports.sections.search import SearchSection, convergence, importance, pareto_cells, proposed, terminal_text
from reports.study.optuna_export import study_view
from reports.study.view import LeftOutCell, StudyRows
from tests.reports.conftest import Writer, outcome, small_plan
from tests.reports.language.test_language import english_in
from tests.reports.pages import import_table, read

SPACE = """
title = "Which rate?"
[recipe]
epochs = 2
[factors.learning_rate]
label = "rate"
range = { low = 1e-5, high = 1e-3, log = true }
[factors.bert_adam]
levels = [false, true]
[design]
kind = "random"
cells = 12
"""
ABOUT = {
    "sampler": "tpe",
    "pruner": "none",
    "objectives": ["metric"],
    "trials": 12,
    "hours": None,
    "seed": 0,
    "known": 0,
}
RESULTS = [0.61, 0.58, 0.70, 0.65, 0.69, 0.74, 0.73, 0.55, 0.74, 0.76, 0.75, 0.60]
SECONDS = [5.0, 4.0, 8.0, 7.0, 3.0, 9.0, 6.0, 1.0, 2.0, 9.5, 9.0, 9.0]


def searched(study: Study, metric: str = "accuracy", **about: Any) -> StudyRows:
    """Twelve cells that Optuna proposed, with these results on dev."""
    plan = replace(small_plan(SPACE, has_test=False, metric=metric), optimised=ABOUT | about)
    writer = Writer(study, plan)
    for number, (result, seconds) in enumerate(zip(RESULTS, SECONDS, strict=True), start=1):
        writer.finish(number, replace(outcome(result, metric=metric), seconds=seconds))
    return read(study)


def test_a_table_of_the_best_and_how_they_came_about(study: Study) -> None:
    text = SearchSection(PageContext(searched(study))).format()
    assert (
        "## What Optuna found\n\nOptuna's sampler `tpe` proposed 12 cells for a high accuracy on dev (seed 0)." in text
    )
    (best,) = re.findall(r"### The best cells\n\n(.*?)\n\n", text, re.DOTALL)
    header, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in best.splitlines()]
    assert header == ["index", "rate", "bert_adam", "dev", "seconds"]
    assert [row[0] for row in rows] == ["10", "11", "6", "9", "7", "3", "5", "4", "1", "12 †"]
    assert rows[0][3:] == ["0.7600", "9.5"]
    assert "Pareto" not in text, "one objective"


def test_low_metrics_are_best(study: Study) -> None:
    rows = searched(study, metric="log_loss")
    text = SearchSection(PageContext(rows)).format()
    assert "for a low log_loss on dev" in text
    assert rows.ranking[0].index == 8
    assert [moment.best for moment in convergence(rows)] == [0.61, 0.58, 0.58, 0.55, 0.55]


def test_the_pareto_set_is_what_no_other_cell_beats_twice(study: Study) -> None:
    rows = searched(study, objectives=["metric", "seconds"])
    points = {cell.index: (RESULTS[cell.index - 1], SECONDS[cell.index - 1]) for cell in rows.cells}
    expected = {
        index
        for index, (result, seconds) in points.items()
        if not any(
            other != (result, seconds) and other[0] >= result and other[1] <= seconds for other in points.values()
        )
    }
    assert {cell.index for cell in pareto_cells(rows)} == expected
    assert [cell.index for cell in pareto_cells(rows)] == [10, 11, 9, 8]
    text = SearchSection(PageContext(rows)).format()
    assert "for a high accuracy on dev, few seconds" in text
    assert "### Pareto set" in text
    assert terminal_text(rows).startswith("Pareto set\nindex  rate")


def test_convergence_is_the_mean_over_all_orders(study: Study) -> None:
    found = {moment.n: moment for moment in convergence(searched(study))}
    assert list(found) == [1, 2, 5, 10, 12]
    assert [moment.best for moment in found.values()] == [0.61, 0.61, 0.70, 0.76, 0.76]
    for n, moment in found.items():
        assert moment.expected == pytest.approx(fmean(max(few) for few in itertools.combinations(RESULTS, n)))


def test_cells_of_an_earlier_sweep_are_not_what_optuna_proposed(study: Study) -> None:
    rows = searched(study, known=9)
    assert [cell.index for cell in proposed(rows)] == [10, 11, 12]
    assert [moment.n for moment in convergence(rows)] == [1, 2, 3]
    assert "proposed 3 cells for a high accuracy on dev (seed 0). 9 cells were known before." in (
        SearchSection(PageContext(rows)).format().replace("\n", " ")
    )


def test_importance_is_told_as_a_description(study: Study) -> None:
    rows = searched(study)
    found = importance(rows)
    assert set(found) == {"learning_rate", "bert_adam"}
    assert sum(found.values()) == pytest.approx(1)
    text = SearchSection(PageContext(rows)).format().replace("\n", " ")
    assert "It describes these cells and is no test" in text
    assert importance(replace(rows, cells=rows.cells[:9])) == {}, "too few"


def test_programs_read_the_same_numbers(study: Study) -> None:
    found = make_page(searched(study, objectives=["metric", "seconds"])).numbers()["optimised"]
    assert found["pareto"] == [10, 11, 9, 8]
    assert found["convergence"][-1] == {"n": 12, "best": 0.76, "expected": 0.76}
    assert set(found["importance"]) == {"learning_rate", "bert_adam"}


def test_pruned_trials_are_counted(study: Study) -> None:
    writer = Writer(study, replace(small_plan(SPACE), optimised=ABOUT | {"pruner": "median"}))
    writer.finish(1, outcome(0.6, 0.6))

    def prune(ledger: Any, attempt: int) -> None:
        ledger.record_epoch(attempt, outcome(0.5).epochs[0])
        ledger.prune(attempt)

    for cell in (2, 3):
        writer.run(prune, cell)
    rows = read(study)
    assert (rows.coverage.finished, rows.coverage.pruned, rows.coverage.pending) == (1, 2, 9)
    assert (rows.cells[1].state, rows.cells[1].replicates[0].dev_by_epoch) == ("pruned", (0.5,))
    text = SearchSection(PageContext(rows)).format().replace("\n", " ")
    assert "The pruner `median` ended 2 trials early: they have no result, and count as spent." in text
    states = [trial.state for trial in view(rows).get_trials()]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.PRUNED]


def test_a_range_is_one_row_where_levels_are_told(study: Study) -> None:
    page = make_page(searched(study)).format()
    (levels,) = re.findall(r"## What the levels mean\n\n(.*?)\n\n", page, re.DOTALL)
    assert "- rate (`learning_rate`): 1e-05 to 0.001, logarithmic; peak learning rate" in levels
    assert " rate " not in page.split("## Cost")[1].split("##")[0], "a value of a range has no second cell"
    assert "## Cells left out" not in page


def test_a_contradiction_is_no_rule(study: Study) -> None:
    rows = searched(study)
    left_out = LeftOutCell({"learning_rate": "1e-05", "bert_adam": "0"}, "both at once")
    text = make_page(replace(rows, excluded=(left_out,))).format()
    assert "## Cells left out\n\n- 1 cell by a contradiction: both at once" in text


def test_a_trial_that_failed_and_was_then_pruned(study: Study) -> None:
    writer = Writer(study, replace(small_plan(SPACE), optimised=ABOUT))
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("lost_driver", "it died"), final=False), 1)
    writer.run(lambda ledger, attempt: ledger.prune(attempt), 1)
    assert [failure.then for failure in read(study).failures] == ["retried, and pruned"]


def test_a_study_of_a_design_has_no_such_section(study: Study) -> None:
    Writer(study, small_plan(SPACE)).finish(1, outcome(0.6, 0.6))
    assert SearchSection(PageContext(read(study))).format() == ""


def test_the_page_in_chinese(study: Study) -> None:
    rows = searched(study, objectives=["metric", "seconds"], known=2)
    with speaking("zh"):
        page = make_page(rows).format()
    assert "## Optuna 找到了什么" in page
    assert english_in(page.replace("Which rate?", "")) == []


def view(rows: StudyRows) -> optuna.Study:
    return study_view(rows, optuna.storages.InMemoryStorage())


def test_optunas_copy_of_a_search(study: Study) -> None:
    copy = view(searched(study, objectives=["metric", "seconds"]))
    assert [direction.name for direction in copy.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [trial.values for trial in copy.get_trials()] == [list(pair) for pair in zip(RESULTS, SECONDS, strict=True)]
    assert {trial.user_attrs["index"] for trial in copy.best_trials} == {8, 9, 10, 11}
    assert copy.metric_names == ["accuracy", "seconds"]


def test_optunas_copy_of_a_factorial_and_of_a_published_table(study: Study, tmp_path: Path) -> None:
    writer = Writer(study, small_plan())
    writer.finish(3, outcome(0.8, 0.7))
    (trial,) = view(read(study)).get_trials()
    assert (trial.params, trial.values) == ({"bert_adam": "1", "frozen_layers": "0"}, [0.8])
    assert trial.intermediate_values == {1: 0.8, 2: 0.8}
    table = tmp_path / "table.csv"
    table.write_text("a,b,loss\n0,x,0.5\n1,y,0.25\n")
    other = Study(tmp_path / "published")
    import_table(table, "loss", other)
    copy = view(read(other))
    assert copy.best_params == {"a": "1", "b": "y"}, "a loss is better when it is low"
    assert copy.metric_names == ["loss"]


def test_the_dashboard_shows_it(study: Study) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    storage = optuna.storages.InMemoryStorage()
    study_view(searched(study), storage)
    statuses: list[str] = []
    asked = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/api/studies/0", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http", "QUERY_STRING": "",
    }  # fmt: skip
    body = b"".join(dashboard.wsgi(storage)(asked, lambda status, *_: statuses.append(status)))
    assert statuses == ["200 OK"]
    shown = json.loads(body)
    assert shown["name"] == "study"
    assert len(shown["trials"]) == 12
