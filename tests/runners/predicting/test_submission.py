"""Files of predictions in the form that somebody wants: whole or not at all, and read back as they were meant."""

import argparse
import csv
import io
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.judging.labelling import Labelling
from gridsearch.tasks.tables.read import read_table
from gridsearch.tasks.tables.table import Columns, Table
from runners.predicting.columns import Known
from runners.predicting.options import add_output
from runners.predicting.submission import read_submission

CHANCES = np.array([[0.25, 0.75], [0.875, 0.125], [0.5, 0.5]])
TABLE = Table(
    Path("input.csv"),
    ("id", "one, two", "prediction"),
    True,
    (("7", "8", "9"), ("a,b", 'say "c"', "d=e"), ("x", "y", "z")),
    (2, 3, 4),
)
BARE = Table(Path("input.tsv"), ("0", "1"), False, (("a", "b", "c"), ("d", "e", "f")), (1, 2, 3))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"))).map(str.strip)


def known(table: Table = TABLE, labels: tuple[str, ...] = ("0", "1")) -> Known:
    return Known(table, labels, Labelling("class", len(labels)))


def submission(*options: object, of: Known | None = None):
    parser = argparse.ArgumentParser()
    add_output(parser)
    return read_submission(parser.parse_args([str(option) for option in options]), of or known())


def text(*options: object, of: Known | None = None, chances: np.ndarray = CHANCES) -> str:
    return submission(*options, of=of).text(chances)


def test_afqmc_wants_objects_with_a_number_and_a_label(tmp_path: Path) -> None:
    source = tmp_path / "test.json"
    source.write_text('{"id": 0, "sentence1": "a", "sentence2": "b"}\n{"id": 1, "sentence1": "c", "sentence2": "d"}\n')
    table = read_table(source, Columns(text="sentence1", pair="sentence2", label="label"))
    written = text("--columns", "id,label=prediction", "--format", "jsonl", of=known(table), chances=CHANCES[:2])
    assert written == '{"id": 0, "label": "1"}\n{"id": 1, "label": "0"}\n'


def test_gaiic_wants_a_probability_a_line() -> None:
    written = text("--columns", "probability", "--no-header", "--format", "tsv", of=known(BARE))
    assert written == "0.750000\n0.125000\n0.500000\n"


def test_the_default_is_all_of_the_input_the_label_and_every_probability() -> None:
    lines = text().splitlines()
    assert lines[0] == 'id,"one, two",prediction,predicted,p(0),p(1)'
    assert lines[1] == '7,"a,b",x,1,0.250000,0.750000'
    assert text(of=known(BARE)).splitlines()[:2] == [
        "column 0,column 1,predicted,p(0),p(1)",
        "a,d,1,0.250000,0.750000",
    ]


@pytest.mark.parametrize(
    ("columns", "first_lines"),
    [
        ("prediction,id", ["prediction,id", "1,7"]),
        ("name=2,2", ["name,prediction", "x,x"]),
        ('"one, two",row0,n=row1', ['"one, two",row,n', '"a,b",0,1']),
        ("0,1=p(1)", ["id,1", "7,0.750000"]),
        ("p(0), p(1)", ["p(0),p(1)", "0.250000,0.750000"]),
        ("chance=p(0)", ["chance", "0.250000"]),
        ("number(id),number(prediction)", ["id,prediction", "7,1"]),
        ("*", ['id,"one, two",prediction', '7,"a,b",x']),
    ],
)
def test_columns_are_named_chosen_and_ordered(columns: str, first_lines: list[str]) -> None:
    assert text("--columns", columns).splitlines()[:2] == first_lines


def test_a_column_whose_name_has_an_equals_sign() -> None:
    table = Table(Path("x.csv"), ("a=b", "a"), True, (("1",), ("2",)), (2,))
    assert text("--columns", "a=b,b=a", of=known(table), chances=CHANCES[:1]) == "a=b,b\n1,2\n"


def test_numbers_in_json(tmp_path: Path) -> None:
    """Numbers of a JSON input stay numbers; other texts are numbers where that is asked for."""
    source = tmp_path / "test.jsonl"
    source.write_text('{"id": 7, "x": 1.5, "flag": true, "code": "007", "mixed": 1}\n'
                      '{"id": 8, "x": -2e-7, "flag": false, "code": "1", "mixed": "1"}\n')  # fmt: skip
    table = read_table(source, Columns(text="code", label="label"))
    written = text(
        "--format", "jsonl", "--columns", "*,row1,l=number(prediction)", of=known(table), chances=CHANCES[:2]
    )
    assert [json.loads(line) for line in written.splitlines()] == [
        {"id": 7, "x": 1.5, "flag": "true", "code": "007", "mixed": "1", "row": 1, "l": 1},
        {"id": 8, "x": -2e-07, "flag": "false", "code": "1", "mixed": "1", "row": 2, "l": 0},
    ]
    from_csv = text("--format", "jsonl", "--columns", "id,n=number(id),probability")
    assert json.loads(from_csv.splitlines()[0]) == {"id": "7", "n": 7, "probability": 0.75}


def test_the_format_is_that_of_the_extension(tmp_path: Path) -> None:
    for name, format_ in [("a.csv", "csv"), ("a.TSV", "tsv"), ("a.jsonl", "jsonl"), ("a.txt", "csv"), ("csv", "csv")]:
        assert submission("-o", tmp_path / name).format == format_
    assert submission("-o", tmp_path / "a.csv", "--format", "tsv").format == "tsv"


