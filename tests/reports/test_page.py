import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.recipe import knobs
from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.language.say import retold, speaking
from reports.page import write_page, write_reports
from reports.sections.design import gist
from reports.sections.results import best_sentence
from reports.study.read import read_study
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import golden_page, small_page, small_study

GOLDEN = Path(__file__).with_name("small_page.md")


def ids(plan: Plan) -> list[str]:
    return [cell.trials[0].short_id for cell in plan.cells]


def page(study: Study) -> str:
    return write_reports(study, None, ["md"])[0].read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n\n")[1].split("\n\n## ")[0].strip()


@pytest.fixture
def small(study: Study) -> Writer:
    return small_study(study)


def test_the_page_of_a_small_study(small: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written out in full beside this file."""
    meanings = {
        "learning_rate": Knob("how far a step goes"),
        "bert_adam": Knob("no bias correction", "a paper"),
        "frozen_layers": Knob("layers that never train"),
        "selection": Knob("the epoch that is reported", neutral="best"),
    }
    monkeypatch.setattr("reports.sections.design.knobs", lambda: meanings)
    assert small_page(small.study) == golden_page(GOLDEN, small.plan)


def test_prose_fits_a_terminal(small: Writer) -> None:
    lines = page(small.study).split("\n")
    assert [line for line in lines if len(line) > 80 and not line.startswith("|") and "`" not in line] == []


def test_a_study_with_nothing_finished_is_honest(study: Study) -> None:
    Writer(study, small_plan())
    text = page(study)
    assert "**incomplete: 4 planned, 0 finished, 0 failed, 4 pending**" in text
    assert "No trial has finished yet: there is nothing to compare." in text
    assert "- no attempt has been made" in section(text, "Provenance")
    assert text.count(" pending") == 1 + 4
    for absent in ("Failures", "Read with care", "Runs that did not learn", "Cost", "Yardstick"):
        assert f"## {absent}" not in text
    assert "gridsearch sweep small.toml --task moods --seeds 0 --study study" in text


def test_sections_that_have_nothing_to_say_are_not_there(study: Study) -> None:
    """That nothing failed stands in the first line; that all runs learned, in no mark."""
    writer = Writer(study, small_plan(has_test=False))
    writer.finish(1, outcome(0.8))
    text = page(study)
    assert " 0 failed," in text
    assert "†" not in text
    for absent in ("Failures", "Runs that did not learn", "Runs that diverged", "Cells left out", "Dead knobs"):
        assert f"## {absent}" not in text


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
    assert "Only 2 of 4 cells have a result. Some replicates are missing in cells 1, 2." in text
    assert "There is no labelled test" in text
    assert "On the 100 rows of dev, the 95 % interval of accuracy 0.8200 is 0.7333 to 0.8830." in text


LISTED = """
[[design.rows]]
row = "plain"
[[design.rows]]
row = "more *data*"
[[design.rows]]
row = "adam"
bert_adam = true
"""


@pytest.fixture
def listed(study: Study) -> Writer:
    """Three rows, two of them the same recipe."""
    writer = Writer(study, small_plan(f'{SMALL_SPACE}[design]\nkind = "list"\n{LISTED}', has_test=False))
    writer.finish(1, outcome(0.8))
    writer.finish(3, outcome(0.9))
    return writer


def test_rows_of_a_list_have_their_names_everywhere(listed: Writer) -> None:
    text = page(listed.study)
    assert "3 cells of 2 factors, a list of rows, 1 seed each" in text
    assert section(text, "Results").split("\n\n")[1].split("\n") == [
        "| index   | row           | bertadam   | frozen_layers   | result     |",
        "|---------|---------------|------------|-----------------|------------|",
        "| 1       | plain         | 0          | 0               | 0.8000     |",
        "| 2       | more \\*data\\* | 0          | 0               | 0.8000     |",
        "| 3       | adam          | 1          | 0               | **0.9000** |",
    ]
    assert section(text, "Rows that are the same recipe").endswith("- cell 1 (plain) = cell 2 (more \\*data\\*)")
    assert "## Cells left out" not in text
    assert "The best of 2 noisy cells" in text
    assert "**complete: 2 planned, 2 finished" in text
    with listed.study.open() as ledger:
        assert best_sentence(read_study(ledger)) == "Best: cell 3 (adam), dev accuracy 0.9000."


def test_a_list_for_programs(listed: Writer) -> None:
    write_reports(listed.study, None, ["csv", "json"])
    found = json.loads(Path("study/page.json").read_text())
    assert [cell["row"] for cell in found["cells"]] == ["plain", "more *data*", "adam"]
    assert found["same_rows"] == [["plain", "more *data*"]]
    lines = Path("study/page.csv").read_text().splitlines()
    assert lines[0].startswith("index,row,bertadam,frozen_layers,result,state")
    assert lines[2].startswith("2,more *data*,0,0,0.8,finished")


def test_a_list_without_the_baseline_says_so(study: Study) -> None:
    rows = (
        '[design]\nkind = "list"\nrows = [{ row = "adam", bert_adam = true }, { row = "frozen", frozen_layers = 6 }]\n'
    )
    rule = '[[rules]]\nskip = "frozen_layers == 6"\nwhy = "known"\n'
    writer = Writer(study, small_plan(SMALL_SPACE + rows + rule))
    writer.finish(1, outcome(0.8, 0.8))
    writer.yardstick(0.7, 0.7)
    text = page(study)
    assert "No row of the list is the baseline." in section(text, "Yardstick")
    assert "1 cell of 2 factors, a list of rows (1 more left out by rules)" in text
    assert section(text, "Cells left out") == "- 1 cell by `frozen_layers == 6`: known"


def test_one_at_a_time_tells_how_many_cells_it_asks_for(study: Study) -> None:
    Writer(study, small_plan(SMALL_SPACE + '[design]\nkind = "one-at-a-time"\n'))
    assert "3 cells of 2 factors, a one-at-a-time design, 1 seed each" in " ".join(page(study).split())


def test_one_at_a_time_with_a_rule(study: Study) -> None:
    rule = '[[rules]]\nskip = "bert_adam"\nwhy = "known"\n'
    Writer(study, small_plan(SMALL_SPACE + '[design]\nkind = "one-at-a-time"\n' + rule))
    text = " ".join(page(study).split())
    assert "2 cells of 2 factors, a one-at-a-time design (1 more left out by rules), 1 seed each" in text
    assert "## Cells left out - 1 cell by `bert_adam`: known ##" in text


def test_a_fraction_names_what_it_cannot_tell_apart(study: Study) -> None:
    third = "[factors.reinit_layers]\nlevels = [0, 1]\n"
    Writer(study, small_plan(SMALL_SPACE + third + '[design]\nkind = "fraction"\nresolution = 3\n'))
    text = page(study)
    assert "4 cells of 3 factors, a fraction of resolution 3 at least, 1 seed each" in text
    assert section(text, "Cells left out").split("\n")[-3:] == [
        "- bertadam = frozen_layers x reinit_layers",
        "- frozen_layers = bertadam x reinit_layers",
        "- reinit_layers = bertadam x frozen_layers",
    ]


def test_tricks_that_are_off_are_not_listed(study: Study) -> None:
    Writer(study, small_plan("[recipe]\nepochs = 2\nselection = 'last'\n[factors]\nbert_adam = [false, true]\n"))
    text = " ".join(section(page(study), "The same for all cells").split())
    assert text == (
        '`epochs = 2`, `batch_size = 4`, `selection = "last"`. All else is at its default; `gridsearch knobs` explains.'
    )


LEVELS = """
[factors.bert_adam]
label = "bertadam"
levels = [false, true]
[factors.weight_decay.levels]
"0" = { weight_decay = 0.0 }
"1" = { weight_decay = 0.01 }
[factors.attack.levels]
none = { adversarial = "none" }
fgm = { adversarial = "fgm", adversarial_epsilon = 0.5 }
[factors.reinit_layers]
levels = [0, 1]
"""


def test_only_levels_that_do_not_say_themselves_what_they_set_are_told(study: Study) -> None:
    Writer(study, small_plan(LEVELS))
    lines = " ".join(section(page(study), "What the levels mean").split()).split(" - ")
    assert lines == [
        "- bertadam (`bert_adam`): Adam without bias correction",
        "weight_decay: decoupled weight decay, multiplied by the learning rate; 1: `weight_decay = 0.01`",
        "attack (`adversarial`, `adversarial_epsilon`): train on perturbed word embeddings as well; norm of FGM's "
        'perturbation; none: `adversarial = "none"`; fgm: `adversarial = "fgm"`, `adversarial_epsilon = 0.5`',
        "reinit_layers: draw the top layers anew",
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", knobs())
def test_the_gist_of_every_knob_is_whole(name: str, language: str) -> None:
    """What is left has its brackets closed, and is no stub."""
    with speaking(language):
        text = gist(retold(knobs()[name].meaning))
    assert len(text) >= (4 if language == "zh" else 10)
    assert text == text.strip()
    assert [text.count(mark) for mark in "(（"] == [text.count(mark) for mark in ")）"]


def test_resumed_on_another_version(small: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.reports import conftest

    monkeypatch.setitem(conftest.PROVENANCE, "commit", "ffffffffffff")
    small.run(lambda ledger, attempt: ledger.fail(attempt, Failure("lost_driver", "x"), final=False), 4)
    text = section(page(small.study), "Provenance")
    text = " ".join(text.split())
    assert "commit: `0123456789ab`, then `ffffffffffff` -" in text
    assert "runner: serial -" in text
    assert "command:" not in text, "it is the one under Repeat it"


def test_resumed_with_other_packages(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs from one start to another is told, whatever package it is."""
    from tests.reports import conftest

    writer = Writer(study, small_plan())
    versions = {"torch": "2.13.0", "transformers": "5.23.0", "numpy": "2.4.6", "ray": "2.60.0"}
    command = ["gridsearch", "sweep", "small.toml", "--task", "moods", "--study", "study", "--workers", "2"]
    for numpy, more in (("2.4.6", {}), ("2.5.0", {"command": command})):
        for name, value in {"versions": versions | {"numpy": numpy}, **more}.items():
            monkeypatch.setitem(conftest.PROVENANCE, name, value)
        writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("lost_driver", "x"), final=False), 4)
    text = " ".join(section(page(study), "Provenance").split())
    assert "numpy 2.4.6" in text
    assert "numpy 2.5.0" in text
    assert "ray" not in text
    assert "`gridsearch sweep small.toml --task moods --study study`, then `gridsearch sweep small.toml" in text


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
        assert best_sentence(read_study(ledger)) == "Best on dev: cell 3, test accuracy 0.8300 (dev 0.8500)."
    other = Study(tmp_path / "other")
    Writer(other, small_plan())
    with other.open() as ledger:
        assert best_sentence(read_study(ledger)) == ""


