import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.knob import Knob
from gridsearch.plan import Plan
from gridsearch.study import Study
from gridsearch.trial import Failure
from reports.page import best_line, make_page, write_reports
from reports.rows import read_study
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan

GOLDEN = Path(__file__).with_name("small_page.md")


def ids(plan: Plan) -> list[str]:
    return [cell.trials[0].short_id for cell in plan.cells]


def page(study: Study) -> str:
    return write_reports(study, None, ["md"])[0].read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n\n")[1].split("\n\n## ")[0].strip()


@pytest.fixture
def small(study: Study) -> Writer:
    """Four cells: one collapsed, one that failed at first."""
    writer = Writer(study, small_plan())
    writer.yardstick(0.7, 0.71)
    writer.finish(1, outcome(0.80, 0.79))
    writer.finish(2, outcome(0.50, 0.50, seconds=0.9, collapsed="every dev row gets the same label"))
    writer.finish(3, outcome(0.85, 0.83, chosen=1))
    failure = Failure("out_of_memory", "MemoryError: no `room` | left")
    writer.run(lambda ledger, attempt: ledger.fail(attempt, failure, final=False), 4)
    writer.finish(4, outcome(0.84, 0.86, seconds=1.0))
    return writer


def test_the_page_of_a_small_study(small: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written out in full beside this file. Knobs that later versions add stay out of it."""
    meanings = {"bert_adam": Knob("no bias correction", "a paper"), "frozen_layers": Knob("layers that never train")}
    monkeypatch.setattr("reports.asked.knobs", lambda: meanings)
    with small.study.open() as ledger:
        rows = read_study(ledger)
    kept = ("epochs", "learning_rate", "bert_adam", "frozen_layers", "selection")
    cells = tuple(dataclasses.replace(cell, recipe={name: cell.recipe[name] for name in kept}) for cell in rows.cells)
    text = make_page(dataclasses.replace(rows, cells=cells)).format()
    expected = GOLDEN.read_text(encoding="utf-8")
    for number, short_id in enumerate(ids(small.plan), start=1):
        expected = expected.replace(f"<trial-{number}>", short_id)
    assert text == expected.replace("<fingerprint-of-the-task-32-digits>", small.plan.task.fingerprint)


def test_prose_fits_a_terminal(small: Writer) -> None:
    lines = page(small.study).split("\n")
    assert [line for line in lines if len(line) > 80 and not line.startswith("|") and "`" not in line] == []


def test_a_study_with_nothing_finished_is_honest(study: Study) -> None:
    Writer(study, small_plan())
    text = page(study)
    assert "**incomplete: 4 planned, 0 finished, 0 failed, 4 pending**" in text
    assert "No trial has finished yet: there is nothing to compare." in text
    assert section(text, "Failures") == "No attempt has been made."
    assert text.count(" pending") == 1 + 4
    for absent in ("Best and worst", "Read with care", "Collapsed runs", "Seconds per epoch", "Yardstick"):
        assert f"## {absent}" not in text
    assert "gridsearch sweep small.toml --task moods --seeds 0 --study study" in text


def test_no_failure_is_said_aloud(study: Study) -> None:
    writer = Writer(study, small_plan(has_test=False))
    writer.finish(1, outcome(0.8))
    assert section(page(study), "Failures") == "No attempt failed."
    assert section(page(study), "Collapsed runs") == "No finished run collapsed."


def test_failures_that_say_the_same_are_one_line(study: Study) -> None:
    writer = Writer(study, small_plan())
    for cell in (1, 2):
        writer.run(
            lambda ledger, attempt: ledger.fail(attempt, Failure("code_error", "ValueError: x"), final=True), cell
        )
    first, second, *_ = ids(writer.plan)
    assert section(page(study), "Failures").split("\n\n") == [
        "2 attempts of 2 failed.",
        f"- `code_error`, 2 attempts (final: not tried again): cells 1, 2, trials\n  `{first}`, `{second}`. "
        "`ValueError: x`",
    ]


def test_cells_left_out_are_counted_by_rule(study: Study) -> None:
    rules = (
        '[[rules]]\nskip = "bert_adam and frozen_layers == 6"\nwhy = "known"\n'
        '[[rules]]\nskip = "learning_rate > 0.5"\nwhy = "diverges"\n'
    )
    Writer(study, small_plan(SMALL_SPACE + rules))
    text = page(study)
    assert "3 cells of 2 factors (1 more left out by rules), 1 seed each" in text
    assert section(text, "Cells left out").split("\n") == [
        "Of 4 combinations, rules leave out 1; 3 are planned.",
        "",
        "- 1 cell by `bert_adam and frozen_layers == 6`: known",
        "- 0 cells by `learning_rate > 0.5`: diverges",
    ]


DEAD_SPACE = (
    '[recipe]\npooling = "cls"\n[factors]\nreinit_pooler = [false, true]\nbert_adam = [false, true]\n[design]\n'
)


@pytest.mark.parametrize(
    ("on_dead", "how"),
    [("collapse", "share their trials"), ("replicate", "are replicates of each other, with seeds of their own")],
)
def test_dead_knobs(study: Study, on_dead: str, how: str) -> None:
    Writer(study, small_plan(f'{DEAD_SPACE}on_dead = "{on_dead}"\n'))
    text = " ".join(section(page(study), "Dead knobs").split())
    assert text == (
        "- `reinit_pooler` cannot act in cells 3, 4 (2 of 4): pooling = 'cls' never uses the pooler. "
        f"Cells that differ in nothing else {how}: 1 = 3; 2 = 4."
    )


def test_cautions_of_several_seeds_without_a_test(study: Study) -> None:
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1]\n", has_test=False))
    for cell in (1, 2):
        writer.finish(cell, outcome(0.8 + cell / 100))
    text = " ".join(section(page(study), "Read with care").split())
    assert (
        "Best and worst are those of the 2 of 4 cells that have a result. Some replicates are missing in cells 1, 2."
        in text
    )
    assert "`sd` is over seeds" in text
    assert "one seed" not in text
    assert "There is no labelled test" in text
    assert (
        "Dev has 100 rows: one row is 0.0100, and the standard error of accuracy 0.8200 on so many rows is 0.0384."
        in text
    )


def test_a_space_without_frozen_layers_says_nothing_of_them(study: Study) -> None:
    Writer(study, small_plan("[factors]\nbert_adam = [false, true]\n")).finish(1, outcome(0.8, 0.8))
    assert "Seconds per epoch" not in page(study)


def test_resumed_on_another_version(small: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.reports import conftest

    monkeypatch.setitem(conftest.PROVENANCE, "commit", "ffffffffffff")
    small.run(lambda ledger, attempt: ledger.fail(attempt, Failure("lost_driver", "x"), final=False), 4)
    text = section(page(small.study), "Provenance")
    assert "- commit: `0123456789ab`; then `ffffffffffff`" in text
    assert "- runner: serial\n" in text


def test_hostile_texts_do_no_harm(tmp_path: Path) -> None:
    study = Study(tmp_path / "a `study` & 'more'")
    space = 'title = "*A* | <b>"\n[factors."epochs"]\nlabel = "x`|*"\nlevels = [1, 2]\n'
    writer = Writer(study, small_plan(space))
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("bad_data", "# a\n- b\n```"), final=True), 1)
    writer.finish(2, outcome(0.8, 0.8))
    text = page(study)
    assert text.startswith("# \\*A\\* \\| \\<b>\n")
    assert "| index   | x\\`\\|\\*" in text
    assert "\n# a" not in text
    assert "a `study` & '\"'\"'more'\"'\"''" in text


def test_best_line(small: Writer, tmp_path: Path) -> None:
    with small.study.open() as ledger:
        assert best_line(ledger) == "Best on dev: cell 3, test accuracy 0.8300 (dev 0.8500)."
    other = Study(tmp_path / "other")
    Writer(other, small_plan())
    with other.open() as ledger:
        assert best_line(ledger) == ""


def test_files_and_their_places(small: Writer, tmp_path: Path) -> None:
    assert write_reports(small.study, None, ["json", "md", "md"]) == [Path("study/page.json"), Path("study/page.md")]
    out = tmp_path / "a" / "b"
    assert write_reports(small.study, out, ["csv"]) == [out / "page.csv"]
    assert sorted(os.listdir("study")) == ["ledger.sqlite", "page.json", "page.md"]
    assert os.listdir(out) == ["page.csv"]


def test_wrong_requests(small: Writer, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"--format: unknown format 'mdd' .*'md'.*; known: md, csv, json"):
        write_reports(small.study, None, ["csv", "mdd"])
    assert not Path("study/page.csv").exists()
    with pytest.raises(RequestError, match="there is no study at"):
        write_reports(Study(tmp_path / "none"), None, ["md"])
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="the report cannot be written to"):
        write_reports(small.study, tmp_path / "file", ["md"])


def test_a_failed_write_leaves_the_old_page(small: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    old = page(small.study)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reports.page.os.replace", fail)
    with pytest.raises(RequestError, match="No space left"):
        page(small.study)
    assert Path("study/page.md").read_text() == old
    assert not [name for name in os.listdir("study") if name.endswith(".part")]


def test_json_has_the_numbers_of_the_page(small: Writer) -> None:
    found = json.loads(write_reports(small.study, None, ["json"])[0].read_text())
    assert found["coverage"]["line"] == "complete: 4 planned, 4 finished, 0 failed, 0 pending"
    assert (found["best"], found["worst"], found["highest_result"], found["baseline"]) == (3, 2, 4, 1)
    assert found["result"] == {"metric": "accuracy", "split": "test", "lower_is_better": False}
    cell = found["cells"][2]
    assert cell["settings"] == "bertadam1-frozen_layers0"
    assert (cell["result"], cell["chosen_epochs"]) == ({"mean": 0.83, "sd": None, "n": 1}, [1])
    assert cell["replicates"][0]["trial"] == small.plan.cells[2].trials[0].id
    assert found["speed"]["ratio"] == pytest.approx(0.95 / 1.5)
    assert found["yardsticks"] == [{"name": "TF-IDF + logistic regression", "dev": 0.7, "test": 0.71}]
    assert found["failures"][0]["then"] == "retried, and finished"
    assert found["commands"]["rerun"] == f"gridsearch rerun study --trial {ids(small.plan)[2]}"


def test_reports_need_neither_torch_nor_ray() -> None:
    heavy = ("torch", "ray", "pandas")
    check = f"import sys, reports.page, reports.importing; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