def test_decimals() -> None:
    assert text("--columns", "p(1)", "--digits", "3", "--no-header") == "0.750\n0.125\n0.500\n"
    exact = text("--columns", "p(1)", "--digits", "17", "--format", "jsonl", chances=np.array([[1 - 1e-12, 1e-12]] * 3))
    assert json.loads(exact.splitlines()[0]) == {"p(1)": 1e-12}


def test_a_byte_order_mark_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submission("-o", tmp_path / "a.csv", "--bom").write(CHANCES)
    submission("-o", tmp_path / "b.csv").write(CHANCES)
    marked, plain = (tmp_path / "a.csv").read_bytes(), (tmp_path / "b.csv").read_bytes()
    assert marked == b"\xef\xbb\xbf" + plain
    submission("--bom").write(CHANCES)
    assert capsys.readouterr().out.encode() == marked


def test_what_a_terminal_cannot_spell_is_told_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    of = replace(known(), labels=("0", "体育"))
    assert "体育" in text(of=of)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "latin-1"))
    with pytest.raises(RequestError, match=r"in latin-1 here, which cannot spell 体育: -o FILE writes it in UTF-8"):
        submission(of=of)
    assert submission("-o", tmp_path / "a.csv", of=of).target is not None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--columns", "idd"], "there is no column 'idd'; the input's columns are 'id', 'one, two', 'prediction'"),
        (["--columns", "3"], "there is no column '3'"),
        (["--columns", ""], "--columns needs a column"),
        (["--columns", "id,,prediction"], "there is no column ''"),
        (["--columns", "p(2)"], "p(2) is of no label of the study, which are 0, 1"),
        (["--columns", "x=*"], "* is 3 columns, which cannot all be called 'x'"),
        (["--columns", "n=number(2)", "--format", "jsonl"], "n is to be a number, but is 'x'"),
        (["--columns", "x=id,x=prediction", "--format", "jsonl"], "two columns would be called 'x'"),
        (["--format", "xlsx"], "--format: unknown format 'xlsx'; known: csv, tsv, jsonl"),
        (["--format", "jsonl", "--bom"], "--bom is for csv and tsv"),
        (["--format", "jsonl", "--no-header"], "--no-header is for csv and tsv"),
        (["--digits", "0"], "--digits must be from 1 to 17, but is 0"),
    ],
)
def test_what_is_refused_before_anything_is_computed(options: list[str], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        submission(*options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_probability_is_of_two_labels() -> None:
    with pytest.raises(RequestError, match=r"of two labels, but there are 3; write p\(LABEL\)"):
        submission("--columns", "probability", of=known(labels=("a", "b", "c")))


@pytest.mark.parametrize("inside", ["a\tb", "a\nb", "a\rb"])
def test_tsv_holds_no_tab_and_no_line_break(inside: str) -> None:
    table = Table(Path("x.csv"), ("id",), True, ((inside,),), (2,))
    with pytest.raises(RequestError, match="a tab or a line break cannot stand in a field of tsv"):
        submission("--format", "tsv", of=known(table))
    assert text("--format", "tsv", "--columns", "prediction", of=known(table), chances=CHANCES[:1]) == "prediction\n1\n"


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.csv"
    target.write_text("as it was")
    made = submission("-o", target, "--force")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda self, other: (_ for _ in ()).throw(OSError(28, "no space")))
        with pytest.raises(OSError, match="no space"):
            made.write(CHANCES)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert target.read_text() == "as it was"
    made.write(CHANCES)
    assert target.read_text() == text()
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    real, link, pipe = tmp_path / "real.csv", tmp_path / "link.csv", tmp_path / "pipe.csv"
    real.touch()
    link.symlink_to(real)
    submission("-o", link, "--force").write(CHANCES)
    assert link.is_symlink()
    assert real.read_text() == text()
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    submission("-o", pipe, "--force").write(CHANCES)
    reader.join()
    assert heard == [text()]
    assert pipe.is_fifo()


@pytest.mark.slow  # many tables, drawn at random
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), format_=st.sampled_from(["csv", "tsv", "jsonl"]))
def test_what_is_written_is_read_back(rows: list[tuple[str, str]], format_: str, tmp_path_factory) -> None:
    table = Table(Path("x"), ("a", "b"), True, tuple(zip(*rows, strict=True)), tuple(range(len(rows))))
    chances = np.full((len(rows), 2), 0.5)
    path = tmp_path_factory.mktemp("written") / f"out.{format_}"
    submission("-o", path, "--columns", "a,x=b,prediction", of=known(table)).write(chances)
    read = read_table(path, Columns(text="a", label="x"))
    assert read.names == ("a", "x", "prediction")
    assert read.values[:2] == table.values
    if format_ == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            assert [tuple(row[:2]) for row in csv.reader(file)][1:] == rows


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_rounding_turns_no_order_round(chances: list[float]) -> None:
    table = Table(Path("x"), ("a",), True, (("t",) * len(chances),), tuple(range(len(chances))))
    both = np.array([[1 - chance, chance] for chance in chances])
    written = text("--columns", "p(1)", "--no-header", of=known(table), chances=both)
    order = np.argsort(chances, kind="stable")
    assert np.all(np.diff(np.array([float(line) for line in written.split()])[order]) >= 0)
