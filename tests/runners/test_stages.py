"""Stages in a study, trained for real: each once, found by others, made again where it is lost, and never by labels."""

import contextlib
import csv
import json
import random
import shutil
import sqlite3
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsearch.checksums import file_sha256, seal
from gridsearch.encoders.pretraining.made import MODEL, find, folder_of
from gridsearch.planning.plan import Plan
from gridsearch.stage import LogPoint, Stage
from gridsearch.study.study import Study
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune, finetuning
from runners.backends.serial import SerialRunner
from runners.cli import main
from runners.driver import Driven
from runners.materials import make_materials
from runners.pretrain_here import pretrain_here
from tests.fixtures_core import slow
from tests.runners.driving import sweep
from tests.runners.staging import (
    OWN_SEEDS,
    STEPS,
    Counting,
    attempts,
    numbers,
    plan_of,
    plan_of_space,
    rows,
    space_of,
    without_pretraining,
)
from tests.runners.waiting import SECONDS

pytestmark = pytest.mark.usefixtures("project")


def swept(plan: Plan, pretrain: Counting | None = None, study: str = "study", **options: Any) -> Driven:
    return sweep(plan, Study(Path(study)), SerialRunner(pretrain=pretrain or Counting()), **options)


def empty_cache() -> None:
    shutil.rmtree(folder_of("x").parent)


@pytest.mark.parametrize(("recipe", "n_stages"), [(OWN_SEEDS, 6), slow("", 3)], ids=["own seeds", "shared"])
def test_every_distinct_stage_is_trained_once_and_found_by_the_next_study(
    recipe: str, n_stages: int, encoder_folder: Path
) -> None:
    plan, counting = plan_of(encoder_folder, recipe=recipe), Counting()
    result = swept(plan, counting)
    told = f"complete: 6 planned, 6 finished, 0 failed, 0 pending; {n_stages} pretrainings, {n_stages} finished"
    assert str(result.coverage) == told
    assert Counter(counting.begun) == dict.fromkeys(plan.stages, 1)
    assert sorted(attempts()) == [(stage, "finished", None, 0) for stage in sorted(plan.stages)]
    assert {stage.seed for stage in plan.stages.values()} == ({0, 1} if recipe else {0})

    again = swept(plan, counting, "other")
    assert str(again.coverage) == f"{told} ({n_stages} made before)"
    assert len(counting.begun) == n_stages, "nothing is trained again"
    assert sorted(attempts("other")) == [(stage, "finished", None, 1) for stage in sorted(plan.stages)]
    assert numbers("other") == numbers()


def test_two_drivers_at_the_same_moment_build_an_equal_stage_once(encoder_folder: Path) -> None:
    """The second one comes while the first trains, and waits: it may not train beside it, nor give up."""
    first, second = (plan_of(encoder_folder, '"pretraining.steps" = [5]', seeds=seeds) for seeds in ("[0]", "[1]"))
    assert first.stages == second.stages
    assert not first.trials.keys() & second.trials.keys()
    # transformers loads no two models at the same time in one process: the second driver's comes after the first's.
    first_is_done = threading.Event()
    of_second = Counting(at_end=partial(first_is_done.wait, SECONDS))
    other = threading.Thread(target=partial(swept, second, of_second, "second"), daemon=True)

    def meet(stage: Stage, point: LogPoint) -> None:
        if point.step == 2:
            other.start()
            for _ in range(50 * SECONDS):
                if Path("second/ledger.sqlite").is_file() and of_second.begun:
                    return
                time.sleep(0.02)
            raise AssertionError("the second driver never came to its stage")

    assert swept(first, Counting(at_point=meet), "first").coverage.complete
    first_is_done.set()
    other.join()
    (stage,) = first.stages
    assert attempts("first") == [(stage, "finished", None, 0)]
    assert attempts("second") == [(stage, "finished", None, 1)]
    assert numbers("first")["stages"] == numbers("second")["stages"]
    assert rows("SELECT seconds, run_seconds > 0 FROM stage_attempts", "second") == [(0.0, 1)]


