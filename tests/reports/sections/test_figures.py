"""Figures on the page: in Markdown by the names of files, in HTML inside the file."""

import re
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from reports.page import write_reports
from reports.study.read import read_study
from tests.reports.conftest import Writer, outcome, small_plan


@pytest.fixture
def finished(study: Study) -> Study:
    writer = Writer(study, small_plan())
    for cell, result in enumerate((0.80, 0.50, 0.85, 0.84), start=1):
        writer.finish(cell, outcome(result, result - 0.01, seconds=cell / 2))
    return study


def test_a_markdown_page_names_the_files_that_lie_beside_it(finished: Study, tmp_path: Path) -> None:
    (page,) = write_reports(finished, tmp_path / "out", ["md"])
    named = re.findall(r"!\[[^\]]+\]\((figures/[\w-]+\.svg)\)", page.read_text(encoding="utf-8"))
    assert {f"figures/{file.name}" for file in (page.parent / "figures").iterdir()} == set(named)
    assert {"figures/heat-map.svg", "figures/quality-time.svg", "figures/curves.svg"} <= set(named)
    assert all((page.parent / name).read_text(encoding="utf-8").startswith("<svg") for name in named)


def test_an_html_page_holds_them(finished: Study, tmp_path: Path) -> None:
    (page,) = write_reports(finished, tmp_path / "out", ["html"])
    assert page.read_text(encoding="utf-8").count('src="data:image/svg+xml;base64,') >= 3
    assert [file.name for file in page.parent.iterdir()] == ["page.html"]


def test_the_curves_are_those_of_the_ledger(finished: Study) -> None:
    """The fixture's trials have two epochs with the same result."""
    with finished.open() as ledger:
        cells = read_study(ledger).cells
    assert [one.dev_by_epoch for cell in cells for one in cell.replicates] == [
        (dev, dev) for dev in (0.80, 0.50, 0.85, 0.84)
    ]


def test_nothing_is_drawn_of_nothing(study: Study, tmp_path: Path) -> None:
    Writer(study, small_plan())
    (page,) = write_reports(study, tmp_path / "out", ["md"])
    assert "## Figures" not in page.read_text(encoding="utf-8")
    assert not (page.parent / "figures").exists()
