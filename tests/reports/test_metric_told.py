"""What the page says of the metric: which label f1_binary is of, and over which labels a mean is taken."""

from dataclasses import replace

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.task import Split, Task
from reports.compare import compare
from reports.formats.table import terminal_table
from reports.language.say import speaking
from reports.page import make_page
from reports.sections.results import best_sentence
from reports.study.read import read_study
from tests.reports.conftest import MANY, SMALL_SPACE, SOURCES, Writer, describe, outcome, small_task
from tests.reports.pages import read


def plan_of(task: Task) -> Plan:
    return make_plan(parse_space(SMALL_SPACE, "small"), task, describe)


def two_labels(positive: int = 1) -> Task:
    return replace(small_task(has_test=False, metric="f1_binary"), positive=positive)


def finished(study: Study, task: Task) -> Study:
    writer = Writer(study, plan_of(task))
    for cell, value in ((1, 0.7), (3, 0.9)):
        made = outcome(value, metric=task.metric)
        predicted = np.eye(len(task.label_names), dtype=np.float32)[list(MANY.labels or ())]
        writer.finish(cell, replace(made, parts={"task": replace(made.parts["task"], dev_logits=predicted)}))
    return writer.study


@pytest.mark.parametrize(("positive", "label"), [(0, "bad"), (1, "good")])
def test_f1_binary_names_its_label_wherever_a_result_is_told(study: Study, positive: int, label: str) -> None:
    done = finished(study, two_labels(positive))
    page = " ".join(make_page(read(done)).format().split())
    assert f"`result` is f1_binary of '{label}' on dev, at the epoch that is best on dev." in page
    assert f"the f1_binary of '{label}' of cell 3 less that of cell 1" in page
    with speaking("zh"):
        assert f"“{label}”的 f1_binary" in make_page(read(done)).format()
    with done.open() as ledger:
        assert f"dev f1_binary of '{label}' 0.9000" in best_sentence(read_study(ledger))  # what `status` prints
        assert f"result: f1_binary of '{label}' on dev" in terminal_table(ledger)
    assert make_page(read(done)).numbers()["result"]["positive_label"] == label


def test_a_label_may_hold_markdown(study: Study) -> None:
    task = replace(two_labels(), label_names=("bad", "*good* | <b>"))
    page = make_page(read(finished(study, task))).format()
    assert "f1_binary of '\\*good\\* \\| \\<b>'" in page


def test_other_metrics_have_no_positive_label(study: Study) -> None:
    done = finished(study, small_task(has_test=False))
    assert "`result` is accuracy on dev, at the epoch that is best on dev." in make_page(read(done)).format()
    assert make_page(read(done)).numbers()["result"]["positive_label"] is None


def test_a_study_of_another_positive_label_is_another_study(study: Study) -> None:
    done = finished(study, two_labels(1))
    with done.open() as ledger, pytest.raises(RequestError, match="the positive label was good, now it is bad"):
        ledger.refuse_another_study(plan_of(two_labels(0)), SOURCES)


def test_f1_of_one_label_is_not_subtracted_from_that_of_the_other(study: Study) -> None:
    first = read(finished(study, two_labels(1)))
    second = read(finished(Study(study.folder.with_name("other")), two_labels(0)))
    assert compare(first, replace(first, folder=study.folder.with_name("copy"))).same_measure
    assert not compare(first, second).same_measure


def three_labels(metric: str, dev: tuple[int, ...]) -> Task:
    train = Split(("good", "bad", "fine"), (1, 0, 2))
    return Task("moods", "single", metric, ("bad", "good", "fair"), train, replace(MANY, labels=dev))


def test_a_mean_over_fewer_labels_than_the_task_has_is_told(study: Study) -> None:
    done = read(finished(study, three_labels("f1_macro", (0, 1) * 50)))
    sentence = (
        "f1_macro is the mean over the labels that occur in dev or are predicted: dev has rows of 2 of the 3 labels."
    )
    assert sentence in " ".join(make_page(done).format().split())
    with speaking("zh"):
        assert "验证集的数据涉及 3 个标签中的 2 个" in make_page(done).format()


@pytest.mark.parametrize(("metric", "dev"), [("f1_macro", (0, 1, 2, 0) * 25), ("accuracy", (0, 1) * 50)])
def test_nothing_is_said_where_no_label_is_missing_from_a_mean(study: Study, metric: str, dev: tuple[int, ...]) -> None:
    assert "is the mean over" not in make_page(read(finished(study, three_labels(metric, dev)))).format()


def test_dev_of_one_label_is_warned_of(study: Study) -> None:
    done = read(finished(study, three_labels("accuracy", (1,) * 100)))
    sentence = "All rows of dev have the same label: a model that gives it to every text is perfect."
    assert sentence in " ".join(make_page(done).format().split())
    with speaking("zh"):
        assert "验证集的全部数据都是同一标签" in make_page(done).format()
