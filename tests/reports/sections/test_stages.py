"""What a page says of pretrainings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.importing.logs import read_log
from reports.page import make_page, write_reports
from reports.sections.context import PageContext
from reports.sections.cost import Cost
from reports.sections.figures import pretraining_pictures
from reports.sections.stages import Pretrainings
from reports.study.view import StudyRows
from runners.cli import main
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import read
from tests.reports.staged import OWN_SEEDS, STEPS, StageWriter, finish_all, log_of, pretrained, staged_plan

ONE = """
[recipe]
"pretraining.objective" = "mlm"
"pretraining.steps" = 1500
[factors]
bert_adam = [false, true]
"""
CHECKPOINTS = """
[recipe]
"pretraining.objective" = "mlm"
"pretraining.steps" = 3000
[factors]
"pretraining.checkpoint" = [1500, "last"]
"pretraining.rate" = [0.15, 0.3]
"""


def text_of(rows: StudyRows) -> str:
    return " ".join(Pretrainings(PageContext(rows)).format().split())


def table_of(rows: StudyRows) -> list[list[str]]:
    lines = [line for line in Pretrainings(PageContext(rows)).format().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in [lines[0], *lines[2:]]]


def test_nothing_is_said_where_nothing_is_pretrained(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.8, 0.8))
    rows = read(study)
    assert Pretrainings(PageContext(rows)).format() == ""
    assert Pretrainings(PageContext(rows)).numbers() == {"pretraining": None}
    assert "retraining" not in make_page(rows, illustrated=True).format()
    write_reports(study, None, ["csv"])
    assert not (study.folder / "pretraining").exists()


def test_each_pretraining_with_its_cost_and_its_trials(study: Study) -> None:
    rows = pretrained(study)
    text = text_of(rows)
    assert "3 pretrainings, from which 6 of 6 trials start." in text
    assert "Together they took 7.5 min, which is 75.0 s for each of these trials." in text
    names = [row.stage.short_id for row in rows.stages]
    assert table_of(rows) == [
        ["pretraining", "state", "steps", "last loss", "time", "trials", "time per trial"],
        [names[0], "finished", "0", "-", "0 s", "2 trials (cell 1)", "-"],
        [names[1], "finished", "1500", "3.5000", "2.5 min", "2 trials (cell 2)", "75.0 s"],
        [names[2], "finished", "3000", "2.8571", "5.0 min", "2 trials (cell 3)", "2.5 min"],
    ]


def test_cells_that_start_from_none_are_counted(study: Study) -> None:
    space = STEPS.replace('"pretraining.objective" = "mlm"\n', '"pretraining.steps" = 3000\n').replace(
        '"pretraining.steps" = [0, 1500, 3000]', '"pretraining.objective" = ["none", "mlm"]\nbert_adam = [false, true]'
    )
    rows = pretrained(study, space)
    assert "1 pretraining, from which 4 of 8 trials start." in text_of(rows)
    assert table_of(rows)[1][-2] == "4 trials (cells 3, 4)"


def test_seeds_that_share_a_pretraining_are_no_repetitions_of_it(study: Study) -> None:
    text = text_of(pretrained(study))
    assert "the spread over seeds holds nothing of its noise" in text
    assert "`--set pretraining.seed=trial` makes one for each seed" in text


def test_seeds_with_pretrainings_of_their_own(study: Study) -> None:
    rows = pretrained(study, OWN_SEEDS)
    assert len(rows.stages) == 6
    text = text_of(rows)
    assert "Each seed has a pretraining of its own: the spread over seeds holds the noise of both." in text
    assert "no repetitions" not in text
    assert table_of(rows)[0][1] == "pretraining.seed"
    assert [row[1] for row in table_of(rows)[1:]] == ["0", "1"] * 3


def test_one_seed_repeats_nothing(study: Study) -> None:
    text = text_of(pretrained(study, STEPS.replace("[0, 1]", "[0]")))
    assert "seed" not in text


def test_the_settings_of_the_only_one_are_named(study: Study) -> None:
    rows = pretrained(study, ONE)
    names = ('objective = "mlm"', "batch_size = 4", "steps = 1500", "seed = 0")
    assert all(f"`pretraining.{name}`" in text_of(rows) for name in names)
    assert table_of(rows)[0][1] == "state"


def test_steps_of_one_training(study: Study) -> None:
    rows = pretrained(study, CHECKPOINTS)
    first, second, third, fourth = (row.stage.short_id for row in rows.stages)
    assert f"Steps of one training, done once: `{first}`, `{third}`; `{second}`, `{fourth}`." in text_of(rows)
    header, *body = table_of(rows)
    assert header[1:4] == ["pretraining.rate", "state", "steps"]
    assert [row[1] for row in body] == ["0.15", "0.3", "0.15", "0.3"]
    assert [row[3] for row in body] == ["1500 of 3000 steps", "1500 of 3000 steps", "3000", "3000"]


def test_losses_of_different_questions_are_not_compared(study: Study) -> None:
    rows = pretrained(study, CHECKPOINTS)
    said = "Losses are compared only where they answer the same question; here there are 2, told apart by"
    assert f"{said} `pretraining.rate`." in text_of(rows)
    pictures = {picture.name: picture for picture in pretraining_pictures(rows)}
    assert list(pictures) == ["pretraining", "pretraining-2"]
    for number, picture in enumerate(pictures.values()):
        shown = [row.stage.short_id in picture.alt for row in rows.stages]
        assert shown == [number == 0, number == 1] * 2
    page = make_page(rows, illustrated=True).format()
    assert "![Losses of pretrainings](figures/pretraining-2.svg)" in page


def test_losses_of_other_lengths_are_one_measure(study: Study) -> None:
    rows = pretrained(study)
    assert "same question" not in text_of(rows)
    assert [picture.name for picture in pretraining_pictures(rows)] == ["pretraining"]


def test_what_was_hidden_and_what_an_encoder_says_by_itself_have_columns_where_they_are_known(study: Study) -> None:
    writer = StageWriter(study, staged_plan())
    points = [replace(point, hidden_share=0.1525) for point in log_of(writer.stages[1])]
    writer.make(1, log=points, zero_shot={"accuracy": 0.625, "auc": 0.9})
    writer.make(2)
    finish_all(writer)
    rows = read(study)
    header, _, known, unknown = table_of(rows)
    columns = slice(header.index("tokens hidden"), header.index("tokens hidden") + 3)
    assert header[columns] == ["tokens hidden", "last loss", "accuracy without fine-tuning"]
    assert known[columns] == ["15.2%", "3.5000", "0.6250"]
    assert unknown[columns] == ["-", "2.8571", "-"]
    numbers = Pretrainings(PageContext(rows)).numbers()["pretraining"]["stages"]
    assert [one["hidden_share"] for one in numbers] == [None, 0.1525, None]
    assert numbers[1]["zero_shot"] == {"accuracy": 0.625, "auc": 0.9}
    assert numbers[1]["log"][0]["hidden_share"] == 0.1525


def test_what_others_had_made_took_nothing(study: Study) -> None:
    writer = StageWriter(study, staged_plan())
    writer.make(1, found=True)
    writer.make(2)
    finish_all(writer)
    rows = read(study)
    assert "1 had been made before, and took nothing here." in text_of(rows)
    assert table_of(rows)[2][1:5] == ["made before", "1500", "3.5000", "2.5 min elsewhere"]
    assert table_of(rows)[1][1:5] == ["pending", "0", "-", "-"]
    assert sum(row.seconds for row in rows.stages) == 300


def test_failed_attempts_are_told_and_paid_for(study: Study) -> None:
    writer = StageWriter(study, staged_plan())
    writer.fail_stage(1, Failure("lost_worker", "gone"), final=False)
    writer.make(1)
    writer.fail_stage(2, Failure("code_error", "ValueError: `x` | y"), final=True)
    writer.finish(1, outcome(0.8, 0.8))
    writer.run(
        lambda ledger, attempt: ledger.fail(attempt, Failure("no_encoder", "its pretraining failed"), final=True), 3
    )
    rows = read(study)
    text = text_of(rows)
    one, two = rows.stages[1].stage.short_id, rows.stages[2].stage.short_id
    assert f"`{one}`: `lost_worker`, 1 attempt (retried, and finished). `gone`" in text
    assert f"`{two}`: `code_error`, 1 attempt (final: not tried again). `` ValueError: `x` | y ``" in text
    assert "What starts from it cannot run: cell 3." in text
    assert (rows.stages[1].seconds, rows.stages[1].n_attempts) == (180.0, 2)
    assert rows.stages[2].log == log_of(rows.stages[2].stage)[:1], "an attempt that failed tells how far it came"
    assert table_of(rows)[3][1:5] == ["failed", "3000", "5.0000", "30.0 s"]


def test_a_driver_that_died_long_ago_is_not_paid_for(study: Study) -> None:
    writer = StageWriter(study, staged_plan())
    writer.fail_stage(1, Failure("lost_driver", "gone"), final=False)
    with study.open() as ledger, ledger.connection as write:
        write.execute("UPDATE stage_attempts SET ended = 90000")
    assert read(study).stages[1].seconds == 40.0


def test_the_cost_of_the_study_names_pretraining(study: Study) -> None:
    text = " ".join(Cost(PageContext(pretrained(study))).format().split())
    assert "Pretraining took 7.5 min beside that (0.25 core-hours); no trial's time holds any of it." in text


def test_gpu_hours_of_pretraining(study: Study) -> None:
    writer = StageWriter(study, staged_plan())
    writer.resources = {"gpus": 0.5}
    writer.make(2)
    finish_all(writer)
    text = " ".join(Cost(PageContext(read(study))).format().split())
    assert "Pretraining took 5.0 min beside that (0.167 core-hours, 0.0417 GPU-hours)" in text


def test_numbers_for_programs(study: Study) -> None:
    rows = pretrained(study)
    write_reports(study, None, ["json"])
    found = json.loads((study.folder / "page.json").read_text())["pretraining"]
    assert (found["seconds"], found["seconds_per_trial"]) == (450.0, 75.0)
    last = found["stages"][-1]
    assert last["id"] == rows.stages[-1].stage.id
    assert last["settings"]["pretraining.width"] == 128
    assert last["settings"]["pretraining.steps"] == 3000
    assert (last["state"], last["found"], last["cells"]) == ("finished", False, [3])
    assert last["trials"] == list(rows.cells[2].trials)
    assert last["log"][0] == {
        "loss": 5.0,
        "learning_rate": pytest.approx(1e-4 * (1 - 500 / 6000)),
        "epoch": 10.0,
        "step": 500,
        "seconds": 50.0,
        "hidden_share": None,
    }


def test_logs_are_files_that_import_reads(study: Study) -> None:
    """As transformers' Trainer writes them, so that a curve of ours is read as one of its is."""
    rows = pretrained(study)
    paths = write_reports(study, None, ["csv"])
    name = rows.stages[2].stage.short_id
    path = Path(study.folder, "pretraining", f"{name}.jsonl")
    assert path in paths
    assert len(paths) == 4, "one without a step has no log"
    points = log_of(rows.stages[2].stage)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [one.as_trainer_logs() for one in points]
    for along in ("epoch", "step"):
        found = read_log(path, along, "loss", ["learning_rate"])
        assert [(float(row.index), row.value) for row in found.rows] == [(getattr(p, along), p.loss) for p in points]
    words = ["import", str(path), "--curve", "epoch", "--response", "loss", "--study", "curve"]
    assert main(words) == 0
    assert Path("curve/page.html").exists()


