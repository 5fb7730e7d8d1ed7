"""Losses of trainings beside each other: imported logs and pretrainings."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.compare_curves import CurveComparison, CurvesPage, compare_curves, value_at
from reports.figures.figure import LossCurve
from reports.importing.imported import store
from reports.importing.logs import read_log
from reports.language.say import speaking
from reports.study.view import StudyRows
from runners.cli import main
from tests.reports.conftest import Writer, small_plan
from tests.reports.figures.test_figures import assert_legible, texts
from tests.reports.language.test_language import english_in
from tests.reports.pages import read
from tests.reports.staged import OWN_SEEDS, pretrained


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def curve(name: str, points: list[tuple[float, float]], along: str = "epoch", response: str = "loss") -> StudyRows:
    path = Path(f"{name}.jsonl")
    path.write_text("".join(json.dumps({along: where, response: value}) + "\n" for where, value in points))
    store(read_log(path, along, response), Study(Path(name)))
    return read(Study(Path(name)))


def stages(name: str = "ours", space: str = OWN_SEEDS.replace("[0, 1]", "[0]")) -> StudyRows:
    """Points at epochs 10, 20, ... of 5, 4, 3.5, 3.2, 3, 2.86."""
    return pretrained(Study(Path(name)), space)


def said(comparison: CurveComparison) -> str:
    return " ".join(CurvesPage(comparison).format().split())


def body(comparison: CurveComparison) -> list[list[str]]:
    lines = [line for line in CurvesPage(comparison).format().splitlines() if line.startswith("|")]
    return [[cell.strip().replace("\\", "") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_two_logs_at_equal_epochs() -> None:
    first, second = curve("a", [(1, 4.0), (2, 3.0), (4, 2.0)]), curve("b", [(0.5, 5.0), (1.5, 4.0), (3, 2.5)])
    comparison = compare_curves(first, second)
    rows = body(comparison)
    assert (rows[0], rows[-1]) == (["1", "4.0000", "~4.5000"], ["3", "~2.5000", "2.5000"])
    assert ["2", "3.0000", "~3.5000"] in rows
    text = said(comparison)
    assert "At epoch 3, the last of both, A and B are equal." in text
    assert "`~`: on the straight line between the two logged points next to it." in text
    assert "A lower loss is no better encoder" in text


def test_a_log_and_pretrainings() -> None:
    ours, log = stages(), curve("log", [(1.0, 9.0), (21.0, 3.0), (41.0, 2.0)])
    comparison = compare_curves(log, ours)
    short, long = (row.stage.short_id for row in ours.stages[1:])
    text = said(comparison)
    assert "A: `log`, 3 points of loss from a training log, epoch 1.0 to 41.0" in text
    assert "B: `ours`, losses of 2 pretrainings" in text
    assert f"At epoch 30, the last of both, A is lower than B: {short} by 0.9500." in text
    assert f"At epoch 41, the last of both, A is lower than B: {long} by 1.1800." in text
    rows = body(comparison)
    assert (rows[0], rows[-1]) == (["10", "~6.3000", "5.0000", "5.0000"], ["41", "2.0000", "-", "~3.1800"])
    other = said(compare_curves(ours, log))
    assert f"{long} (3000 steps)" in other
    assert "B is lower than A" in other


def test_by_step() -> None:
    comparison = compare_curves(stages(), curve("log", [(400, 6.0), (1000, 4.5)], along="step"))
    assert [row[0] for row in body(comparison)][:: len(body(comparison)) - 1] == ["500", "1000"]
    assert "At step 1000" in said(comparison)


def test_the_log_of_the_seed(seeds: Path) -> None:
    store(read_log(seeds / "000_mlm_finetune.md", "epoch", "loss"), Study(Path("seed")))
    comparison = compare_curves(stages(), read(Study(Path("seed"))))
    assert len(comparison.meetings) == 2
    assert "B: `seed`, 95 points of loss from a training log, epoch 1.02 to 178.94" in said(comparison)
    picture = assert_legible(CurvesPage(comparison).picture())
    assert "60" in texts(picture)
    assert "100" not in texts(picture), "as far as both go"


def test_nothing_in_common() -> None:
    comparison = compare_curves(curve("a", [(1, 4.0), (2, 3.0)]), curve("b", [(5, 2.0), (6, 1.0)]))
    assert body(comparison) == []
    assert "They have no epoch in common: A goes from 1 to 2, B from 5 to 6." in said(comparison)
    assert_legible(CurvesPage(comparison).picture())


def test_one_place_in_common_and_several_points_of_one_place() -> None:
    comparison = compare_curves(curve("a", [(1, 4.0), (2, 3.0), (2, 1.0)]), curve("b", [(2, 2.5), (6, 1.0)]))
    assert body(comparison) == [["2", "2.0000", "2.5000"]]
    assert "At epoch 2, the last of both, A is lower than B by 0.5000." in said(comparison)


def test_many_pretrainings() -> None:
    ours = stages(space=OWN_SEEDS.replace("[0, 1]", "[0, 1, 2, 3, 4]"))
    comparison = compare_curves(ours, curve("log", [(1.0, 9.0), (21.0, 3.0), (41.0, 2.0)]))
    assert len(body(comparison)[0]) == 8
    assert "4 more pretrainings are not shown." in said(comparison)
    picture = assert_legible(CurvesPage(comparison).picture())
    assert "B: log" in texts(picture), "the log has a name"


@pytest.mark.parametrize("count", [1, 12])
def test_in_chinese(count: int) -> None:
    space = OWN_SEEDS.replace("[0, 1]", str(list(range(count))))
    ours, log = stages(space=space), curve("log", [(1.0, 9.0), (30.0, 3.5), (41.0, 2.0)])
    with speaking("zh"):
        for comparison in (compare_curves(ours, log), compare_curves(log, curve("b", [(90, 1), (91, 2)]))):
            page = CurvesPage(comparison)
            assert english_in(page.format().replace("steps", "")) == []
            assert_legible(page.picture())


def test_the_terminal_has_80_columns() -> None:
    comparison = compare_curves(stages(), curve("log", [(1.0, 9.0), (21.0, 3.0), (41.0, 2.0)]))
    text = CurvesPage(comparison).format(for_terminal=True)
    assert max(map(len, text.splitlines())) <= 80
    assert "| 10" not in text


def test_the_command_writes_a_picture_too(capsys: pytest.CaptureFixture[str]) -> None:
    stages()
    curve("log", [(1.0, 9.0), (41.0, 2.0)])
    assert main(["compare", "ours", "log"]) == 0
    assert "the last of both" in capsys.readouterr().out
    assert main(["compare", "ours", "log", "-o", "both.md"]) == 0
    assert capsys.readouterr().out == "both.md\nboth-losses.svg\n"
    assert "](both-losses.svg)" in Path("both.md").read_text()
    assert Path("both-losses.svg").read_text().startswith("<svg ")


def test_refusals() -> None:
    log = curve("log", [(1, 4.0), (2, 3.0)])
    plain = Writer(Study(Path("plain")), small_plan())
    with pytest.raises(RequestError, match="plain holds no pretraining whose losses could stand beside those of a log"):
        compare_curves(log, read(plain.study))
    with pytest.raises(RequestError, match="log runs over epoch and steps over step"):
        compare_curves(log, curve("steps", [(1, 4.0), (2, 3.0)], along="step"))
    with pytest.raises(RequestError, match="pretrainings are logged by epoch and step, and not by time"):
        compare_curves(curve("time", [(1, 4.0), (2, 3.0)], along="time"), stages())
    with pytest.raises(RequestError, match="loss and accuracy are different measures: import the losses of the log"):
        compare_curves(log, curve("acc", [(1, 0.4), (2, 0.5)], response="accuracy"))
    with pytest.raises(RequestError, match="two studies, but both are log"):
        compare_curves(log, log)


@given(
    st.dictionaries(st.floats(0, 100), st.floats(0, 10), min_size=2, max_size=8),
    st.floats(-10, 110),
)
def test_between_two_points_a_value_lies_between_theirs(points: dict[float, float], where: float) -> None:
    line = LossCurve("a", tuple(sorted(points.items())))
    found, places = value_at(line, where), sorted(points)
    assert (found is None) == (where < places[0] or where > places[-1])
    if found is None:
        return
    value, is_between = found
    assert is_between == (where not in points)
    before = max(one for one in places if one <= where)
    after = min(one for one in places if one >= where)
    low, high = sorted((points[before], points[after]))
    assert low - 1e-9 <= value <= high + 1e-9
