import json

import numpy as np
import pytest

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.page import write_reports
from reports.sections.context import PageContext
from reports.sections.cost import Cost, study_cost
from reports.study.read import read_study
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan


def costs(study: Study) -> dict[tuple[str, str], tuple[float | None, float | None, int]]:
    with study.open() as ledger:
        found = study_cost(read_study(ledger))
    assert found is not None
    return {(cost.factor, cost.level): (cost.seconds, cost.ratio, cost.n) for cost in found.levels}


def finish(writer: Writer, cell: int, seconds: float, replicate: int = 0) -> None:
    writer.finish(cell, outcome(0.8, 0.8, seconds=seconds), replicate)


def test_each_level_beside_the_baseline_of_its_factor(study: Study) -> None:
    writer = Writer(study, small_plan())
    for cell, seconds in enumerate((2.0, 1.0, 6.0, 4.0), start=1):
        finish(writer, cell, seconds)
    assert costs(study) == {
        ("bert_adam", "0"): (1.5, 1.0, 2),
        ("bert_adam", "1"): (5.0, 3.5, 2),  # the median of 6 / 2 and 4 / 1
        ("frozen_layers", "0"): (4.0, 1.0, 2),
        ("frozen_layers", "6"): (2.5, pytest.approx((1 / 2 + 4 / 6) / 2), 2),
    }


ONE_AT_A_TIME = """
[factors.attack]
levels = { none = { adversarial = "none" }, fgm = { adversarial = "fgm" } }
[factors.frozen_layers]
levels = [0, 6]
[factors.epochs]
levels = [3, 2, 4]
[design]
kind = "one-at-a-time"
seeds = [0, 1]
"""


def test_one_at_a_time_only_the_baseline_cell_is_compared_with(study: Study) -> None:
    """Else the attack would be compared with frozen layers as well, which are cheaper for a reason of their own."""
    writer = Writer(study, small_plan(ONE_AT_A_TIME))
    for replicate in (0, 1):
        for cell, seconds in enumerate((2.0, 4.0, 1.0), start=1):
            finish(writer, cell, seconds + replicate, replicate)
    assert costs(study) == {
        ("attack", "none"): (2.5, 1.0, 2),
        ("attack", "fgm"): (4.5, pytest.approx((4 / 2 + 5 / 3) / 2), 2),
        ("frozen_layers", "0"): (2.5, 1.0, 2),
        ("frozen_layers", "6"): (1.5, pytest.approx((1 / 2 + 2 / 3) / 2), 2),
        ("epochs", "3"): (2.5, 1.0, 6),
        ("epochs", "2"): (None, None, 0),
        ("epochs", "4"): (None, None, 0),
    }


def test_a_level_without_a_partner_has_seconds_but_no_ratio(study: Study) -> None:
    rows = 'rows = [{ row = "a", bert_adam = 1 }, { row = "b", frozen_layers = 6 }]\n'
    writer = Writer(study, small_plan(f'{SMALL_SPACE}[design]\nkind = "list"\n{rows}'))
    finish(writer, 1, 3.0)
    finish(writer, 2, 1.0)
    assert costs(study)["bert_adam", "1"] == (3.0, None, 1)
    assert costs(study)["bert_adam", "0"] == (1.0, 1.0, 1)


def test_a_trial_that_several_rows_share_is_counted_once(study: Study) -> None:
    rows = 'rows = [{ row = "a" }, { row = "b" }, { row = "c", bert_adam = 1 }, { row = "d", bert_adam = 1 }]\n'
    writer = Writer(study, small_plan(f'{SMALL_SPACE}[design]\nkind = "list"\n{rows}'))
    finish(writer, 1, 1.0)
    finish(writer, 3, 2.0)
    assert costs(study)["bert_adam", "0"] == (1.0, 1.0, 1)
    assert costs(study)["bert_adam", "1"] == (2.0, 2.0, 1)