@pytest.mark.slow  # 2.0 s
@pytest.mark.parametrize("checkpoints", ['[2, 4, "last"]', '["last", 4, 2]'])
def test_checkpoints_are_steps_of_one_run_each_taken_once(checkpoints: str, encoder_folder: Path) -> None:
    plan = plan_of(encoder_folder, f'"pretraining.checkpoint" = {checkpoints}', '"pretraining.steps" = 6')
    assert len({stage.run for stage in plan.stages.values()}) == 1
    steps: list[tuple[int, int]] = []
    counting = Counting(at_point=lambda stage, point: steps.append((stage.last_step, point.step)))
    assert swept(plan, counting).coverage.complete
    assert steps == [(2, 1), (2, 2), (4, 3), (4, 4), (6, 5), (6, 6)]
    alone = plan_of(encoder_folder, '"pretraining.steps" = [6]')
    empty_cache()
    swept(alone, study="alone")
    assert numbers("alone")["stages"] == [row for row in numbers()["stages"] if row[0] in alone.stages]


@pytest.mark.slow  # 1.8 s
def test_a_cache_that_was_emptied_is_noticed_and_filled_again(encoder_folder: Path) -> None:
    small, large = (plan_of(encoder_folder, '"pretraining.steps" = [4, 6]', seeds=seeds) for seeds in ("[0]", "[0, 1]"))
    swept(small)
    before, (four, six) = numbers(), small.stages
    empty_cache()
    counting = Counting()
    assert str(swept(small, counting).coverage).endswith("2 pretrainings, 2 finished")
    assert counting.begun == [], "a study that is complete needs no encoder"
    result = swept(large, counting)
    assert str(result.coverage) == ("complete: 4 planned, 4 finished, 0 failed, 0 pending; 2 pretrainings, 2 finished")
    assert sorted(counting.begun) == sorted([four, six])
    states = Counter((state, kind) for _, state, kind, _ in attempts())
    assert states == {("failed", "lost_encoder"): 2, ("finished", None): 2}
    after = numbers()
    assert after["stages"] == before["stages"], "what is made again is the same to the last bit"
    assert before["trials"].items() <= after["trials"].items()


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_damaged_encoder_is_noticed_and_made_again(encoder_folder: Path) -> None:
    swept(plan_of(encoder_folder, '"pretraining.steps" = [4]', seeds="[0]"))
    plan = plan_of(encoder_folder, '"pretraining.steps" = [4]')
    (stage,) = plan.stages
    damage(folder_of(stage) / MODEL)
    counting = Counting()
    assert swept(plan, counting).coverage.complete
    assert counting.begun == [stage]
    assert find(stage) is not None
    messages = rows("SELECT failure_kind, message, final FROM stage_attempts WHERE state = 'failed'")
    assert messages == [("lost_encoder", "its encoder is no longer in the cache, or is damaged", 0)]


@pytest.mark.slow  # sweeps twice
def test_an_encoder_that_others_made_again_otherwise_is_noticed(encoder_folder: Path) -> None:
    """Another machine computes other last bits: the ledger says which encoder its later trials start from."""
    swept(plan_of(encoder_folder, '"pretraining.steps" = [4]', seeds="[0]"))
    plan = plan_of(encoder_folder, '"pretraining.steps" = [4]')
    (stage,) = plan.stages
    record = folder_of(stage) / "pretraining.json"
    damage(folder_of(stage) / MODEL)
    old, new = rows("SELECT checksum FROM stage_attempts")[0][0], file_sha256(folder_of(stage) / MODEL)
    record.write_text(record.read_text().replace(old, new))
    seal(folder_of(stage))
    assert swept(plan).coverage.complete
    assert attempts() == [(stage, "failed", "lost_encoder", 0), (stage, "finished", None, 1)]
    assert rows("SELECT checksum FROM stage_attempts WHERE state = 'finished'") == [(new,)]


