"""``gridsearch predict`` of a study of two parts, trained together and each by itself: a real one, of tens of rows."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gridsearch.study.study import Study
from gridsearch.tasks.metrics import probabilities, score
from gridsearch.tasks.task import Task
from runners.cli import EXIT_DONE, EXIT_WRONG_REQUEST, main

SPACE = """
[recipe]
epochs = 5
learning_rate = 1e-2
batch_size = 8
max_length = 24
pooling = "mean"
checkpoints = 2
[factors.training.levels]
together = { "parts.training" = "joint", cooccurrence = "embedding", "parts.loss_weights" = "uncertainty" }
apart = { "parts.training" = "separate" }
"""
TASK = """
name = "two"
[[parts]]
name = "topic"
kind = "single"
metric = "f1_macro"
[parts.files]
train = "topic_train.tsv"
dev = "topic_dev.tsv"
[parts.columns]
header = false
text = 1
label = 2
[[parts]]
name = "same"
kind = "pair"
metric = "accuracy"
[parts.files]
train = "same_train.tsv"
dev = "same_dev.tsv"
[parts.columns]
header = false
text = 1
pair = 2
label = 3
"""
LABELS = {"topic": ["100", "101", "102"], "same": ["no", "yes"]}
Predict = Callable[..., tuple[list[dict[str, str]], str]]


def write(path: Path, rows: Sequence[Sequence[object]]) -> None:
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def study(project: Path, docstrings_task: Task, encoder_folder: Path) -> Study:
    """Sweep two parts of the docstrings: which library, and whether two sentences are of the same one."""
    split = docstrings_task.train
    rows = [
        (text.replace("\t", " "), label)
        for text, label in zip(split.texts, split.labels or (), strict=True)
        if label < len(LABELS["topic"])
    ]
    for name, some in (("train", rows[:40]), ("dev", rows[40:60])):
        write(project / f"topic_{name}.tsv", [(n, text, f"10{label}") for n, (text, label) in enumerate(some)])
        pairs = [(one[0], other[0], "yes" if one[1] == other[1] else "no") for one, other in pairwise(some)]
        write(project / f"same_{name}.tsv", [(n, *pair) for n, pair in enumerate(pairs)])
    (project / "two.toml").write_text(TASK)
    (project / "question.toml").write_text(SPACE)
    words = ["question.toml", "--task", "two.toml", "--model", str(encoder_folder), "--study", "study"]
    assert main(["sweep", *words, "--runner", "serial", "--keep", "best"]) == EXIT_DONE
    return Study(Path("study"))


@pytest.fixture
def predict(study: Study, capsys: pytest.CaptureFixture[str]) -> Predict:
    def call(*options: str, source: str, code: int = EXIT_DONE) -> tuple[list[dict[str, str]], str]:
        capsys.readouterr()
        assert main(["predict", "study", source, *options]) == code
        told = capsys.readouterr()
        return list(csv.DictReader(io.StringIO(told.out))), told.err

    return call


@pytest.mark.slow  # predicts by retraining, too
def test_the_dev_rows_get_what_the_trial_said_of_them(study: Study, predict: Predict) -> None:
    with study.open() as ledger:
        trials = sorted(ledger.trial_ids(), key=lambda one: ledger.trial(one).recipe.parts.training)
        stored = {(trial, part): ledger.logits(trial, "dev", part) for trial in trials for part in LABELS}
        labels = {part: ledger.labels("dev", part) for part in LABELS}
    assert len(list(study.weights_folder.iterdir())) == 1
    chances = {key: probabilities(logits) for key, logits in stored.items() if logits is not None}

    def check(part: str, expected: np.ndarray, *options: str) -> str:
        rows, said = predict(*options, "--part", part, "--digits", "9", source=f"{part}_dev.tsv")
        found = np.array([[float(row[f"p({label})"]) for label in LABELS[part]] for row in rows])
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert [row["predicted"] for row in rows] == [LABELS[part][place] for place in expected.argmax(axis=1)]
        metric = "f1_macro" if part == "topic" else "accuracy"
        value = score(np.asarray(labels[part]), np.log(expected))[metric]
        assert f"{len(rows)} rows have a label: {metric} {value:.4f}" in said
        return said

    for round_ in ("one kept, one trained again", "both kept", "both trained again"):
        if round_ == "both trained again":
            shutil.rmtree(study.weights_folder)
        again = 0
        for (trial, part), expected in chances.items():
            said = check(part, expected, "--trial", trial)
            again += said.count("training it again")
            assert f"rows of {part} labelled by trial {trial[:8]} (seed 0, dev mean f1_macro and accuracy " in said
        assert again == {"one kept, one trained again": 1, "both kept": 0, "both trained again": 2}[round_]
    folders = [{path.name for path in study.weights_of(trial).iterdir()} for trial in trials]
    assert folders == [
        {"classifier.safetensors", "encoder", "gridsearch.json", "checksums.json"},
        {"1", "2", "gridsearch.json", "checksums.json"},
    ]
    for part in LABELS:
        both = [chances[trial, part] for trial in trials]
        check(part, np.mean(both, axis=0), "--ensemble", "1,2")
        check(part, both[1], "--cell", "2")
        best = predict("--part", part, source=f"{part}_dev.tsv")[0]
        assert best in [predict("--part", part, "--cell", cell, source=f"{part}_dev.tsv")[0] for cell in "12"]


@pytest.mark.slow  # 4 s
def test_a_file_of_each_part_as_a_competition_wants_it(project: Path, predict: Predict) -> None:
    for options, sentence in (
        ((), "two has several parts, so --part must name the one that the input is of: topic, same"),
        (("--part", "topics"), "--part: unknown part 'topics' (did you mean 'topic'?); known: topic, same"),
        (("--part", "task"), "--part: unknown part 'task'; known: topic, same"),
    ):
        said = predict(*options, source="topic_dev.tsv", code=EXIT_WRONG_REQUEST)[1]
        assert said == f"gridsearch predict: {sentence}\n"
    write(project / "topic_test.csv", [(0, "Return the sum."), (1, "Start a trial.")])
    write(project / "same_test.csv", [(1500, "Return the sum.", "Start a trial.")])
    asked = ("--columns", "id=number(0),label=prediction", "--format", "jsonl")
    for part, numbers in (("topic", [0, 1]), ("same", [1500])):
        target = project / f"{part}_predict.json"
        # The columns are those of the part's files, which are separated by tabs.
        source = shutil.copy(project / f"{part}_test.csv", project / f"{part}_test.tsv").name
        predict("--part", part, *asked, "-o", str(target), source=source)
        lines = target.read_text(encoding="utf-8").splitlines()
        written = [json.loads(line) for line in lines]
        assert [row["id"] for row in written] == numbers
        assert all(row["label"] in LABELS[part] for row in written)
        assert lines[0] == f'{{"id": {numbers[0]}, "label": "{written[0]["label"]}"}}'
