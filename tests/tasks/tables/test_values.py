"""Values of typed formats become what a person would write, and a missing value is nothing in each of them."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, ipc, parquet

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task
from gridsearch.tasks.tables.read import read_table
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.values import as_texts

NAMED = Columns(text="text", label="label")
NAN = float("nan")

Rows = list[dict[str, Any]]
Write = Callable[[Path, Rows], None]


def as_frame(rows: Rows) -> pyarrow.Table:
    return pyarrow.Table.from_pylist(rows)


def stream(path: Path, rows: Rows) -> None:
    frame = as_frame(rows)
    with ipc.new_stream(path, frame.schema) as sink:
        sink.write_table(frame)


def lines(path: Path, rows: Rows) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")


def workbook(path: Path, rows: Rows) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
        book.active.append([None if value is None or value != value else value for value in row])
    book.save(path)


FORMATS: dict[str, Write] = {
    "a.parquet": lambda path, rows: parquet.write_table(as_frame(rows), path),
    "a.feather": lambda path, rows: feather.write_feather(as_frame(rows), path),
    "a.arrow": stream,
    "a.jsonl": lines,
    "a.json": lambda path, rows: path.write_text(json.dumps(rows), encoding="utf-8"),
    "a.xlsx": workbook,
}


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*table.values, strict=True))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("misnamed", [False, True])
def test_texts_and_whole_numbers_are_the_same_in_every_format(tmp_path: Path, name: str, misnamed: bool) -> None:
    rows = [{"text": "007", "label": 7}, {"text": "NA", "label": 0}, {"text": "été “x”\u2028", "label": -1}]
    path = tmp_path / name
    FORMATS[name](path, rows)
    if misnamed and "json" not in name:
        path = path.rename(tmp_path / "a.csv")
    table = read_table(path, NAMED)
    assert (table.names, rows_of(table)) == (("text", "label"), [("007", "7"), ("NA", "0"), ("été “x”\u2028", "-1")])
    assert table.numbers == {1}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("missing", [None, NAN])
def test_a_missing_value_is_nothing_and_whole_numbers_beside_it_stay_whole(
    tmp_path: Path, name: str, missing: float | None
) -> None:
    rows = [{"text": "a", "label": 1.0}, {"text": None, "label": missing}, {"text": "b", "label": 0.0}]
    FORMATS[name](tmp_path / name, rows)
    table = read_table(tmp_path / name, NAMED)
    assert rows_of(table) == [("a", "1"), ("", ""), ("b", "0")]
    assert table.numbers == {1}


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_what_pandas_writes_for_a_missing_value(tmp_path: Path, name: str) -> None:
    frame = pandas.DataFrame(
        {
            "text": ["a", None, "b"],
            "label": pandas.array([1, pandas.NA, 0], dtype="Int64"),
            "when": [pandas.Timestamp(2024, 1, 5), pandas.NaT, pandas.Timestamp(2024, 2, 6)],
            "kind": pandas.Categorical(["x", None, "y"]),
            "flag": pandas.array([True, pandas.NA, False], dtype="boolean"),
        }
    )
    if name == "a.jsonl":
        frame.to_json(tmp_path / name, orient="records", lines=True, date_format="iso")
    else:
        frame.to_parquet(tmp_path / name)
    table = read_table(tmp_path / name, NAMED)
    assert [column[1] for column in table.values] == [""] * 5
    assert rows_of(table)[0][:2] == ("a", "1")


def test_absent_keys_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": NaN}\n{"text": "b"}\n{"label": "x"}\n')
    assert rows_of(read_table(tmp_path / "a.jsonl", NAMED)) == [("a", ""), ("b", ""), ("", "x")]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 0.0], ("1.0", "0.0")),
        ([1.0, None], ("1", "")),
        ([1.5, None, 1.0], ("1.5", "", "1.0")),
        ([1e300, NAN], (str(int(1e300)), "")),
        ([float("inf"), 1.0], ("Infinity", "1.0")),
        ([True, False, None], ("true", "false", "")),
        ([Decimal("1.50"), Decimal("1E+2"), Decimal("NaN")], ("1.50", "100", "")),
        ([date(2024, 1, 5)], ("2024-01-05",)),
        ([datetime(2024, 1, 5), None], ("2024-01-05", "")),
        ([datetime(2024, 1, 5), datetime(2024, 1, 5, 10, 30)], ("2024-01-05 00:00:00", "2024-01-05 10:30:00")),
        ([date(2024, 1, 5), datetime(2024, 1, 5, 10, 30)], ("2024-01-05 00:00:00", "2024-01-05 10:30:00")),
        ([datetime(2024, 1, 5, tzinfo=UTC)], ("2024-01-05 00:00:00+00:00",)),
        ([time(10, 2), timedelta(hours=1)], ("10:02:00", "1:00:00")),
        (["été".encode(), b"a"], ("été", "a")),
        (["NA", "nan", "None", ""], ("NA", "nan", "None", "")),
    ],
)
def test_values_are_written_as_a_person_would(values: Sequence[object], texts: tuple[str, ...]) -> None:
    assert as_texts(Path("a"), values, range(1, len(values) + 1)).values == texts


@given(st.lists(st.none() | st.integers(-(2**53), 2**53), min_size=1))
def test_integers_are_the_same_where_a_missing_one_made_them_floats(numbers: list[int | None]) -> None:
    column = [None if number is None else float(number) for number in numbers]
    written = as_texts(Path("a"), [*column, None], range(len(column) + 1)).values
    assert written[:-1] == as_texts(Path("a"), numbers, range(len(numbers))).values


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (["a", "b"], r'lists, such as \["a", "b"\]'),
        ({f"word {number}": number for number in range(60)}, r'objects, such as \{"word 0": 0, .*'),
        (b"\xff\xfe\x00", "bytes that are no UTF-8"),
    ],
)
def test_a_column_that_holds_no_texts_is_refused_where_it_is_meant(tmp_path: Path, value: object, held: str) -> None:
    rows = [{"text": value, "label": "x", "rest": "a"}, {"text": None, "label": "y", "rest": "b"}]
    FORMATS["a.parquet"](tmp_path / "a.parquet", rows)
    table = read_table(tmp_path / "a.parquet", NAMED)
    assert table.column("rest", "text") == ("a", "b")
    with pytest.raises(RequestError, match=f"a text is one text, but column 'text' of .*a.parquet holds {held}$"):
        table.column("text", "text")
    with pytest.raises(RequestError, match=f"each row has one label, a text or a number, but column 'text' .* {held}$"):
        table.column("text", "label")


@pytest.mark.parametrize("file", ["a.jsonl", "a.parquet"])
def test_what_objects_hold_are_columns(tmp_path: Path, file: str) -> None:
    rows: list[dict[str, Any]] = [
        {"data": {"premise": f"some words {number}", "from": {"id": number}}, "label": "ab"[number % 2]}
        for number in range(20)
    ]
    rows[3]["data"]["from"] = None
    FORMATS[file](tmp_path / file, rows)
    table = read_table(tmp_path / file, Columns(text="data.premise", label="label"))
    assert table.names == ("data.premise", "data.from.id", "label")
    assert table.column("data.from.id", "text")[2:5] == ("2", "", "4")
    assert guess_task([tmp_path / file])[0].columns.text == "data.premise"


def test_lists_are_neither_guessed_nor_replaced_by_another_column(tmp_path: Path) -> None:
    rows = [
        {"tokens": ["some", str(number)], "text": f"some words {number}", "labels": ["a"], "part": "ab"[number % 2]}
        for number in range(40)
    ]
    lines(tmp_path / "a.jsonl", rows)
    with pytest.raises(RequestError, match=r"each row has one label, .* column 'labels' of .* holds lists, such as"):
        guess_task([tmp_path / "a.jsonl"])
    lines(tmp_path / "a.jsonl", [{"tokens": row["tokens"], "label": row["part"]} for row in rows])
    with pytest.raises(
        RequestError, match=r"looks like the text: .*; 'tokens' \(lists, such as \[\"some\", \"0\"\]\); name it"
    ):
        guess_task([tmp_path / "a.jsonl"])
    lines(tmp_path / "a.jsonl", [{"tokens": row["tokens"], "text": row["text"], "label": row["part"]} for row in rows])
    assert guess_task([tmp_path / "a.jsonl"])[0].columns.text == "text"
