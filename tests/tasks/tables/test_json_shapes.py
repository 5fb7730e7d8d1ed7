"""The shapes in which people have rows as JSON."""

import json
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task
from gridsearch.tasks.tables.json_rows import read_json

ROWS = [{"text": "a", "label": 1}, {"text": "b", "label": 0}]
EXPECTED = [("a", "1"), ("b", "0")]
FRAME = pandas.DataFrame(ROWS)

SHAPES = {
    "records": json.dumps(ROWS),
    "lines": "\n".join(map(json.dumps, ROWS)),
    "pandas' default": FRAME.to_json(),
    "pandas' split": FRAME.to_json(orient="split"),
    "pandas' index": FRAME.to_json(orient="index"),
    "pandas' table": FRAME.to_json(orient="table", index=False),
    "columns": FRAME.to_json(orient="columns", indent=2),
    "lists": json.dumps(FRAME.to_dict(orient="list")),
    "under a name": json.dumps({"version": "1.0", "data": ROWS, "tags": ["x"]}),
    "under a name, over lines": json.dumps({"data": ROWS}, indent=4),
    "an object after another": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "with blank lines": "\n\n" + "\r\n\r\n".join(map(json.dumps, ROWS)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape: str) -> None:
    table = read_json(Path("a.json"), SHAPES[shape])
    assert list(zip(*map(table.column, ("text", "label"), ("text", "label")), strict=True)) == EXPECTED


@given(
    st.lists(st.fixed_dictionaries({"text": st.text(), "label": st.integers()}), min_size=1),
    st.sampled_from(["records", "columns", "split", "index"]),
)
def test_what_pandas_writes_comes_back(rows: list[dict[str, object]], orient: str) -> None:
    keyed = {str(number): row for number, row in enumerate(rows)}
    written: dict[str, object] = {
        "records": rows,
        "columns": {name: {number: row[name] for number, row in keyed.items()} for name in ("text", "label")},
        "split": {
            "columns": ["text", "label"],
            "index": list(keyed),
            "data": [[row["text"], row["label"]] for row in rows],
        },
        "index": keyed,
    }
    table = read_json(Path("a.json"), json.dumps(written[orient]))
    assert [table.column("text", "text"), table.column("label", "label")] == [
        tuple(str(row[name]) for row in rows) for name in ("text", "label")
    ]


@pytest.mark.parametrize("text", ['{"text": "a", "spans": [{"start": 1}]}', '{"text": ["a", "b"], "tags": ["x", "y"]}'])
def test_a_line_of_json_lines_is_a_row_whatever_it_holds(text: str) -> None:
    assert len(read_json(Path("a.jsonl"), text, are_lines=True)) == 1


def test_one_plain_object_is_one_row() -> None:
    assert read_json(Path("a.json"), '{"text": "a", "label": null}').values == (("a",), ("",))
    assert read_json(Path("a.json"), '{\n"text": "a",\n"tags": ["x"]}').column("text", "text") == ("a",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            json.dumps({"train": ROWS, "test": ROWS}),
            "a.json holds several tables, train, test: save the one that is meant",
        ),
        ('{"a": {"b": 1}}', "does not show whether they are rows or columns: write the rows as an array of objects"),
        ('{"1": {"2": 1}}', "does not show whether they are rows or columns"),
        ('{"a": {"0": {"b": 1}}}', "is objects within objects: write the rows as an array of objects"),
        ('{"a": [1, 2], "b": [1]}', "as many values as there are rows, but here a 2, b 1"),
        ('{"columns": ["a", "b"], "data": [[1]]}', "row 1 has 1 values, but there are 2 columns"),
        ('[["text", "label"], ["a", "b"]]', r'row 1 must be an object such as .*, but is \["text", "label"\]'),
        ('{"data": [\n{"text": "a"},\n]}', "is not JSON .*line 3"),
        ("{'text': 'a'}", "row 1 is not JSON .*double quotes"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_ambiguous_or_torn_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_json(Path("a.json"), text)


def test_json_is_known_under_any_name(tmp_path: Path) -> None:
    rows = [{"text": f"some words {number}", "label": "ab"[number % 2]} for number in range(40)]
    for text in (json.dumps(rows, indent=1), "\n".join(map(json.dumps, rows))):
        (tmp_path / "a.csv").write_text(text)
        assert guess_task([tmp_path / "a.csv"])[0].files.format == "json"
    (tmp_path / "a.csv").write_text("\n".join(f"[{row['text']}],{row['label']}" for row in rows))
    assert guess_task([tmp_path / "a.csv"])[0].columns.separator == ","
