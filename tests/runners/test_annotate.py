"""Outside scores: kept by trial or by the trials of a row, shown beside the results, never chosen or tested by."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.page import terminal_table, write_reports
from reports.sections.results import best_sentence
from reports.study.read import read_study
from runners.cli import main
from tests.reports.conftest import SMALL_SPACE, SOURCES, Writer, outcome, small_plan


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Four cells: three with a result, the last one failed."""
    monkeypatch.chdir(tmp_path)
    writer = Writer(Study(Path("study")), small_plan(has_test=False))
    for cell in (1, 2, 3):
        writer.finish(cell, outcome(0.8 + cell / 100))
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("code_error", "no"), final=True), 4)
    return writer.study


@pytest.fixture
def annotate(study: Study, capsys: pytest.CaptureFixture[str]):
    def call(*words: str, code: int = 0) -> str:
        assert main(["annotate", str(study.folder), *words]) == code
        printed = capsys.readouterr()
        return printed.err if code else printed.out

    return call


def trials(study: Study) -> list[str]:
    with study.open() as ledger:
        return [cell.replicates[0].trial for cell in read_study(ledger).cells]


def scores(study: Study) -> dict[str, dict[str, float]]:
    with study.open() as ledger:
        return ledger.scores()


def test_given_replaced_and_removed(study: Study, annotate) -> None:
    first, second, third, _ = trials(study)
    assert f"leaderboard of row 1 (trial {first[:8]}): 0.75\n" in annotate("leaderboard", "1=0.75", f"{second[:8]}=0.7")
    said = annotate("leaderboard", "1=0.884897", "2=", f"{third}= 7e-1 ")
    assert f"row 1 (trial {first[:8]}): 0.884897, in place of 0.75\n" in said
    assert f"row 2 (trial {second[:8]}): removed, was 0.7\n" in said
    assert scores(study) == {"leaderboard": {first: 0.884897, third: 0.7}}


def test_every_form_of_the_table_has_the_column_and_nothing_else_changes(study: Study, annotate) -> None:
    before = json.loads(write_reports(study, None, ["json"])[0].read_text())
    annotate("online score", "1=0.884897", "2=0.1")
    page, rows, numbers, html, latex, _ = (
        path.read_text() for path in write_reports(study, None, ["md", "csv", "json", "html", "latex"])
    )
    assert [row["online score"] for row in csv.DictReader(rows.splitlines())] == ["0.884897", "0.1", "", ""]
    assert "| 1       | 0          | 0               | 0.8100     | 0.884897       |" in page
    assert "| 3       | 1          | 0               | **0.8300** |                |" in page
    assert "From outside, never chosen or tested by: `online score`." in page
    assert '<td class="number" data-value="0.884897">0.884897</td>' in html
    assert r"1 & 0 & 0 & 0.8100 & 0.884897 \\" in latex
    with study.open() as ledger:
        text, best = terminal_table(ledger), best_sentence(read_study(ledger))
    assert "0.884897\n" in text
    assert text.endswith("From outside, never chosen or tested by: online score.")
    assert best.startswith("Best: cell 3, ")
    after = json.loads(numbers)
    assert [cell.pop("scores") for cell in after["cells"]] == [
        {"online score": {trials(study)[0]: 0.884897}},
        {"online score": {trials(study)[1]: 0.1}},
        {"online score": {}},
        {"online score": {}},
    ]
    assert [cell.pop("scores") for cell in before["cells"]] == [{}] * 4
    assert [cell.pop("row_scores") for cell in (*before["cells"], *after["cells"])] == [{}] * 8
    assert after == before


def test_a_score_stays_with_its_trial_when_the_table_grows(study: Study, annotate) -> None:
    annotate("leaderboard", "2=0.7")
    (trial,) = scores(study)["leaderboard"]
    with Ledger(study.ledger_path) as ledger:
        ledger.adopt(small_plan(SMALL_SPACE.replace("[0, 6]", "[0, 3, 6]"), has_test=False), SOURCES)
    rows = list(csv.DictReader(write_reports(study, None, ["csv"])[0].read_text().splitlines()))
    assert [(row["index"], row["trials"]) for row in rows if row["leaderboard"]] == [("3", trial)]