def test_files_and_their_places(small: Writer, tmp_path: Path) -> None:
    assert write_reports(small.study, None, ["json", "md", "md"]) == [Path("study/page.json"), Path("study/page.md")]
    out = tmp_path / "a" / "b"
    assert write_reports(small.study, out, ["csv"]) == [out / "page.csv", out / "trials.csv"]
    assert sorted(os.listdir("study")) == ["figures", "ledger.sqlite", "page.json", "page.md"]
    assert sorted(os.listdir(out)) == ["page.csv", "trials.csv"]


def test_the_page_that_people_open_is_named_first(small: Writer) -> None:
    assert write_page(small.study) == "page: study/page.html\ntext: study/page.md"
    assert sorted(os.listdir("study")) == ["figures", "ledger.sqlite", "page.html", "page.md"]


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

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RequestError, match="No space left"):
        page(small.study)
    assert Path("study/page.md").read_text() == old
    assert not [name for name in os.listdir("study") if name.endswith(".part")]


def test_json_has_the_numbers_of_the_page(small: Writer) -> None:
    found = json.loads(write_reports(small.study, None, ["json"])[0].read_text())
    assert found["coverage"]["line"] == "complete: 4 planned, 4 finished, 0 failed, 0 pending"
    assert (found["best"], found["worst"], found["highest_result"], found["baseline"]) == (3, 2, 4, 1)
    expected = {"metric": "accuracy", "positive_label": None, "split": "test", "lower_is_better": False}
    expected["own_metric"] = None
    assert found["result"] == expected
    cell = found["cells"][2]
    assert cell["settings"] == "bertadam1-frozen_layers0"
    assert (cell["result"], cell["chosen_epochs"]) == ({"mean": 0.83, "sd": None, "n": 1}, [1])
    assert cell["replicates"][0]["trial"] == small.plan.cells[2].trials[0].id
    assert found["cost"]["n_other_terms"] == 0
    assert [(cost["level"], cost["seconds"], cost["n"]) for cost in found["cost"]["levels"][2:]] == [
        ("0", 1.5, 2), ("6", pytest.approx(0.95), 2),
    ]  # fmt: skip
    assert found["cost"]["levels"][3]["ratio"] == pytest.approx((0.9 / 1.5 + 1.0 / 1.5) / 2)
    assert found["yardsticks"] == [{"name": "TF-IDF + logistic regression", "dev": 0.7, "test": 0.71}]
    assert found["failures"][0]["then"] == "retried, and finished"
    assert found["commands"]["rerun"] == f"gridsearch rerun study --trial {ids(small.plan)[2]}"


