"""The context of a page: what several sections need is found once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from reports.page import FORMATS, make_page, write_reports
from reports.page_json import ORDER
from reports.sections import context
from reports.statistics.analyse import analysed
from reports.statistics.fitting import Fit
from reports.statistics.results import EffectAnalysis, Factor, Run
from reports.study.view import StudyRows
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import filled, import_table, read, sixty_four_cells
from tests.reports.sections.test_halving import halving_study


def without_test(study: Study) -> None:
    writer = Writer(study, small_plan(has_test=False))
    for cell, dev in enumerate((0.80, 0.81, 0.85, 0.84), start=1):
        writer.finish(cell, outcome(dev))


def published(study: Study) -> None:
    Path("table.csv").write_text("a,b,result\n0,0,0.5\n0,1,0.6\n1,0,0.7\n1,1,0.9\n")
    import_table(Path("table.csv"), None, study)


def sampled(study: Study) -> None:
    filled(study, lambda _: 0.8, SMALL_SPACE + '[design]\nkind = "random"\ncells = 3\n')


MAKERS = [(sixty_four_cells, 2), (without_test, 1), (published, 1), (halving_study, 1), (sampled, 0)]
"""On test and on dev, where that is another one, on which the best is chosen; a sample has no effects."""


@pytest.mark.slow  # 3 s
@pytest.mark.parametrize(("make", "n_inputs"), MAKERS)
def test_effects_are_analysed_once_for_all_formats(
    study: Study, monkeypatch: pytest.MonkeyPatch, make: Callable[[Study], object], n_inputs: int
) -> None:
    make(study)
    calls = []

    def counted(
        factors: Sequence[Factor], runs: Sequence[Run], inert: Sequence[str] = ()
    ) -> tuple[EffectAnalysis, Fit | None]:
        calls.append(repr((factors, runs, inert)))
        return analysed(factors, runs, inert)

    monkeypatch.setattr(context, "analysed", counted)
    write_reports(study, None, list(FORMATS), "zh")
    assert len(calls) == len(set(calls)) == n_inputs


@pytest.mark.slow  # 2 s
@pytest.mark.parametrize("make", [make for make, _ in MAKERS])
def test_every_number_has_one_owner(study: Study, make: Callable[[Study], object]) -> None:
    make(study)
    rows: StudyRows = read(study)
    keys = [key for section in make_page(rows).sections for key in section.numbers()]
    assert len(keys) == len(set(keys))
    assert list(make_page(rows).numbers())[3:] == [key for key in ORDER if key in keys]