def test_only_like_terms_are_compared(study: Study) -> None:
    writer = Writer(study, small_plan())
    finish(writer, 1, 2.0)
    finish(writer, 3, 3.0)
    writer.resources = {"threads": 8}
    finish(writer, 4, 0.5)
    assert costs(study)["bert_adam", "1"] == (3.0, 1.5, 1)
    assert costs(study)["frozen_layers", "6"] == (None, None, 0)
    write_reports(study, None, ["json"])
    found = json.loads((study.folder / "page.json").read_text())
    assert found["cost"]["n_other_terms"] == 1


def test_nothing_finished_costs_nothing(study: Study) -> None:
    Writer(study, small_plan())
    with study.open() as ledger:
        assert study_cost(read_study(ledger)) is None


def test_hours_and_what_failures_took(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.resources = {"threads": 2, "gpus": 0.5}
    writer.finish(1, outcome(0.8, 0.8))
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("lost_worker", "gone"), final=False), 2)
    with study.open() as ledger, ledger.connection as write:
        write.execute("UPDATE attempts SET started = 0, ended = 3600, seconds = 3600 WHERE state = 'finished'")
        write.execute("UPDATE attempts SET started = 3600, ended = 4800 WHERE state = 'failed'")
    with study.open() as ledger:
        rows = read_study(ledger)
    assert (rows.timing.core_seconds, rows.timing.gpu_seconds, rows.timing.failed_seconds) == (9600, 2400, 1200)
    text = " ".join(Cost(PageContext(rows)).format().split())
    assert "all attempts 2.67 core-hours, 0.667 GPU-hours; failures took 25.0% of the time." in text


PAIRS = SMALL_SPACE + "[factors.reinit_layers]\nlevels = [0, 1]\n[design]\nseeds = [0, 1]\n"


def text_of(study: Study) -> str:
    with study.open() as ledger:
        return " ".join(Cost(PageContext(read_study(ledger))).format().split())


def test_levels_that_change_the_time_are_named_and_no_others(study: Study) -> None:
    writer = Writer(study, small_plan(PAIRS))
    noise = np.random.default_rng(5).lognormal(0, 0.05, (8, 2))
    for cell in writer.plan.cells:
        for replicate in (0, 1):
            seconds = (4.0 if cell.levels["frozen_layers"] == "0" else 2.0) * noise[cell.index - 1, replicate]
            finish(writer, cell.index, float(seconds), replicate)
    writer.resources = {"threads": 8}
    assert (
        "Training time of an epoch beside the baseline level's: 0.50 times with frozen_layers 6. Other levels differ "
        "by no more than chance." in text_of(study)
    )


def test_no_level_changes_the_time(study: Study) -> None:
    writer = Writer(study, small_plan(PAIRS))
    noise = np.random.default_rng(6).lognormal(0, 0.3, (8, 2))
    for cell in writer.plan.cells:
        for replicate in (0, 1):
            finish(writer, cell.index, float(noise[cell.index - 1, replicate]), replicate)
    assert "No level changes the training time of an epoch by more than chance." in text_of(study)


def test_trials_on_other_terms_are_said_where_times_are_compared(study: Study) -> None:
    writer = Writer(study, small_plan(PAIRS))
    for cell in range(1, 8):
        for replicate in (0, 1):
            finish(writer, cell, 1.0, replicate)
    writer.resources = {"threads": 8}
    finish(writer, 8, 1.0)
    assert "Not counted in this: 1 trial on another machine or device, or with other threads" in text_of(study)


def test_one_pair_tells_nothing_of_chance(study: Study) -> None:
    writer = Writer(study, small_plan(f'{SMALL_SPACE}[design]\nkind = "one-at-a-time"\n'))
    for cell, seconds in enumerate((1.0, 9.0, 1.0), start=1):
        finish(writer, cell, seconds)
    assert "raining time" not in text_of(study)