def test_reports_need_neither_torch_nor_ray() -> None:
    heavy = ("torch", "ray", "pandas")
    check = f"import sys, reports.page, reports.importing; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


PAIRED_SPACE = (
    SMALL_SPACE + "[factors.weight_decay]\nlevels = [0.0, 0.01]\n[factors.warmup_proportion]\nlevels = [0.0, 0.5]"
)


def finish_in_pairs(study: Study, n_equal: int) -> None:
    """Let the first of eight pairs of cells that differ in the weight decay alone have equal results."""
    writer = Writer(study, small_plan(PAIRED_SPACE))
    noise = np.random.default_rng(0).normal(size=17)
    pairs = [cell for cell in range(1, 17) if not (cell - 1) >> 1 & 1]  # it is the second factor from the right
    for number, cell in enumerate(pairs):
        for partner in (cell, cell + 2):
            value = 0.7 + 0.01 * noise[cell if number < n_equal else partner]
            writer.finish(partner, outcome(value, value))


def test_a_factor_that_changes_no_digit_is_named(study: Study) -> None:
    finish_in_pairs(study, 8)
    text = " ".join(page(study).split())
    assert "weight_decay changes nothing: all 8 pairs of runs are equal." in text
    assert "have exactly the same result" not in text


@pytest.mark.slow  # 1.3 s
def test_a_factor_that_often_changes_no_digit_is_named(study: Study) -> None:
    """In three of eight pairs it changes as much as chance does, so that its runs are no copies."""
    finish_in_pairs(study, 5)
    text = " ".join(page(study).split())
    assert "5 of 8 pairs of cells that differ in `weight_decay` alone have exactly the same result" in text
    assert "changes next to nothing" not in text


def test_a_run_at_chance_beside_others_above_it_is_marked(study: Study) -> None:
    """Of 100 rows, half of each label, a guess reaches .60."""
    writer = Writer(study, small_plan(has_test=False))
    for cell, dev in enumerate((0.55, 0.9, 0.85, 0.61), start=1):
        writer.finish(cell, outcome(dev))
    text = page(study)
    marked = " ".join(section(text, "Runs that did not learn").split())
    reason = "accuracy on dev is no better than what a guess reaches, 0.600, and that of others is"
    assert f"- cell 1, trial `{ids(writer.plan)[0][:8]}`: {reason}" in marked
    assert "cell 2" not in marked
    rows = [line for line in section(text, "Results").splitlines() if line.startswith("| ")][1:]
    assert [row.count("†") for row in rows] == [1, 0, 0, 0]


def test_where_all_runs_are_at_chance_the_page_says_so(study: Study) -> None:
    writer = Writer(study, small_plan(has_test=False))
    for cell, dev in enumerate((0.5, 0.53, 0.55, 0.55), start=1):
        writer.finish(cell, outcome(dev))
    text = " ".join(page(study).split())
    assert text.count("No run is better on dev than what a guess reaches (accuracy 0.6000)") == 1
    assert "†" not in text
