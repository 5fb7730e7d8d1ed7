"""Predictions of a sweep, beside what its trials took."""

import json
from collections.abc import Mapping
from typing import Any

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.language.say import speaking
from reports.page import write_reports
from reports.sections.context import PageContext
from reports.sections.cost import Cost
from reports.sections.cost_forecast import Forecast, GroupForecast, SweepForecast, forecast
from tests.reports.conftest import PROVENANCE, SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import read

UNFROZEN, FROZEN = {"frozen_layers": "0"}, {"frozen_layers": "6"}


def prediction(writer: Writer, cells: list[int], seconds: Mapping[int, float], **others: Any) -> dict[str, Any]:
    """Predict trials of the small plan, whose even cells have frozen layers."""
    rest = [cell for cell in cells if cell % 2], [cell for cell in cells if not cell % 2]
    groups = [
        {
            "settings": settings,
            "seconds": seconds[number],
            "trials": [writer.plan.cells[cell - 1].trials[0].id for cell in of_group],
        }
        for number, (settings, of_group) in enumerate(zip((UNFROZEN, FROZEN), rest, strict=True))
        if of_group
    ]
    return {
        "measured": ["2026-11-20"],
        "workers": 2,
        "trials": len(cells),
        "wall_seconds": 600.0,
        "core_seconds": 1000.0,
        "gpu_seconds": 0.0,
        "groups": groups,
    } | others


class Starts(Writer):
    """Writes attempts of several starts of a driver."""

    predicted: Mapping[str, Any] | None = None

    def attempt(self, cell: int, started: float, ended: float, *, fails: bool = False) -> None:
        content = PROVENANCE | ({} if self.predicted is None else {"predicted": self.predicted})
        with self.study.open() as ledger:
            trial = self.plan.cells[cell - 1].trials[0].id
            attempt = ledger.start(trial, ledger.provenance(content), "desk:1", {"threads": 1, "gpus": 0.5})
            if fails:
                ledger.fail(attempt, Failure("lost_driver", "gone"), final=False)
            else:
                ledger.finish(attempt, outcome(0.8, 0.8))
            with ledger.connection as write:
                query = "UPDATE attempts SET started = ?, ended = ?, heartbeat = ended, seconds = ? WHERE id = ?"
                write.execute(query, (started, ended, None if fails else ended - started - 1, attempt))


def starts(study: Study) -> Starts:
    return Starts(study, small_plan(SMALL_SPACE))


def text_of(study: Study) -> str:
    return " ".join(Cost(PageContext(read(study))).format().split())


def test_a_whole_sweep_beside_its_prediction(study: Study) -> None:
    writer = starts(study)
    writer.predicted = prediction(writer, [1, 2, 3, 4], {0: 300.0, 1: 200.0}, gpu_seconds=500.0)
    for cell, (started, ended) in enumerate([(0, 331), (0, 211), (331, 642), (211, 412)], start=1):
        writer.attempt(cell, started, ended)
    assert forecast(read(study)) == Forecast(
        measured=("2026-11-20",),
        groups=(GroupForecast(UNFROZEN, 2, 300.0, 320.0), GroupForecast(FROZEN, 2, 200.0, 205.0)),
        sweeps=(SweepForecast(4, 2, (600.0, 642.0), (1000.0, 1054.0), (500.0, 527.0)),),
        n_open=0,
    )
    text = text_of(study)
    assert "| 0 | 300 | 320 | 1.07 | 2 | | 6 | 200 | 205 | 1.02 | 2 |" in text
    assert (
        "For 4 trials by 2 workers, 10.0 min and 0.278 core-hours were predicted; it was 10.7 min and 0.293 "
        "core-hours. It was 0.146 GPU-hours, and 0.139 were predicted." in text
    )
    with speaking("zh"):
        assert "实际 / 预计" in text_of(study)
    write_reports(study, None, ["json"])
    assert json.loads((study.folder / "page.json").read_text())["predicted"]["groups"][0]["seconds"] == 320.0


def test_a_sweep_that_was_killed_and_went_on_has_no_hours_of_its_own(study: Study) -> None:
    writer = starts(study)
    writer.predicted = prediction(writer, [1, 2, 3, 4], {0: 300.0, 1: 200.0})
    writer.attempt(1, 0, 301)
    writer.attempt(2, 0, 301, fails=True)
    assert "Predicted, and not finished: 3 trials." in text_of(study)
    assert "were predicted; it was" not in text_of(study)
    writer.predicted = prediction(writer, [2, 3, 4], {0: 310.0, 1: 210.0}, measured=["2026-11-21"], wall_seconds=500.0)
    for cell, (started, ended) in zip((2, 3, 4), [(9000, 9201), (9000, 9301), (9201, 9401)], strict=True):
        writer.attempt(cell, started, ended)
    found = forecast(read(study))
    assert found is not None
    assert found.measured == ("2026-11-20", "2026-11-21")
    assert [(group.n_trials, group.predicted_seconds) for group in found.groups] == [(2, 305.0), (2, 210.0)]
    assert [sweep.wall_seconds for sweep in found.sweeps] == [(500.0, 401.0)]
    assert found.n_open == 0


def test_without_a_prediction_the_page_says_nothing_of_one(study: Study) -> None:
    writer = starts(study)
    writer.attempt(1, 0, 300)
    assert forecast(read(study)) is None
    assert "redicted" not in text_of(study)


def test_what_ran_without_a_prediction_is_not_open(study: Study) -> None:
    writer = starts(study)
    writer.predicted = prediction(writer, [1, 2], {0: 300.0, 1: 200.0})
    writer.attempt(1, 0, 301)
    writer.predicted = None
    writer.attempt(2, 400, 601)
    found = forecast(read(study))
    assert found is not None
    assert (found.n_open, [group.n_trials for group in found.groups], found.sweeps) == (0, [1], ())
