"""Pages of studies of several parts: the parts beside their mean, and each by itself."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from gridsearch.tasks.metrics import score
from reports.compare import ComparisonPage, compare
from reports.formats.html import html_text
from reports.formats.latex import latex_text
from reports.formats.table import comparison_table, terminal_table
from reports.page import make_page, write_reports
from reports.sections.best_vs_baseline import best_against_baseline
from reports.study.members import read_members
from reports.study.pooled import Pool
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.cli import main
from tests.reports.ensembled import SEEDS as SINGLE_SEEDS
from tests.reports.ensembled import ensemble_study
from tests.reports.parted import FOLDS, GOOD, LABELS, PartWriter, joint_plan, joint_study, joint_task

NAMES = ["ocnli f1_macro", "ocemotion f1_macro", "tnews f1_macro"]


def read(study: Study, part: str = "") -> StudyRows:
    with study.open() as ledger:
        return read_study(ledger, part)


def told(rows: StudyRows, title: str) -> str:
    """A section of the page, in one line."""
    return " ".join(make_page(rows).format().split(f"## {title}\n")[1].split("\n## ")[0].split())


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the study of all parts is, below the name that a user would give it; it is read by many."""
    folder = tmp_path_factory.mktemp("parts")
    joint_study(Study(folder / "study"))
    return folder


