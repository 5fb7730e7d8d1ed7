"""Tasks of several labels a row, and of numbers: guessed, written, read back, divided; what is wrong is said."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gridsearch.errors import RequestError
from gridsearch.repetition import Division
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.guess import guess_task, write_toml
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.roles import Wanted
from gridsearch.tasks.splits import sample_rows
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import parse_task_file, read_task
from gridsearch.tasks.tfidf_yardstick import tfidf_yardstick, yardstick_name

TOPICS = ["sport|money", "sport", "money", "film", "film|sport", "money|film"]
TEXTS = [f"row {row} about {TOPICS[row % 6].replace('|', ' and ')} number {row * 7 % 11}" for row in range(60)]
CELLS = [TOPICS[row % 6] for row in range(60)]
NUMBERS = [round(row % 6 / 2 + row / 100, 2) for row in range(60)]


def csv(tmp_path: Path, header: str, rows: list[str], name: str = "data.csv") -> Path:
    (tmp_path / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return tmp_path / name


def guessed(path: Path, **wanted: Any) -> tuple[Task, list[str]]:
    file, sentences = guess_task([path], "a task", Wanted(**wanted))
    return write_toml(file, path.with_suffix(".toml"), sentences, overwrite=True), sentences


def in_cells(tmp_path: Path) -> Path:
    return csv(tmp_path, "text,topics", [f"{text},{cell}" for text, cell in zip(TEXTS, CELLS, strict=True)])


def in_lists(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    rows = [{"text": text, "topics": cell.split("|")} for text, cell in zip(TEXTS, CELLS, strict=True)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def in_python_lists(tmp_path: Path) -> Path:
    return csv(
        tmp_path, "text,topics", [f'{text},"{cell.split("|")}"' for text, cell in zip(TEXTS, CELLS, strict=True)]
    )


def in_columns(tmp_path: Path) -> Path:
    rows = [
        f"{text},{','.join(str(int(name in cell)) for name in ('film', 'money', 'sport'))}"
        for text, cell in zip(TEXTS, CELLS, strict=True)
    ]
    return csv(tmp_path, "text,film,money,sport", rows)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (in_cells, {}),
        (in_lists, {}),
        (in_python_lists, {}),
        (in_columns, {"label": "film", "further_labels": ("money", "sport")}),
    ],
)
def test_several_labels_are_read_however_they_are_written(tmp_path: Path, written: Any, wanted: Any) -> None:
    task, _ = guessed(written(tmp_path), kind="multilabel", **wanted)
    assert (task.kind, task.labels_are, task.metric) == ("single", "multilabel", "f1_micro")
    assert task.label_names == ("film", "money", "sport")
    for split in (task.train, task.dev):
        truth = task.truth(split)
        assert truth is not None
        for text, row in zip(split.texts, truth, strict=True):
            cell = CELLS[TEXTS.index(text)]
            assert row.tolist() == [int(name in cell) for name in task.label_names]
    assert sum(task.label_counts) == sum(len(CELLS[TEXTS.index(text)].split("|")) for text in task.train.texts)


def test_numbers_are_read(tmp_path: Path) -> None:
    path = csv(tmp_path, "text,score", [f"{text},{value}" for text, value in zip(TEXTS, NUMBERS, strict=True)])
    task, sentences = guessed(path, kind="score")
    assert (task.kind, task.labels_are, task.metric, task.label_names) == ("single", "score", "pearson", ("score",))
    truth = task.truth(task.train)
    assert truth is not None
    assert truth.tolist() == [NUMBERS[TEXTS.index(text)] for text in task.train.texts]
    assert any("a number from 0 to 3.09" in told for told in sentences)


def test_pairs_of_both_kinds(tmp_path: Path) -> None:
    rows = [f"{one},{other},{value}" for one, other, value in zip(TEXTS, reversed(TEXTS), NUMBERS, strict=True)]
    task, _ = guessed(csv(tmp_path, "sentence1,sentence2,score", rows), kind="score")
    assert (task.kind, task.labels_are) == ("pair", "score")
    assert task.turned.codes == task.codes


def toml(tmp_path: Path, kind: str, labels: str = "", label: str = '"label"', metric: str = "") -> Task:
    chosen = metric or ("f1_micro" if kind == "multilabel" else "rmse")
    text = (
        f'name = "t"\nkind = "{kind}"\nmetric = "{chosen}"\n[files]\ntrain = "data.csv"\ndev = "data.csv"\n'
        f'[columns]\ntext = "text"\nlabel = {label}\n[labels]\n{labels}\n'
    )
    read = read_task(parse_task_file(text, "t.toml"), tmp_path / "t.toml")
    assert isinstance(read, Task)
    return read


SEPARATED = 'separator = "|"'


@pytest.mark.parametrize(
    ("kind", "cells", "labels", "message"),
    [
        ("score", ["1", "two", "3"], "", "row 3: a score is a number, such as 3.5, but this one is 'two'"),
        ("score", ["1", "inf", "3"], "", "a score is a number"),
        ("score", ["1", "", "3"], "", "every row needs a label; .* row 3 has none; drop_unlabelled"),
        ("score", ["2", "2", "2"], "", "two scores or more that differ, but all have 2"),
        ("score", ["1", "2", "3"], 'names = ["a", "b"]', "names under .labels. says what labels are called"),
        ("multilabel", ["a|b", "", "a"], SEPARATED, "every row needs a label; .* row 3 has none"),
        ("multilabel", ["a|b", "b", "a"], "", "row 2: several labels of one cell need a separator under .labels."),
        ("multilabel", ["a", "a", "a"], SEPARATED, "several labels a row are two or more"),
        ("multilabel", ["a|b", "b|a", "a|b"], SEPARATED, "train needs rows of different labels, but all 3 rows"),
        ("multilabel", ["a|b", "c", "a"], SEPARATED + '\nnames = ["a", "b"]', "row 3: unknown label 'c'"),
        ("multilabel", ["a|b", "b", "a"], SEPARATED + '\npositive = "a"', "positive under .labels."),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, kind: str, cells: list[str], labels: str, message: str) -> None:
    csv(tmp_path, "text,label", [f"{text},{cell}" for text, cell in zip(TEXTS, cells, strict=False)])
    with pytest.raises(RequestError, match=message):
        toml(tmp_path, kind, labels)


@pytest.mark.parametrize(
    ("kind", "metric", "message"),
    [
        ("score", "accuracy", "metric accuracy judges one class a row, and the task has a number a row: take one of"),
        ("multilabel", "accuracy", "metric accuracy judges one class a row, and the task has several labels a row"),
        ("single", "pearson", "metric pearson judges a number a row, and the task has one class a row"),
        ("score", "pearsn", "unknown metric 'pearsn' .did you mean 'pearson'"),
    ],
)
def test_metrics_of_other_labels_are_refused(tmp_path: Path, kind: str, metric: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        toml(tmp_path, kind, metric=metric)


def test_an_empty_cell_may_say_that_a_row_has_no_label(tmp_path: Path) -> None:
    csv(tmp_path, "text,label", [f"{text},{cell}" for text, cell in zip(TEXTS, ["a|b", "", "a"], strict=False)])
    task = toml(tmp_path, "multilabel", SEPARATED + "\nempty_is_none = true")
    truth = task.truth(task.train)
    assert truth is not None
    assert truth.tolist() == [[1, 1], [0, 0], [1, 0]]


def test_columns_of_labels_hold_signs(tmp_path: Path) -> None:
    csv(tmp_path, "text,a,b", ["one,1,0", "two,0,2", "three,1,1"])
    with pytest.raises(RequestError, match="row 3: a column of one label holds 1 where a row has it and 0 where not"):
        toml(tmp_path, "multilabel", label='["a", "b"]')


def test_shares_samples_and_folds_are_alike(tmp_path: Path) -> None:
    """Every fold has its share of each topic, and of each range of numbers."""
    several, _ = guessed(in_cells(tmp_path), kind="multilabel")
    folded = with_folds(several, Division(3, 0))
    assert isinstance(folded, Task)
    for fold in range(3):
        counts = folded.of_fold(fold)._label_counts(folded.of_fold(fold).dev)
        assert min(counts.values()) >= 7, counts
    path = csv(tmp_path, "text,score", [f"{text},{value}" for text, value in zip(TEXTS, NUMBERS, strict=True)])
    numbers, _ = guessed(path, kind="score")
    sample = sample_rows(numbers.train, 18, 0, numbers.strata)
    drawn, whole = numbers.truth(sample), numbers.truth(numbers.train)
    assert drawn is not None
    assert whole is not None
    assert abs(drawn.mean() - whole.mean()) < 0.4
    assert set(Counter(numbers.strata).values()) <= set(range(2, 12))


def test_folds_that_define_no_metric_are_refused(tmp_path: Path) -> None:
    rows = [f"{text},{0 if row else 5}" for row, text in enumerate(TEXTS)]
    numbers, _ = guessed(csv(tmp_path, "text,score", [*rows, "another,3", "and more,2"]), kind="score")
    with pytest.raises(RequestError, match="pearson is undefined of the rows of fold"):
        with_folds(numbers, Division(5, 0))


def test_yardsticks(tmp_path: Path) -> None:
    several, _ = guessed(in_cells(tmp_path), kind="multilabel")
    name, dev, _ = tfidf_yardstick(several)
    assert name == "TF-IDF + a logistic regression for each label"
    assert dev["f1_micro"] > 0.9
    path = csv(tmp_path, "text,score", [f"{text},{value}" for text, value in zip(TEXTS, NUMBERS, strict=True)])
    numbers, _ = guessed(path, kind="score")
    name, dev, _ = tfidf_yardstick(numbers)
    assert name == "TF-IDF + ridge regression"
    assert dev["pearson"] > 0.5
    parts = {"topics": several, "mood": numbers}
    both = JointTask("both", parts, Target((("topics", "f1_micro"), ("mood", "pearson"))), dict.fromkeys(parts, 1.0))
    assert yardstick_name(both) == "TF-IDF + a linear model of each part"


def test_an_unknown_class_that_looks_like_several_labels_is_told_the_way_out(tmp_path: Path) -> None:
    csv(tmp_path, "text,label", [f"{text},{cell}" for text, cell in zip(TEXTS, CELLS, strict=True)])
    csv(tmp_path, "text,label", ["a text,sport|money|film", "another,sport"], "dev.csv")
    file, _ = guess_task([tmp_path / "data.csv", tmp_path / "dev.csv"], "t")
    with pytest.raises(RequestError, match='which kind = "multilabel" reads apart'):
        write_toml(file, tmp_path / "t.toml")
