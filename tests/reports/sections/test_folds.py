"""Studies of folds: every row judged once, and a page that says what its numbers are."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import wcwidth
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.tasks.metrics import probabilities
from reports.compare import ComparisonPage, compare, paired_difference
from reports.formats.table import comparison_table, csv_text, terminal_table
from reports.formats.trials_table import trials_text
from reports.page import make_page
from reports.sections.best_vs_baseline import best_against_baseline
from reports.sections.context import PageContext
from reports.sections.folds import apart_text, out_of_fold_text
from reports.statistics.paired.cells import Seeds
from reports.study.view import CellRow, StudyRows
from tests.reports.conftest import SMALL_SPACE
from tests.reports.folded import N_ROWS, N_TEST, FoldWriter, folded_plan
from tests.reports.pages import page_html, read

SKLEARN = {
    "accuracy": lambda labels, chances: accuracy_score(labels, chances.argmax(axis=1)),
    "auc": lambda labels, chances: roc_auc_score(labels, chances[:, 1]),
    "f1_macro": lambda labels, chances: f1_score(labels, chances.argmax(axis=1), average="macro"),
    "log_loss": lambda labels, chances: log_loss(labels, chances),
}


def finished(study: Study, *, offset: float = 0.0, **about: object) -> StudyRows:
    writer = FoldWriter(study, folded_plan(**about), offset=offset)  # type: ignore[arg-type]
    writer.yardstick(0.7, None)
    writer.finish_all()
    return read(study)


def page(study: StudyRows) -> str:
    return " ".join(make_page(study).format().split())


@pytest.mark.slow  # many studies, drawn at random
@settings(max_examples=8, deadline=None)
@given(st.integers(2, 5), st.sampled_from([(0,), (0, 7, 3)]), st.sampled_from(sorted(SKLEARN)), st.booleans())
def test_a_result_is_that_of_all_rows_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, folds: int, seeds: tuple[int, ...], metric: str, has_test: bool
) -> None:
    with TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        study = Study(Path(folder) / "study")
        plan = folded_plan(folds=folds, seeds=str(list(seeds)), metric=metric, has_test=has_test)
        FoldWriter(study, plan).finish_all()
        rows = read(study)
        with study.open() as ledger:
            for cell in rows.cells:
                on_dev, on_test = _by_hand(ledger, cell, metric)
                assert tuple(run.seed for run in cell.runs) == seeds
                np.testing.assert_allclose([run.dev for run in cell.runs], on_dev, rtol=1e-6)
                assert cell.dev.mean == pytest.approx(np.mean(on_dev))
                assert cell.result.mean == pytest.approx(np.mean(on_test if has_test else on_dev))
                assert cell.result.n == len(on_dev)
                assert cell.folds.n == folds * len(on_dev)


def _by_hand(ledger: Ledger, cell: CellRow, metric: str) -> tuple[list[float], list[float]]:
    """The metric of each seed by scikit-learn: of rows put together one by one, and of mean probabilities on test."""
    labels, test_labels = ledger.labels("dev"), ledger.labels("test")
    assert labels is not None
    on_dev, on_test = [], []
    for seed in dict.fromkeys(one.seed for one in cell.replicates):
        chances: dict[int, np.ndarray] = {}
        of_test = []
        for one in cell.replicates:
            if one.seed == seed:
                rows, logits = ledger.dev_rows(one.trial), ledger.logits(one.trial, "dev")
                assert rows is not None
                assert logits is not None
                assert not chances.keys() & set(rows.tolist())
                chances |= dict(zip(rows.tolist(), probabilities(logits), strict=True))
                of_test.append(ledger.logits(one.trial, "test"))
        assert sorted(chances) == list(range(N_ROWS))
        on_dev.append(SKLEARN[metric](labels, np.array([chances[row] for row in range(N_ROWS)])))
        if test_labels is not None:
            mean = np.mean([probabilities(logits) for logits in of_test if logits is not None], axis=0)
            assert len(mean) == N_TEST
            on_test.append(SKLEARN[metric](test_labels, mean))
    return on_dev, on_test


def test_a_cell_without_all_folds_has_no_result_and_the_mean_of_those_that_are_there(study: Study) -> None:
    writer = FoldWriter(study, folded_plan(seeds="[0, 1]"))
    writer.finish_all(cells=2)
    for replicate in (0, 1, 2, 4):  # all folds of the first seed, and one of the second
        writer.finish_fold(3, replicate)
    writer.finish_fold(4, 0)
    rows = read(study)
    third, fourth = rows.cells[2:]
    assert (third.result.n, third.folds.n) == (1, 4)
    assert (fourth.result.mean, fourth.folds.n) == (None, 1)
    assert fourth.folds.mean == fourth.finished[0].dev
    assert fourth not in rows.ranking
    table = comparison_table(rows)
    column = table.header.index("result")
    assert [row[column].text for row in table.rows][3] == "pending"
    assert "Only 3 of 4 cells have a result. Some replicates are missing in cells 3, 4." in page(rows)
    assert "a cell has a result where all its folds are there" in page(rows)


def test_before_any_cell_has_all_folds_the_page_says_so(study: Study) -> None:
    writer = FoldWriter(study, folded_plan())
    for cell in range(1, 5):
        writer.finish_fold(cell, 0)
    text = page(read(study))
    assert "No cell has all of its folds yet: `fold mean` is all that there is to compare." in text


def test_without_logits_there_is_no_result_but_those_of_single_folds(study: Study) -> None:
    FoldWriter(study, folded_plan()).finish_all()
    with Ledger(study.ledger_path) as ledger:
        ledger.connection.execute("DELETE FROM logits")
        ledger.connection.commit()
    rows = read(study)
    assert [cell.result.mean for cell in rows.cells] == [None] * 4
    assert all(cell.folds.n == 3 for cell in rows.cells)
    assert "| 1 " in make_page(rows).format()


@pytest.mark.parametrize("seeds", ["[0]", "[0, 1]"])
@pytest.mark.parametrize("has_test", [False, True])
def test_every_form_of_the_table_has_the_spread_over_folds(study: Study, seeds: str, has_test: bool) -> None:
    rows = finished(study, seeds=seeds, has_test=has_test)
    (first, *_) = csv.DictReader(io.StringIO(csv_text(rows)))
    cell = rows.cells[0]
    assert float(first["fold mean"]) == pytest.approx(cell.folds.mean)
    assert float(first["fold sd"]) == pytest.approx(cell.folds.sd)
    assert float(first["result"]) == pytest.approx(cell.result.mean)
    trials = [line for line in csv.DictReader(io.StringIO(trials_text(rows))) if line["index"] == "1"]
    devs = [float(line["dev" if has_test else "result"]) for line in trials]
    assert np.mean(devs) == pytest.approx(cell.folds.mean)
    assert {line["fold"] for line in trials} == {"0", "1", "2"}
    (numbers, *_) = make_page(rows).numbers()["cells"]
    assert numbers["folds"]["n"] == len(trials)
    assert [run["dev"] for run in numbers["pooled"]] == [run.dev for run in cell.runs]
    assert "fold mean" in page_html(rows)
    with study.open() as ledger:
        text = terminal_table(ledger)
    assert max(map(wcwidth.width, text.splitlines())) <= 80


def test_effects_are_tested_within_folds_and_sentences_say_so(study: Study) -> None:
    rows = finished(study, folds=4)
    context = PageContext(rows)
    blocks = {(run.block, tuple(run.levels.values())) for run in context.measured.runs}
    assert len(blocks) == len(context.measured.runs) == 16, "each cell once in each fold"
    text = page(rows)
    assert "4 cells of 2 factors, 1 seed x 4 folds each" in text
    assert "how differently the cells react to a change of fold" in text
    assert "tested on dev accuracy of single folds" in text
    assert "what all folds share: most of their training rows" in text
    assert "change of seed" not in text
    assert "task: `moods`, 60 divided rows" in text
    assert "every row is judged by the one that did not see it" in text


def test_with_several_seeds_both_are_named(study: Study) -> None:
    text = page(finished(study, seeds="[0, 1]"))
    assert "2 seeds x 3 folds each" in text
    assert "mean over seeds; `sd` is over `n` seeds" in text


def test_the_best_and_the_baseline_are_compared_on_every_row_once(study: Study) -> None:
    rows = finished(study)
    versus = best_against_baseline(rows)
    if versus is None:
        assert rows.ranking[0] is rows.baseline
        return
    assert versus.n_rows == N_ROWS
    assert versus.bootstrap.difference == pytest.approx((versus.best.dev.mean or 0) - (versus.baseline.dev.mean or 0))
    assert [pair.rows.n_rows for pair in versus.seeds] == [N_ROWS]
    text = page(rows)
    assert "On 60 rows of all folds" in text
    assert "The models that one seed trained, one for each fold" in text


def choosing(study: StudyRows, recipes: Sequence[dict[str, object]]) -> StudyRows:
    cells = zip(study.cells, recipes, strict=True)
    return replace(study, cells=tuple(replace(cell, recipe={**cell.recipe, **one}) for cell, one in cells))


def test_what_is_out_of_fold_is_said(study: Study) -> None:
    rows = finished(study)
    best, last = {"selection": "best"}, {"selection": "last"}
    one_epoch, patient = {"selection": "best", "epochs": 1}, {"selection": "last", "patience": 1}
    out, chosen = "so what is told of dev is out of fold", "is not out of fold, and a little too good"
    assert out in out_of_fold_text(choosing(rows, [last, one_epoch, last, last]))
    assert f"What is told of dev {chosen}" in out_of_fold_text(choosing(rows, [best] * 4))
    assert f"What is told of dev of cells 2, 3 {chosen}" in out_of_fold_text(
        choosing(rows, [last, best, patient, last])
    )
    assert chosen in page(rows)


def test_runs_on_scales_of_their_own_are_named(study: Study) -> None:
    rows = finished(study, metric="auc", offset=6.0)
    assert all(cell.dev.mean < min(one.dev for one in cell.finished) for cell in rows.cells)  # type: ignore[operator,type-var]
    assert "give a worse auc than every single fold does in cells 1, 2, 3, 4" in apart_text(rows)
    assert "do not score rows on one scale" in page(rows)


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_a_mean_over_rows_lies_between_its_folds(study: Study, metric: str) -> None:
    assert apart_text(finished(study, metric=metric, offset=6.0)) == ""


def compared(space: str, folds: int, seeds: str = "[0]") -> ComparisonPage:
    """The comparison of a study of three folds with another."""
    first = finished(Study(Path("a")))
    return ComparisonPage(compare(first, finished(Study(Path("b")), space=space, folds=folds, seeds=seeds)))


OTHER = SMALL_SPACE.replace("epochs = 2", "epochs = 2\nlearning_rate = 1e-4")


@pytest.mark.usefixtures("study")
def test_studies_of_one_division_are_compared_fold_by_fold() -> None:
    shown = compared(OTHER, 3)
    assert {key for pair in shown.comparison.pairs for key in pair.first.results} == {
        key for pair in shown.comparison.pairs for key in pair.second.results
    }
    text = " ".join(shown.format().split())
    assert "Where folds divide the rows, results are means over single folds" in text
    assert "For other cells like these and other folds" in text
    found = paired_difference(shown.comparison)
    assert found is not None
    assert found.seeds == (Seeds.SHARED, Seeds.SHARED)


@pytest.mark.usefixtures("study")
def test_folds_of_another_division_are_no_pairs() -> None:
    shown = compared(SMALL_SPACE, 4, "[0, 1]")
    for pair in shown.comparison.pairs:
        assert not pair.first.results.keys() & pair.second.results.keys()
    assert "and other folds" in " ".join(shown.format().split())
