"""The columns of an input come back beside its predictions as they were, in whatever format they came."""

import csv
import gzip
import io
import json
from datetime import date
from pathlib import Path

import pytest

from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.tables.table import Columns
from tests.runners.predicting.test_submission import known, text
from tests.tasks.tables.test_values import FORMATS

ROWS = [
    {"id": 7, "text": "007", "day": date(2024, 1, 5), "price": 1.5},
    {"id": None, "text": "NA", "day": date(2024, 2, 6), "price": 2.0},
    {"id": 9, "text": None, "day": None, "price": None},
]
CELLS = [["7", "007", "2024-01-05", "1.5"], ["", "NA", "2024-02-06", "2.0"], ["9", "", "", ""]]
NAMED = Columns(text="text", label="label")


@pytest.mark.parametrize("name", FORMATS)
def test_cells_of_typed_formats_are_copied_as_a_person_would_write_them(tmp_path: Path, name: str) -> None:
    in_json = [row | {"day": row["day"] and str(row["day"])} for row in ROWS]
    FORMATS[name](tmp_path / name, in_json if "json" in name else ROWS)
    split, table = read_inputs(tmp_path / name, NAMED, "single")
    assert split.texts == ("007", "NA", "")
    cells = [[field.replace("2.0", "2") for field in row] for row in CELLS] if name == "a.xlsx" else CELLS
    copied = list(csv.reader(io.StringIO(text("--columns", "*", of=known(table)))))
    assert copied == [["id", "text", "day", "price"], *cells]
    objects = [json.loads(line) for line in text("--columns", "*", "--format", "jsonl", of=known(table)).splitlines()]
    assert [one["id"] for one in objects] == [7, None, 9]
    assert [one["price"] for one in objects] == [1.5, 2.0, None]
    assert [one["text"] for one in objects] == ["007", "NA", ""]


@pytest.mark.parametrize("cells", [["1.0", "007", "nan"], [" a", "NULL", "true"], ["été", "1e5", "-0"]])
def test_cells_of_text_are_copied_letter_by_letter(tmp_path: Path, cells: list[str]) -> None:
    written = "\n".join(["id,text,rest", *([",".join(cells)] * 3), ""])
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(written.encode()))
    _, table = read_inputs(tmp_path / "a.csv.gz", NAMED, "single")
    assert text("--columns", "*", of=known(table)) == written
