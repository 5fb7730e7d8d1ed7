import json
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsearch.study.study import Study
from reports.formats.table import terminal_table
from reports.importing.imported import store
from reports.importing.logs import read_log
from reports.importing.tables import read_table
from reports.page import make_page, write_reports
from reports.sections.context import PageContext
from reports.sections.figures import pictures_of
from reports.sections.log_curve import study_curve
from reports.study.view import StudyRows
from runners.cli import main
from tests.reports.pages import read

SVG = "{http://www.w3.org/2000/svg}"


def logged(study: Study, points: list[tuple[float, float]], response: str = "loss") -> StudyRows:
    path = Path("train.log")
    path.write_text("\n".join(json.dumps({"epoch": place, response: value}) for place, value in points))
    store(read_log(path, "epoch", response), study)
    return read(study)


def said(study: StudyRows) -> str:
    return " ".join(make_page(study).format().split())


def test_the_page_of_the_seed(seeds: Path, study: Study) -> None:
    store(read_log(seeds / "000_mlm_finetune.md", "epoch", "loss"), study)
    page, rows, numbers, html, table, _ = write_reports(study, None, ["md", "csv", "json", "html", "latex"])
    prose = " ".join(page.read_text().split())
    assert "**95 points of loss, epoch 1.02 to 178.94, imported from a training log**" in prose
    assert "First 3.3609 (epoch 1.02), last 0.104 (epoch 178.94), lowest 0.1023 (epoch 177.91)." in prose
    assert (
        "epoch 20.45 to 41.92 (about 20 points), 61.35 to 82.82 (about 20 points), 102.25 to 123.72 (about 20 points), "
        "143.15 to 164.62 (about 20 points). Elsewhere the usual distance is 1.02 (median)."
    ) in prose
    assert (
        "At the end: still falling. A straight line through the last tenth of the log (15 points from epoch 164.62 on) "
        "falls by 0.0085 (standard error 0.001)."
    ) in prose
    assert max(len(line) for line in page.read_text().split("\n")) <= 80
    assert len(rows.read_text().split()) == 96
    assert len(table.read_text().split(r"\\")) == 97
    curve = json.loads(numbers.read_text())["curve"]
    assert (curve["n"], curve["best"]) == (95, {"place": 177.91, "value": 0.1023})
    assert [gap["n_missing"] for gap in curve["gaps"]] == [20, 20, 20, 20]
    assert "effects" not in json.loads(numbers.read_text())
    assert "What matters" not in html.read_text()
    assert "<summary>41 of 95 points</summary>" in html.read_text()
    assert (study.folder / "figures" / "curve.svg").is_file()
    shown = read_table(page, "loss").rows
    assert (len(shown), shown[0].value, shown[-1].value) == (41, 3.3609, 0.104)
    assert min(row.value for row in shown) == 0.1023


def test_the_last_tenth_is_what_least_squares_says(study: Study) -> None:
    generator = np.random.default_rng(0)
    places = np.arange(1, 101) / 10
    values = 2 - 0.1 * places + generator.normal(0, 0.001, 100)
    tail = study_curve(logged(study, list(zip(places.tolist(), values.tolist(), strict=True)))).tail
    within = places >= 10 - 0.1 * 9.9
    (slope, _), covariance = np.polyfit(places[within], values[within], 1, cov=True)
    assert tail.n == within.sum() == 10
    assert tail.change == pytest.approx(slope * 0.9)
    assert tail.error == pytest.approx(math.sqrt(covariance[0, 0]) * 0.9)


@pytest.mark.parametrize(
    ("ends", "sentence"),
    [
        ([1.0, 0.99, 0.981, 0.97], "still falling. A straight line through the last tenth of the log (4 points from"),
        ([1.0, 1.01, 1.019, 1.03], "still rising. A straight line"),
        ([1.0, 1.2, 0.9, 1.1], "no clear change. A straight line"),
        ([1.0, 1.0, 1.0, 1.0], "no clear change. A straight line"),
    ],
)
def test_the_way_it_was_going(study: Study, ends: list[float], sentence: str) -> None:
    points = [(float(place), 2.0 - place / 40) for place in range(36)]
    points += [(36.0 + place, value) for place, value in enumerate(ends)]
    assert f"At the end: {sentence}" in said(logged(study, points))


def test_too_few_points_to_tell(study: Study) -> None:
    text = said(logged(study, [(1, 2.0), (2, 1.0), (3, 0.5)]))
    assert "the last tenth of the log (1 point from epoch 3 on) has too few points to tell" in text