def test_a_cache_that_is_emptied_while_a_sweep_runs_is_filled_again(encoder_folder: Path) -> None:
    plan = plan_of(encoder_folder, '"pretraining.steps" = [4]', seeds="[0, 1, 2, 3]")
    (stage,), n_trials = plan.stages, 0

    def emptying(*arguments: Any) -> Any:
        nonlocal n_trials
        n_trials += 1
        if n_trials == 2:
            empty_cache()
        return (yield from finetuning(*arguments))

    counting = Counting()
    assert sweep(plan, Study(Path("study")), SerialRunner(what=emptying, pretrain=counting)).coverage.complete
    assert counting.begun == [stage, stage]


def cli(*words: object, code: int = 0) -> None:
    assert main([str(word) for word in words]) == code


@pytest.mark.slow  # 1.5 s
def test_rerun_and_predict_make_a_lost_stage_again_as_it_was_made(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("space.toml").write_text(space_of('"pretraining.steps" = [4]', seeds="[0]"))
    asked = ["space.toml", "--task", "task.toml", "--model", encoder_folder, "--study", "study"]
    cli("sweep", *asked, "--runner", "serial", "--threads", "2")
    ((trial,),) = rows("SELECT id FROM trials")
    ((checksum, stage),) = rows("SELECT checksum, stage FROM stage_attempts")
    empty_cache()
    executed: list[Execution] = []
    monkeypatch.setattr(
        "runners.materials.pretrain_here",
        lambda stage, materials, execution, on_point: (
            executed.append(execution) or pretrain_here(stage, materials, execution, on_point)
        ),
    )
    cli("rerun", "study", "--trial", trial)
    said = capsys.readouterr().out
    assert "is no longer in the cache: it is done again" in said
    assert "equal to the ledger's, to the last bit" in said
    assert executed[0].threads == 2, "as the ledger says that it was made"
    made = find(stage)
    assert made is not None
    assert made.checksum == checksum

    empty_cache()
    Path("new.csv").write_text("the text\nreturn the value of a function\n", encoding="utf-8")
    cli("predict", "study", "new.csv", "--trial", trial, "--output", "told.csv")
    with Path("told.csv").open(encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 2
    assert len(executed) == 2
    empty_cache()
    cli("predict", "study", "new.csv", "--trial", trial, "--output", "again.csv")
    assert Path("again.csv").read_text() == Path("told.csv").read_text()
    assert len(executed) == 2, "weights that are kept need no stage"
    assert attempts() == [(stage, "finished", None, 0)], "the ledger is left alone"


OF_SCRATCH = tuple(f'"pretraining.{name}" =' for name in ("base", "family", "layers", "width", "heads"))


SLOW_FAMILIES = [pytest.param(name, marks=pytest.mark.slow) for name in ("roberta", "albert", "nezha", "electra")]
"""Slow: that what is saved of each family is what was trained, test_masked_lm_files.py shows more quickly."""


@pytest.mark.parametrize("family", ["encoder", "bert", *SLOW_FAMILIES])
def test_from_its_stage_and_from_the_exported_folder_a_trial_is_the_same(family: str, encoder_folder: Path) -> None:
    """The seeds' authors feared that the tokenizer is saved wrongly, and that reloading changes the result."""
    space = space_of("bert_adam = [false]", f'"pretraining.steps" = 6\n"pretraining.family" = "{family}"', "[0]")
    if family == "encoder":  # the task's own, pretrained further
        space = "".join(line for line in space.splitlines(keepends=True) if not line.startswith(OF_SCRATCH))
    plan = plan_of_space(encoder_folder, space)
    assert swept(plan).coverage.complete
    (stage,), (trial,) = plan.stages, plan.trials.values()
    exported = Path("elsewhere/encoder").resolve()
    shutil.copytree(folder_of(stage), exported)
    before = make_materials(plan, {trial.id}, print).data_of(trial)
    empty_cache()

    direct = plan_of_space(exported, without_pretraining(space))
    (again,) = direct.trials.values()
    assert again.stage is None
    materials = make_materials(direct, {again.id}, print)
    data = materials.data_of(again)
    for name, split in data.splits.items():
        for array in ("ids", "starts", "types"):
            np.testing.assert_array_equal(getattr(split, array), getattr(before.splits[name], array))
    outcome = finetune(again, data, materials.encoder_of(again))
    with Study(Path("study")).open() as ledger:
        known = ledger.logits(trial.id, "dev")
    assert known is not None
    assert outcome.parts["task"].dev_logits.tobytes() == known.tobytes()


def test_a_stage_is_read_as_it_was_planned(encoder_folder: Path) -> None:
    scratch = [f'"pretraining.{line}\n' for line in ('base" = "scratch"', 'layers" = 1', 'width" = 16', 'heads" = 2')]
    space = space_of('"pretraining.take_layers" = ["all", [1]]', '"pretraining.steps" = 4', "[0]")
    for line in scratch:
        space = space.replace(line, "")
    plan = plan_of_space(encoder_folder, space)
    swept(plan)
    with Study(Path("study")).open() as ledger:
        assert ledger.stages.all() == dict(plan.stages)


@pytest.mark.slow  # 3 s
def test_permuted_labels_are_other_trials_of_the_same_stages(encoder_folder: Path) -> None:
    header, *lines = Path("data.tsv").read_text(encoding="utf-8").splitlines()
    labels = [line.split("\t")[0] for line in lines]
    random.Random(0).shuffle(labels)
    permuted = [f"{label}\t{line.split(chr(9), 1)[1]}" for label, line in zip(labels, lines, strict=True)]
    files = {"true": lines, "permuted": permuted}
    plans = {}
    for name, content in files.items():
        for part, chosen in (("train", content[:72]), ("dev", content[72:])):
            Path(f"{name}-{part}.tsv").write_text("\n".join([header, *chosen]) + "\n", encoding="utf-8")
        told = Path("task.toml").read_text().replace('"data.tsv"', f'"{name}-train.tsv"')
        Path(f"{name}.toml").write_text(told.replace("dev = 0.25", f'dev = "{name}-dev.tsv"'))
        recipe = f'{OWN_SEEDS}\n"pretraining.corpus" = "all"'
        plans[name] = plan_of(encoder_folder, STEPS, recipe, task=f"{name}.toml")
    assert permuted != lines
    assert plans["true"].task.fingerprint != plans["permuted"].task.fingerprint
    assert plans["true"].stages == plans["permuted"].stages
    assert not plans["true"].trials.keys() & plans["permuted"].trials.keys()
    assert swept(plans["true"], study="true").coverage.complete
    assert swept(plans["permuted"], study="permuted").coverage.stages.found == len(plans["true"].stages)  # type: ignore[union-attr]


@pytest.mark.slow  # 1.8 s
def test_what_was_taught_labels_is_judged_by_itself_also_where_it_was_made_before(encoder_folder: Path) -> None:
    space = space_of("bert_adam = [false, true]", '"pretraining.steps" = 4').replace('"mlm"', '"mlm_label"')
    plan = plan_of_space(encoder_folder, space)
    (stage,) = plan.stages.values()
    assert swept(plan).coverage.complete
    made_again = Counting()
    coverage = swept(plan, made_again, "again").coverage
    assert coverage.complete
    assert coverage.stages is not None
    assert coverage.stages.found == 1
    assert made_again.begun == [stage.id]
    query = "SELECT labels, found, zero_shot FROM stages JOIN stage_attempts ON stage = stages.id"
    ((labels, found, scores),), ((_, found_again, scores_again),) = rows(query), rows(query, "again")
    assert (labels, found, found_again) == (stage.labels, 0, 1)
    assert scores == scores_again
    assert 0 <= json.loads(scores)["accuracy"] <= 1
    assert numbers() == numbers("again")
    # Nothing more is asked of it, once it is in the ledger.
    idle = Counting()
    swept(plan, idle, "again")
    assert not idle.begun


def test_other_labels_are_other_stages_where_they_are_taught(encoder_folder: Path) -> None:
    recipe = '"pretraining.steps" = 4'
    space = space_of("bert_adam = [false, true]", recipe).replace('"mlm"', '"mlm_label"')
    true = plan_of_space(encoder_folder, space)
    header, *lines = Path("data.tsv").read_text(encoding="utf-8").splitlines()
    labels = [line.split("\t")[0] for line in lines]
    random.Random(0).shuffle(labels)
    permuted = [f"{label}\t{line.split(chr(9), 1)[1]}" for label, line in zip(labels, lines, strict=True)]
    Path("data.tsv").write_text("\n".join([header, *permuted]) + "\n", encoding="utf-8")
    assert not true.stages.keys() & plan_of_space(encoder_folder, space).stages.keys()


def test_a_study_of_before_the_hidden_share_was_counted_goes_on(encoder_folder: Path) -> None:
    plan = plan_of_space(encoder_folder, space_of("bert_adam = [false, true]", '"pretraining.steps" = 4'))
    swept(plan)
    with contextlib.closing(sqlite3.connect("study/ledger.sqlite")) as old:
        columns = {"labels": "stages", "zero_shot": "stage_attempts", "hidden_share": "stage_log"}
        seals = "".join(f"UPDATE {table} SET seal = NULL; " for table in ("attempts", "stage_attempts"))
        drops = "; ".join(f"ALTER TABLE {table} DROP COLUMN {column}" for column, table in columns.items())
        old.executescript(f"{seals} DELETE FROM study WHERE key = 'seal'; {drops}; PRAGMA user_version = 4")
    for command in ("verify", "status", "report"):
        cli(command, "study")
    assert swept(plan).coverage.complete
    assert (
        rows(
            "SELECT labels, hidden_share, zero_shot FROM stages JOIN stage_attempts ON stage = stages.id "
            "JOIN stage_log ON attempt = stage_attempts.id"
        )
        == [("", None, None)] * 4
    )


@pytest.mark.slow  # 2 s
def test_a_study_of_before_there_were_stages_grows_by_them(encoder_folder: Path) -> None:
    space = space_of("bert_adam = [false, true]", '"pretraining.steps" = 4')
    swept(plan_of_space(encoder_folder, without_pretraining(space)))
    with contextlib.closing(sqlite3.connect("study/ledger.sqlite")) as old:
        tables = "DROP TABLE stage_log; DROP TABLE stage_attempts; DROP TABLE stages"
        old.executescript(f"DROP VIEW stage_states; {tables}; PRAGMA user_version = 3")
    before = rows("SELECT id, trial, state FROM attempts ORDER BY id")
    for command in ("verify", "status", "report"):
        cli(command, "study")
    with contextlib.closing(sqlite3.connect("study/ledger.sqlite")) as still:
        assert still.execute("PRAGMA user_version").fetchone() == (3,), "whoever reads changes no file"

    more = space.replace("[factors]", '[factors]\n"pretraining.objective" = ["none", "mlm"]')
    more = more.replace('"pretraining.objective" = "mlm"\n', "").replace("[design]", '[design]\non_dead = "collapse"')
    result = swept(plan_of_space(encoder_folder, more))
    told = "complete: 8 planned, 8 finished, 0 failed, 0 pending; 1 pretraining, 1 finished"
    assert str(result.coverage) == told
    assert rows("SELECT id, trial, state FROM attempts ORDER BY id")[: len(before)] == before