@pytest.fixture
def two_seeds(study: Study) -> Study:
    shutil.rmtree(study.folder)
    writer = Writer(study, small_plan(f"{SMALL_SPACE}[design]\nseeds = [0, 1]\n", has_test=False))
    for replicate in (0, 1):
        writer.finish(1, outcome(0.8), replicate)
    return study


def test_of_several_trials_some_may_be_named(two_seeds: Study, annotate) -> None:
    with two_seeds.open() as ledger:
        first, second = (one.trial for one in read_study(ledger).cells[0].replicates)
    annotate("leaderboard", f"{first[:8]}=0.7", f"{second[:8]}=0.75")
    page, rows, _ = (path.read_text() for path in write_reports(two_seeds, None, ["md", "csv"]))
    assert next(csv.DictReader(rows.splitlines()))["leaderboard"] == "0.725"
    assert "tested by: `leaderboard`. Of several trials of a row, the mean." in " ".join(page.split())


def row_scores(study: Study) -> list[tuple[str, float]]:
    with study.open() as ledger:
        return [(one.name, one.value) for one in ledger.row_scores()]


def column(study: Study, language: str = "en") -> tuple[list[str], str]:
    """Return the scores in page.csv, and the words of the page."""
    page, rows, _ = (path.read_text() for path in write_reports(study, None, ["md", "csv"], language))
    return [row["leaderboard"] for row in csv.DictReader(rows.splitlines())], " ".join(page.split())


def test_a_whole_row_has_one_score(two_seeds: Study, annotate) -> None:
    assert "leaderboard of row 1 (2 trials): 0.9106\n" in annotate("leaderboard", "1=0.9106")
    assert scores(two_seeds) == {}
    shown, page = column(two_seeds)
    assert shown == ["0.9106", "", "", ""]
    assert "From outside, never chosen or tested by: `leaderboard`. What was given for a whole row is of all" in page
    assert "the mean" not in page.split("From outside")[1].split(".")[1]
    with two_seeds.open() as ledger:
        assert terminal_table(ledger).count("0.9106") == 1
    numbers = json.loads(write_reports(two_seeds, None, ["json"])[0].read_text())
    assert [cell["row_scores"] for cell in numbers["cells"]] == [{"leaderboard": 0.9106}, {}, {}, {}]
    assert "leaderboard of row 1 (2 trials): 0.92, in place of 0.9106" in annotate("leaderboard", "1=0.92")
    assert "removed, was 0.92" in annotate("leaderboard", "1=")
    assert row_scores(two_seeds) == []
    assert "row 1 (2 trials) has no score 'leaderboard' to remove" in annotate("leaderboard", "1=", code=2)


@pytest.mark.slow  # 1.8 s
def test_the_score_of_a_row_stays_with_it_when_the_study_grows(two_seeds: Study, annotate) -> None:
    """By a level, by a factor, by a seed: the row has another place, other levels, more trials."""
    annotate("leaderboard", "1=0.9106")
    seeds = "[design]\nseeds = [0, 1]\n"
    level = SMALL_SPACE.replace("[0, 6]", "[6, 0, 3]")
    for space in (level, f"{level}[factors.weight_decay]\nlevels = [0.0, 0.01]\n"):
        with Ledger(two_seeds.ledger_path) as ledger:
            ledger.adopt(small_plan(space + seeds, has_test=False), SOURCES)
        shown, page = column(two_seeds)
        assert [place for place, text in enumerate(shown) if text] == [1 if space is level else 2]
        assert "were added later" not in page
    with Ledger(two_seeds.ledger_path) as ledger:
        ledger.adopt(small_plan(space + seeds.replace("1]", "1, 2]"), has_test=False), SOURCES)
    shown, page = column(two_seeds)
    assert shown[2] == "0.9106"
    assert "The `leaderboard` of cell 3 is of 2 of its 3 trials: the others were added later." in page
    assert "属于其 3 个试验中的 2 个" in column(two_seeds, "zh")[1]


