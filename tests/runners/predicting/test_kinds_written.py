"""Several labels a row, and numbers: what is written of predictions, and how labelled input is scored."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.study.task_entry import TaskEntry
from gridsearch.tasks.tables.table import Columns, Table
from runners.predicting.columns import Known, known_of
from runners.predicting.options import add_output
from runners.predicting.scored import score_text
from runners.predicting.submission import read_submission

CHANCES = np.array([[0.75, 0.5, 0.625], [0.25, 0.125, 0.375]])
NUMBERS = np.array([[3.25], [-1000.0]])
TEXTS = ("one", "two")


def table(**columns: tuple[str, ...]) -> Table:
    given = {"text": TEXTS, **columns}
    return Table(Path("input.csv"), tuple(given), True, tuple(given.values()), (2, 3))


def entry(kind: str, metric: str, names: tuple[str, ...], **other: object) -> TaskEntry:
    said = {"positive_label": None, "n_labels_held": {}, "metric": metric, "labels_are": kind, **other}
    return TaskEntry("task", "0", "single", (), {}, False, names, **said)  # type: ignore[arg-type]


SEVERAL = entry("multilabel", "f1_micro", ("a", "b", "c"), label_separator="; ")
NUMBER = entry("score", "rmse", ("score",))
IN_ONE, IN_COLUMNS = Columns(text="text", label="label"), Columns(text="text", label=("a", "b", "c"))


def text_of(of: Known, said: np.ndarray, *options: str) -> list[str]:
    parser = argparse.ArgumentParser()
    add_output(parser)
    return read_submission(parser.parse_args(list(options)), of).text(said).splitlines()


@pytest.mark.parametrize(
    ("columns", "options", "lines"),
    [
        (
            IN_ONE,
            [],
            ["text,predicted,p(a),p(b),p(c)", "one,a; c,0.750000,0.500000,0.625000", "two,,0.250000,0.125000,0.375000"],
        ),
        (
            IN_COLUMNS,
            ["--digits", "1"],
            [
                "text,has(a),has(b),has(c),p(a),p(b),p(c)",
                "one,1,0,1,0.8,0.5,0.6",
                "two,0,0,0,0.2,0.1,0.4",
            ],
        ),
        (IN_ONE, ["--columns", "row0,is_c=has(c),b=p(b)", "--digits", "3"], ["row,is_c,b", "0,1,0.500", "1,0,0.125"]),
        (IN_ONE, ["--format", "jsonl", "--columns", "has(*)"], ['{"has(a)": 1, "has(b)": 0, "has(c)": 1}', None]),
    ],
)
def test_several_labels(columns: Columns, options: list[str], lines: list[str | None]) -> None:
    found = text_of(known_of(table(), SEVERAL, in_columns=columns is IN_COLUMNS), CHANCES, *options)
    assert len(found) == len(lines)
    assert [line for line, expected in zip(found, lines, strict=True) if expected is not None] == [
        line for line in lines if line is not None
    ]


def test_labels_of_columns_are_joined_by_a_bar() -> None:
    known = known_of(table(), entry("multilabel", "auc", ("a", "b", "c")), in_columns=True)
    assert text_of(known, CHANCES, "--columns", "prediction") == ["prediction", "a|c", '""']


def test_numbers() -> None:
    known = known_of(table(), NUMBER, in_columns=False)
    assert text_of(known, NUMBERS, "--digits", "2") == ["text,predicted", "one,3.25", "two,-1000.00"]
    assert text_of(known, NUMBERS, "--columns", "stars=prediction", "--format", "jsonl") == [
        '{"stars": 3.25}',
        '{"stars": -1000.0}',
    ]


@pytest.mark.parametrize(
    ("about", "columns", "sentence"),
    [
        (NUMBER, "p(*)", "p(*) is of labels, and the study has numbers; write prediction"),
        (NUMBER, "has(score)", "has(score) is of labels, and the study has numbers; write prediction"),
        (NUMBER, "probability", "probability is of labels, and the study has numbers; write prediction"),
        (SEVERAL, "probability", "but a row may have several; write p(LABEL)"),
        (SEVERAL, "has(d)", "has(d) is of no label of the study, which are a, b, c"),
        (entry("class", "accuracy", ("a", "b")), "has(*)", "is of several labels a row, and the study has one"),
        (NUMBER, "nothing", "besides: prediction, row0, row1, *"),
    ],
)
def test_columns_that_cannot_be(about: TaskEntry, columns: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        text_of(known_of(table(), about, in_columns=False), NUMBERS, "--columns", columns)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "empty_is_none", "sentence"),
    [
        (("a;  c", "b"), False, "2 rows have labels: f1_micro 0.8000, subset_accuracy 0.5000"),
        (("c; a", ""), False, "1 of 2 rows have labels: f1_micro 1.0000, subset_accuracy 1.0000"),
        (("a", ""), True, "2 rows have labels: f1_micro 0.6667, subset_accuracy 0.5000"),
        (("", ""), True, ""),
        (("d", "x"), False, ""),
    ],
)
def test_labels_of_one_cell_are_scored(cells: tuple[str, ...], empty_is_none: bool, sentence: str) -> None:
    about = entry("multilabel", "f1_micro", ("a", "b", "c"), label_separator=";", empty_is_none=empty_is_none)
    assert score_text(table(label=cells), IN_ONE, CHANCES - 0.5, about) == sentence


def test_labels_of_columns_are_scored() -> None:
    there = table(a=("1", "0"), b=("0", "0.0"), c=("true", ""))
    about = entry("multilabel", "subset_accuracy", ("a", "b", "c"))
    found = score_text(there, IN_COLUMNS, CHANCES - 0.5, about)
    assert found == "1 of 2 rows have labels: subset_accuracy 1.0000"
    assert score_text(table(a=("1", "0")), IN_COLUMNS, CHANCES - 0.5, about) == ""


@pytest.mark.parametrize(
    ("metric", "cells", "sentence"),
    [
        ("rmse", ("3.25", "-1003"), "2 rows have a score: rmse 2.1213"),
        ("rmse", ("4", "unknown"), "1 of 2 rows have a score: rmse 0.7500"),
        ("pearson", ("1", "1"), "2 rows have a score: no pearson: these do not differ, rmse 707.8157"),
        ("pearson", ("", "nan"), ""),
    ],
)
def test_numbers_are_scored(metric: str, cells: tuple[str, ...], sentence: str) -> None:
    assert score_text(table(label=cells), IN_ONE, NUMBERS, entry("score", metric, ("score",))) == sentence
