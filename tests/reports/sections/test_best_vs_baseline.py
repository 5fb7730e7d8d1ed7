"""The best cell against the baseline, from what the ledger holds."""

from dataclasses import replace

import numpy as np
import pytest

from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.ledger import Ledger
from gridsearch.study.stored_logits import array_bytes
from gridsearch.study.study import Study
from gridsearch.tasks.metrics import score
from reports.language.say import speaking
from reports.page import make_page
from reports.sections.best_vs_baseline import BestAgainstBaseline, best_against_baseline
from reports.sections.context import PageContext
from reports.study.view import StudyRows
from tests.reports.conftest import MANY, SMALL_SPACE, Writer, describe, logits, outcome, small_plan, small_task
from tests.reports.pages import read


def rows(writer: Writer) -> StudyRows:
    return read(writer.study)


def test_made_predictions_are_as_good_as_said() -> None:
    for accuracy in (0.0, 0.5, 0.83):
        assert score(np.array(MANY.labels), logits(accuracy))["accuracy"] == pytest.approx(accuracy)


def test_the_difference_is_that_of_the_results(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.80, 0.79))
    writer.finish(3, outcome(0.85, 0.83))
    found = best_against_baseline(rows(writer))
    assert found is not None
    assert found.bootstrap.difference == pytest.approx(0.04)
    assert (found.n_rows, found.best.index, found.baseline.index) == (100, 3, 1)
    (pair,) = found.seeds
    assert (pair.rows.n_only_first, pair.rows.n_only_second) == (4, 0)
    numbers_of_page = make_page(rows(writer)).numbers()["versus"]
    assert numbers_of_page["bootstrap"]["difference"] == pytest.approx(0.04)
    assert numbers_of_page["seeds"][0]["rows"]["p"] == pytest.approx(0.125)
    text = " ".join(BestAgainstBaseline(PageContext(rows(writer))).format().split())
    assert "chosen on these very rows" not in text
    assert "On 100 rows of test, the accuracy of cell 3 less that of cell 1 is +0.0400" in text
    assert "Two trained models are compared, not recipes: another seed may turn the order round." in text


def test_seeds_are_paired_and_averaged(study: Study) -> None:
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1]", has_test=False))
    for cell, values in ((1, (0.7, 0.8)), (2, (0.9, 0.8))):
        for replicate, value in enumerate(values):
            writer.finish(cell, outcome(value), replicate)
    found = best_against_baseline(rows(writer))
    assert found is not None
    assert found.bootstrap.difference == pytest.approx(0.1)
    assert [(pair.rows.n_only_first, pair.rows.n_only_second) for pair in found.seeds] == [(20, 0), (0, 0)]
    assert found.bootstrap.seeds_error == pytest.approx(0.1)
    low, high = found.bootstrap.interval
    assert low < -1 < 1 < high  # two seeds that differ by so much say next to nothing of others
    text = " ".join(BestAgainstBaseline(PageContext(rows(writer))).format().split())
    assert "of cell 2 (mean over 2 seeds) less that of cell 1 (mean over 2 seeds) is +0.1000" in text
    assert "95 % interval for other such rows and other seeds" in text
    assert "and 0.1000 from the seeds" in text
    assert "trained models" not in text
    assert "seed 0: only the best is right on 20 rows" in text
    assert "p < 0.0001" in text
    assert "chosen on these very rows" in text


@pytest.mark.parametrize(("positive", "label"), [(0, "bad"), (1, "good")])
def test_f1_binary_is_recomputed_for_the_positive_label(study: Study, positive: int, label: str) -> None:
    task = replace(small_task(has_test=False, metric="f1_binary"), positive=positive)
    writer = Writer(study, make_plan(parse_space(SMALL_SPACE, "small"), task, describe))
    labels = np.array(MANY.labels)
    wrong = logits(1.0)
    wrong[:20] = (1.0, 0.0)  # ten rows of label 1 are missed
    predictions = {1: wrong, 3: logits(1.0)}
    values = {cell: score(labels, one, positive)["f1_binary"] for cell, one in predictions.items()}
    for cell, found in predictions.items():
        made = outcome(values[cell], metric="f1_binary")
        part = replace(made.parts["task"], dev_logits=found)
        writer.finish(cell, replace(made, parts={"task": part}))
    versus = best_against_baseline(rows(writer))
    assert versus is not None
    assert versus.bootstrap.difference == pytest.approx(values[3] - values[1])
    text = " ".join(BestAgainstBaseline(PageContext(rows(writer))).format().split())
    assert f"the f1_binary of '{label}' of cell 3 less" in text


def test_nothing_to_compare(study: Study) -> None:
    writer = Writer(study, small_plan())
    assert BestAgainstBaseline(PageContext(rows(writer))).format() == ""
    writer.finish(2, outcome(0.6, 0.6))
    assert BestAgainstBaseline(PageContext(rows(writer))).format() == ""  # the baseline has no result
    writer.finish(1, outcome(0.8, 0.8))
    assert BestAgainstBaseline(PageContext(rows(writer))).format() == ""  # the baseline is the best
    assert make_page(rows(writer)).numbers()["versus"] is None


def test_a_ledger_from_before_labels_were_kept(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.80, 0.79))
    writer.finish(3, outcome(0.85, 0.83))
    with study.open() as ledger, ledger.connection as write:
        write.execute("DELETE FROM labels")
    assert BestAgainstBaseline(PageContext(rows(writer))).format() == ""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_logits_the_page_says_what_it_lacks(study: Study, lang: str) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.80, 0.79))
    writer.finish(3, outcome(0.85, 0.83))
    whole = rows(writer)
    with Ledger(study.ledger_path) as ledger, ledger.connection as write:
        write.execute("DELETE FROM logits WHERE attempt = 2")
    lacking = rows(writer)
    assert best_against_baseline(lacking) is None
    assert make_page(lacking).numbers()["versus"] is None
    with speaking(lang):
        said = BestAgainstBaseline(PageContext(lacking)).format()
        page = make_page(lacking).format()
    assert "--keep-logits" in said
    assert said.strip() in page
    assert [cell.result.mean for cell in lacking.cells] == [cell.result.mean for cell in whole.cells]


def test_half_precision_is_said(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.80, 0.79))
    writer.finish(3, outcome(0.85, 0.83))
    assert "half precision" not in BestAgainstBaseline(PageContext(rows(writer))).format()
    with Ledger(study.ledger_path) as ledger, ledger.connection as write:
        halved = array_bytes(logits(0.83).astype(np.float16))
        write.execute("UPDATE logits SET data = ? WHERE attempt = 2 AND split = 'test'", (halved,))
    found = best_against_baseline(rows(writer))
    assert found is not None
    assert found.bootstrap.difference == pytest.approx(0.04)
    assert "half precision" in BestAgainstBaseline(PageContext(rows(writer))).format()