def test_a_grown_row_is_scored_anew_in_place_of_what_it_had(two_seeds: Study, annotate) -> None:
    annotate("leaderboard", "1=0.9106")
    writer = Writer(two_seeds, small_plan(f"{SMALL_SPACE}[design]\nseeds = [0, 1, 2]\n", has_test=False))
    said = annotate("leaderboard", "1=0.92", code=2)
    assert "only a row whose trials are all finished can have a score, but of row 1 2 of 3 are" in said
    writer.finish(1, outcome(0.8), 2)
    assert "row 1 (3 trials): 0.92, in place of 0.9106" in annotate("leaderboard", "1=0.92")
    assert row_scores(two_seeds) == [("leaderboard", 0.92)]
    assert "added later" not in column(two_seeds)[1]


def test_rows_are_found_by_name_and_keep_their_scores_apart(study: Study, annotate) -> None:
    """Two rows of one recipe, one of which has a trial more than the other: neither has the other's score."""
    shutil.rmtree(study.folder)
    rows = '[design]\nkind = "list"\nrows = [{ row = "few", seeds = [1, 2] }, { row = "many", seeds = [1, 2, 3] }]\n'
    writer = Writer(study, small_plan(SMALL_SPACE + rows, has_test=False))
    for replicate in range(3):
        writer.finish(2, outcome(0.8), replicate)
    annotate("leaderboard", "few=0.7")
    assert column(study)[0] == ["0.7", ""]
    annotate("leaderboard", "many=0.8")
    assert column(study)[0] == ["0.7", "0.8"]
    annotate("leaderboard", "few=0.6", "many=")
    assert column(study)[0] == ["0.6", ""]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["leaderboard", "1"], "a score is given as ROW=SCORE, such as 12=0.8778, but got '1'"),
        (["leaderboard", "=0.5"], "a score is given as ROW=SCORE"),
        (["leaderboard", "1=0.8?"], "a score must be a number, but is '0.8?'"),
        (["leaderboard", "1=nan"], "a score must be a number, but is 'nan'"),
        (["leaderboard", "2=0.7", "99=0.5"], "no trial of this study starts with '99', and no row has that index"),
        (["leaderboard", "4=0.5"], "only a finished trial can have a score, but row 4 (trial "),
        (["leaderboard", "1="], "has no score 'leaderboard' to remove"),
        (["leaderboard", "1=0.5", "1=0.6"], "two scores are given for row 1 (trial "),
        (["result", "1=0.5"], "a score must not be called 'result': the table has such a column"),
        (["bertadam", "1=0.5"], "a score must not be called 'bertadam'"),
        (["chosen_epoch", "1=0.5"], "a score must not be called 'chosen_epoch'"),
        (["", "1=0.5"], "a score needs a name of one line, without blanks around it, but got ''"),
        (["a\nb", "1=0.5"], "a score needs a name of one line"),
    ],
)
def test_refusals_change_nothing(study: Study, annotate, words: list[str], sentence: str) -> None:
    said = annotate(*words, code=2)
    assert sentence in said
    assert said.count("\n") == 1
    assert scores(study) == {}


def test_a_study_that_is_being_driven_is_left_alone(study: Study, annotate) -> None:
    with study.driven():
        assert "study is being driven by process" in annotate("leaderboard", "1=0.5", code=2)
    assert scores(study) == {}


def test_no_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["annotate", "nowhere", "leaderboard", "1=0.5"]) == 2
    assert "there is no study at nowhere" in capsys.readouterr().err
    assert not Path("nowhere").exists()