def test_a_log_of_one_point_and_a_fractional_epoch(study: Study) -> None:
    writer = StageWriter(study, staged_plan(ONE))
    writer.make(0, log=log_of(writer.stages[0])[:1])
    writer.finish(1, outcome(0.8, 0.8))
    page = make_page(read(study), illustrated=True)
    assert [one.name for one in page.pictures][-1] == "pretraining"
    assert "![Losses of pretrainings](figures/pretraining.svg)" in page.format()


def test_dotted_columns_read_well(study: Study) -> None:
    rows = pretrained(study)
    write_reports(study, None, ["md", "html", "latex", "csv"])
    page = (study.folder / "page.md").read_text()
    words = " ".join(page.split())
    assert "| pretraining.steps |" in words
    assert "- pretraining.steps: optimizer steps, and with them the course of the learning rate" in words
    assert '`pretraining.objective = "mlm"`' in words
    assert "3000 instead of 0" in words
    assert rows.cells[0].levels == {"pretraining.steps": "0"}
    assert (study.folder / "page.csv").read_text().startswith("index,pretraining.steps,")


def test_the_command_of_a_study_with_settings_by_dotted_names(study: Study) -> None:
    space = SMALL_SPACE.replace("epochs = 2", 'epochs = 2\n"pretraining.objective" = "mlm"\n"pretraining.steps" = 3000')
    sources = {"space": "small.toml", "task": "moods", "set": ["pretraining.steps=3000", 'pretraining.epochs="none"']}
    Writer(study, staged_plan(space), sources)
    page = make_page(read(study)).format()
    assert "--set pretraining.steps=3000 --set 'pretraining.epochs=\"none\"'" in page
