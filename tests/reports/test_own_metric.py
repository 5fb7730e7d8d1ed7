"""What pages say of studies that are judged by a function of the user's own, of several seeds."""

import re

import numpy as np
import pytest

from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.judging.with_metric import with_metric
from reports.compare import compare, paired_difference
from reports.formats.html import html_text
from reports.language.say import speaking
from reports.page import make_page, terminal_table
from tests.reports.conftest import Writer, describe, outcome, small_task
from tests.reports.pages import THREE, read


def cost(truth: np.ndarray, said: np.ndarray) -> float:
    return -float((said.argmax(axis=1) != truth).mean())


def plan_of(metric: OwnMetric) -> Plan:
    return make_plan(parse_space(THREE, "small"), with_metric(small_task(), metric), describe)


def finished(study: Study, plan: Plan) -> Study:
    """Finish every trial: one factor matters, and seeds differ."""
    writer, draw = Writer(study, plan), np.random.default_rng(0)
    writer.yardstick(-0.3, -0.3)
    for cell in plan.cells:
        for replicate in range(len(cell.trials)):
            value = -0.2 + 0.1 * (cell.levels["bert_adam"] == "1") + 0.01 * float(draw.normal())
            writer.finish(cell.index, outcome(value, value, metric="cost"), replicate)
    return writer.study


@pytest.mark.parametrize("language", ["en", "zh"])
def test_effects_and_choice_are_of_it(language: str, study: Study) -> None:
    rows = read(finished(study, plan_of(OwnMetric(cost, "cost", "1"))))
    with speaking(language):
        page = make_page(rows)
        text, html = page.format(), html_text(rows, page.sections)
    numbers = page.numbers()
    assert (numbers["guess"], numbers["versus"], numbers["ensembles"]) == (None, None, None)
    assert numbers["choice"]["use"] is not None
    assert rows.ranking[0].levels["bert_adam"] == "1"
    assert not re.search(r"\b(nan|inf|None)\b", text)
    assert "def cost(truth" in text
    assert "def cost(truth" in html
    with study.open() as ledger:
        assert "cost on test" in terminal_table(ledger)


def test_only_results_of_one_function_are_subtracted(study: Study) -> None:
    first = read(finished(study, plan_of(OwnMetric(cost, "cost", "1"))))
    for number, (metric, is_same) in enumerate(
        (
            (OwnMetric(cost, "cost", "1"), True),
            (OwnMetric(cost, "cost", "2"), False),
            (OwnMetric(cost, "cost", "1", source="def cost(truth, said): return 0"), False),
        )
    ):
        other = read(finished(Study(study.folder.with_name(f"other{number}")), plan_of(metric)))
        comparison = compare(first, other)
        assert comparison.same_measure is is_same
        assert (paired_difference(comparison) is not None) is is_same