@pytest.fixture
def joint(_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(_folder)
    return Study(Path("study"))


def test_the_target_has_a_column_for_each_part_beside_it(joint: Study) -> None:
    rows = read(joint)
    assert rows.metric == "mean f1_macro"
    table = comparison_table(rows)
    assert list(table.header[-3:]) == NAMES
    for cell, shown in zip(rows.cells, table.rows, strict=True):
        of_parts = [cell.of_part(one, "dev").mean for one in rows.about.parts]
        assert cell.result.mean == pytest.approx(np.mean([value for value in of_parts if value is not None]))
        assert [one.text for one in shown[-3:]] == [f"{value:.4f}" for value in of_parts]
    assert [one.best for one in table.rows[3][-3:]] == [False, True, True]
    assert "tnews f1\\_macro" in latex_text(rows)
    assert "tnews f1_<wbr>macro" in html_text(rows, make_page(rows).sections)


def test_a_part_that_is_no_better_than_a_guess_is_marked(joint: Study) -> None:
    rows = read(joint)
    marked = [[one.marked for one in shown[-3:]] for shown in comparison_table(rows).rows]
    assert marked == [[False] * 3, [True] * 3, [False, False, True], [False] * 3]
    assert not rows.cells[2].not_learned, "two parts of three were learned"
    (reason,) = rows.cells[1].not_learned
    assert reason.startswith("no part is better on dev than what a guess reaches (ocnli f1_macro 0.4")
    assert "in the column of a part: a run behind this number is no better on dev" in told(rows, "Results")
    with joint.open() as ledger:
        assert "† in the column of a part: no better than a guess there" in terminal_table(ledger)


def test_the_yardstick_is_told_part_by_part(joint: Study) -> None:
    rows = read(joint)
    assert [rows.yardsticks[0].of_part(one, "dev") for one in rows.about.parts] == [0.45, 0.5, 0.55]
    assert rows.yardsticks[0].dev == pytest.approx(0.5)
    assert "| TF-IDF + logistic regression | 0.5000 | 0.4500 | 0.5000 | 0.5500 |" in told(rows, "Yardstick")


def test_the_section_says_which_parts_another_cell_suits_better(joint: Study) -> None:
    section = told(read(joint), "Parts")
    assert "the mean f1_macro of `ocnli`, `ocemotion`, `tnews`. The best on dev by it, cell 4, is the best" in section
    assert "in `ocemotion`, `tnews`, too. Best elsewhere: cell 3 in `ocnli`; no test stands behind that" in section
    assert "| tnews | 225 | 15 | f1_macro |" in section
    assert "`gridsearch report study --part ocnli`" in section


def test_files_for_programs_have_the_parts(joint: Study) -> None:
    write_reports(joint, None, ["csv", "json"])
    rows, trials = (
        list(csv.DictReader(io.StringIO((joint.folder / name).read_text(encoding="utf-8"))))
        for name in ("page.csv", "trials.csv")
    )
    found = json.loads((joint.folder / "page.json").read_text(encoding="utf-8"))
    study = read(joint)
    for place, cell in enumerate(study.cells):
        for one in study.about.parts:
            mean = cell.of_part(one, "dev").mean
            assert float(rows[place][one.name]) == mean
            assert found["cells"][place]["parts"][one.part]["dev"]["mean"] == mean
    assert float(trials[0]["dev_tnews f1_macro"]) == found["cells"][0]["replicates"][0]["dev_metrics"]["tnews f1_macro"]
    assert [(one["part"], one["n_labels"], one["best"], one["is_best_of_target"]) for one in found["parts"]] == [
        ("ocnli", 3, 3, False),
        ("ocemotion", 7, 4, True),
        ("tnews", 15, 4, True),
    ]
    assert found["guess"] is None
    assert found["cells"][2]["parts"]["tnews"]["is_guess"]


def test_best_and_baseline_are_compared_on_the_rows_of_all_parts(joint: Study) -> None:
    rows = read(joint)
    found = best_against_baseline(rows)
    assert found is not None
    assert found.n_rows == 90 + 140 + 225
    best, baseline = rows.cells[3].result.mean, rows.cells[0].result.mean
    assert best is not None
    assert baseline is not None
    assert found.bootstrap.difference == pytest.approx(best - baseline)
    alone = [best_against_baseline(read(joint, part)) for part in LABELS]
    errors = [one.bootstrap.rows_error for one in alone if one is not None]
    assert found.bootstrap.rows_error == pytest.approx(np.sqrt(np.sum(np.square(errors))) / 3, rel=0.1)
    assert "Runs are averaged part by part: `gridsearch report study --part ocnli`" in told(
        rows, "Averages of several runs"
    )


@pytest.mark.slow  # 1.7 s
def test_the_page_of_a_part_is_that_of_its_metric(joint: Study) -> None:
    write_reports(joint, None, ["md"])
    before = (joint.folder / "page.md").read_text(encoding="utf-8")
    (path,) = write_reports(joint, None, ["md"], part="tnews")
    assert path.name == "page-tnews.md"
    assert (joint.folder / "page.md").read_text(encoding="utf-8") == before
    page = " ".join(path.read_text(encoding="utf-8").split())
    assert page.startswith("# Do bertadam and freezing help? (part tnews) This page is about the part `tnews` alone")
    assert "It selects on mean f1_macro" in page
    assert "![Heat map](figures-tnews/heat-map.svg)" in page
    assert (joint.folder / "figures-tnews" / "heat-map.svg").is_file()
    assert "On 225 rows of dev, the tnews f1_macro of cell 4" in page
    assert "gridsearch report study --part tnews --format md,csv,json" in page
    assert "## Parts" not in page


def test_of_a_part_all_is_read_from_its_own_rows(joint: Study) -> None:
    rows = read(joint, "tnews")
    assert [one.dev for one in rows.cells[0].finished] == [
        one.dev_metrics["tnews"]["f1_macro"] for one in rows.cells[0].finished
    ]
    assert rows.cells[0].finished[0].dev_by_epoch == (rows.cells[0].finished[0].dev,) * 2
    assert rows.yardsticks[0].dev == 0.55
    assert [bool(cell.not_learned) for cell in rows.cells] == [False, True, True, False]
    with joint.open() as ledger:
        members = read_members(ledger, rows)
        assert members is not None
        assert members.rows.labels.tolist() == [row % 15 for row in range(225)]
        assert read_members(ledger, read_study(ledger)) is None
    assert list(comparison_table(rows).header[-2:]) == NAMES[:2]


def test_a_target_of_one_part_is_judged_by_that_part_alone(study: Study) -> None:
    joint_study(study, joint_task(selected=("ocnli",), test={"ocnli": "labelled"}))
    rows = read(study)
    assert (rows.metric, rows.split) == ("ocnli f1_macro", "test")
    assert rows.ranking[0].index == 3
    assert list(comparison_table(rows).header[-2:]) == NAMES[1:]
    about = "What is selected on is the ocnli f1_macro. Learned beside it, and not counted: `ocemotion`, `tnews`."
    assert about in told(rows, "Parts")


def test_a_test_that_one_part_labels_is_told_of_that_part(study: Study) -> None:
    joint_study(study, joint_task(test={"ocnli": "labelled", "tnews": "none"}))
    rows = read(study)
    assert rows.split == "dev"
    assert list(comparison_table(rows).header[-4:]) == [
        "ocnli f1_macro on dev",
        "ocnli f1_macro on test",
        "ocemotion f1_macro on dev",
        "tnews f1_macro on dev",
    ]
    assert rows.cells[0].finished[0].test is None
    assert read(study, "ocnli").split == "test"


@pytest.mark.slow  # 1.3 s
def test_folds_are_put_together_part_by_part(study: Study) -> None:
    task = joint_task(metric="f1_macro", test={"tnews": "labelled"})
    writer = joint_study(study, task, FOLDS)
    rows = read(study)
    run = rows.cells[0].runs[0]
    assert run.dev == pytest.approx(np.mean([run.dev_metrics[part]["f1_macro"] for part in LABELS]))
    with study.open() as ledger:
        pool = Pool(ledger, rows.about)
        for part, one in writer.plan.task.parts.items():
            logits = pool.logits(run.trials, "dev", part)  # type: ignore[union-attr]
            assert logits is not None
            assert score(np.array(one.judged.labels), logits) == run.dev_metrics[part]
    assert run.test_metrics.keys() == {"tnews"}
    assert "mean f1_macro of all 505 rows, each judged by the run of its fold" in told(rows, "Results")
    assert read(study, "tnews").cells[0].runs[0].dev == run.dev_metrics["tnews"]["f1_macro"]


def test_what_the_worker_says_of_each_part_is_told_in_chinese(study: Study) -> None:
    writer = PartWriter(study, joint_plan(joint_task()))
    reason = "ocnli: every dev row gets the same label; tnews: every dev row gets the same label"
    zeros = dict.fromkeys(LABELS, 0.0)
    writer.finish(1, writer.outcome_of(1, writer.plan.cells[0].trials[0], zeros, reason))
    write_reports(study, None, ["md"], "zh")
    page = "".join((study.folder / "page.md").read_text(encoding="utf-8").split())
    assert "ocnli:验证集的每一条都被预测为同一标签；tnews:验证集的每一条都被预测为同一标签" in page


def test_studies_are_compared_by_a_part(joint: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joint_study(Study(tmp_path))
    assert main(["compare", "study", str(tmp_path), "--part", "tnews"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "task `tianchi`, tnews f1_macro on dev" in said
    assert "mean 0.0000" in said


def test_a_part_may_be_compared_with_the_single_task(joint: Study, tmp_path: Path) -> None:
    single = Study(tmp_path / "single")
    ensemble_study(single, space=SINGLE_SEEDS)
    accuracies = Study(tmp_path / "accuracies")
    joint_study(accuracies, joint_task(metric="accuracy"))
    by_part = compare(read(accuracies, "ocnli"), read(single))
    assert by_part.same_measure
    assert "so they are not subtracted" not in ComparisonPage(by_part).format()
    assert not compare(read(accuracies), read(single)).same_measure
    assert not compare(read(joint), read(accuracies)).same_measure


def test_a_part_that_there_is_not_is_one_sentence(
    joint: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "study", "--part", "tnew"]) == 2
    assert "unknown part 'tnew' (did you mean 'tnews'?); known: ocnli, ocemotion, tnews" in capsys.readouterr().err
    ensemble_study(Study(tmp_path))
    with pytest.raises(RequestError, match="the task moods has no parts"):
        read(Study(tmp_path), "tnews")
    assert main(["compare", str(tmp_path), str(tmp_path), "--part", "tnews"]) == 2
    assert "has several parts" in capsys.readouterr().err
    assert main(["ensemble", "study"]) == 2
    assert "study has several parts: gridsearch report study --part ocnli tells" in capsys.readouterr().err


def test_what_was_said_of_the_target_is_not_said_of_another_part(study: Study) -> None:
    writer = PartWriter(study, joint_plan(joint_task(selected=("ocnli",))))
    reason = "every dev row gets the same label"
    writer.finish(1, writer.outcome_of(1, writer.plan.cells[0].trials[0], GOOD | {"ocnli": 0.0}, reason))
    assert [list(read(study, part).cells[0].not_learned) for part in ("", "ocnli", "tnews")] == [[reason], [reason], []]


def test_where_no_run_learned_any_part_the_page_says_so(study: Study) -> None:
    writer = PartWriter(study, joint_plan(joint_task()))
    writer.finish_all(dict.fromkeys(LABELS, -3.0), dict.fromkeys(LABELS, -3.0))
    rows = read(study)
    assert rows.none_above_a_guess
    assert "than what a guess reaches (ocnli f1_macro 0.4" in " ".join(make_page(rows).format().split())
    assert not any(cell.not_learned for cell in rows.cells)


def test_a_study_of_parts_without_a_result_has_a_page(study: Study) -> None:
    PartWriter(study, joint_plan(joint_task()))
    page = make_page(read(study))
    assert "| tnews" in page.format()
    assert page.numbers()["parts"][0]["best"] is None
    assert GOOD.keys() == LABELS.keys()