def test_of_a_metric_the_highest_counts(study: Study) -> None:
    text = said(logged(study, [(1, 0.5), (2, 0.9), (3, 0.7)], "eval_accuracy"))
    assert "highest 0.9 (epoch 2)." in text
    assert "There is no gap in it." in text


@pytest.mark.parametrize(
    ("places", "gaps"),
    [
        ([1, 2, 3, 5, 6, 7, 8], [(3.0, 5.0, 1)]),
        ([1, 2, 3.4, 4, 5, 6, 7], []),
        ([0, 0, 0, 1, 1, 2, 3, 4, 9], [(4.0, 9.0, 4)]),
        ([1, 2, 4, 8, 16, 32, 64], []),
        ([1, 1, 1], []),
        ([1, 900], []),
    ],
)
def test_gaps(study: Study, places: list[float], gaps: list[tuple[float, float, int]]) -> None:
    curve = study_curve(logged(study, [(place, 1.0) for place in places]))
    assert [(float(gap.start.index), float(gap.end.index), gap.n_missing) for gap in curve.gaps] == gaps


def test_short_logs_show_all_points(study: Study) -> None:
    points = [(float(place), 1.0 / place) for place in range(1, 41)]
    page = make_page(logged(study, points)).format()
    assert "<summary>All points</summary>" in page
    assert page.count("\n| ") == 41


def test_hostile_names(study: Study) -> None:
    path = Path("train.log")
    names = ("<b>|`epoch` $1$", "<script>x</script> | loss *1*")
    path.write_text("\n".join(json.dumps({names[0]: i, names[1]: 1.0 / i}) for i in range(1, 60)))
    store(read_log(path, *names), study)
    page, html = (path.read_text() for path in write_reports(study, None, ["md", "html"]))
    assert read_table(study.page_path, names[1]).columns == names
    assert "<script>x" not in html
    assert page.count("\n## ") == 3


def curve_texts(study: StudyRows) -> list[str]:
    (picture,) = pictures_of(PageContext(study))
    return [element.text or "" for element in ET.fromstring(picture.svg).iter(f"{SVG}text")]


def test_the_figure_names_what_it_shows(study: Study) -> None:
    shown = logged(study, [(place, 40.0 / place) for place in (1, 2, 3, 4, 5, 16, 17, 18, 19, 20)])
    texts = curve_texts(shown)
    assert {"loss", "lowest: 2 at epoch 20", "not logged", "epoch", "loss (lower is better)"} <= set(texts)
    assert not any(re.match("cell|row", text) for text in texts)
    (picture,) = pictures_of(PageContext(shown))
    assert picture.alt == "Curve of loss: 40 at epoch 1, 2 at epoch 20; lowest: 2 at epoch 20."


@pytest.mark.parametrize(("low", "is_log"), [(0.15, True), (0.5, False), (-1.0, False)])
def test_values_that_differ_twentyfold_are_drawn_by_their_ratios(study: Study, low: float, is_log: bool) -> None:
    points = [(1.0, 4.0), (2.0, 2.0), (3.0, low)]
    texts = curve_texts(logged(study, points))
    assert ("0.2" in texts and "0.5" in texts and "1" in texts and "3" not in texts) == is_log


@pytest.mark.slow  # many curves, drawn at random
@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.floats(-1e100, 1e100, allow_subnormal=False)), min_size=2, max_size=60),
    st.sampled_from(["en", "zh"]),
)
def test_any_curve_has_a_page(points: list[tuple[float, float]], language: str) -> None:
    folder = _FOLDER[0]
    study = Study(folder / f"study{len(list(folder.iterdir()))}")
    (folder / "log.json").write_text(json.dumps([{"epoch": place, "f1": value} for place, value in sorted(points)]))
    store(read_log(folder / "log.json", "epoch", "f1"), study)
    assert len(write_reports(study, None, ["md", "json"], language)) == 2


_FOLDER: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    _FOLDER[:] = [tmp_path_factory.mktemp("curves")]


def test_other_commands_refuse_a_log_in_one_sentence(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    logged(study, [(1, 2.0), (2, 1.0)])
    with study.open() as ledger:
        assert "loss" in terminal_table(ledger)
    for words in (["verify"], ["status"], ["rerun", "--trial", "best"], ["predict", "x.txt"], ["annotate", "a", "1=1"]):
        assert main([words[0], str(study.folder), *words[1:]]) == 2
        assert capsys.readouterr().err.count("\n") == 1
