import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.delimited import read_rows
from gridsearch.tasks.tables.formats import format_of_name
from gridsearch.tasks.tables.layout import Layout
from gridsearch.tasks.tables.read import read_table
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.text import split_lines
from tests.fixtures_core import slow

PLAIN = Columns(separator="\t", header=False, quoting=False, text=0, label=1)
NAMED = Columns(text="text", label="label")

texts = st.text(st.characters(exclude_categories=["Cs"]))
rows_of_strings = st.lists(st.tuples(texts, texts.filter(bool)), min_size=1)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*table.values, strict=True))


@given(rows_of_strings)
def test_json_lines_come_back_as_they_were(expected: list[tuple[str, str]]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        lines = [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in expected]
        table = read_table(write(Path(folder), "rows.jsonl", "\n".join(lines)), NAMED)
    assert rows(table) == expected


@given(rows_of_strings, st.sampled_from(["\n", "\r\n"]), st.sampled_from([",", ";", "\t"]))
def test_quoted_tables_come_back_as_they_were(expected: list[tuple[str, str]], line_end: str, separator: str) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator=line_end, delimiter=separator)
    writer.writerows([("text", "label"), *expected])
    read = read_rows(Path("rows.csv"), written.getvalue(), Layout(separator=separator, quoting=True))
    assert list(map(tuple, read.rows[1:])) == expected


@pytest.mark.parametrize(
    "text", ["NA", "null", "nan", "1.0", "1e5", "True", '"quoted', '5" disk', "#x", "'", "\\n", "\x00"]
)
@pytest.mark.parametrize("quoting", [False, True])
def test_no_value_is_interpreted(tmp_path: Path, text: str, quoting: bool) -> None:
    written = '"' + text.replace('"', '""') + '"' if quoting else text
    columns = PLAIN.model_copy(update={"quoting": quoting})
    assert rows(read_table(write(tmp_path, "a.tsv", f"{written}\tx\nb\ty\n"), columns)) == [(text, "x"), ("b", "y")]


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e", "\r", "\ufffd", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_one_row_remains_one_row(tmp_path: Path, odd: str, line_end: str) -> None:
    path = write(tmp_path, "a.tsv", f"a{odd}b\tx{line_end}c\ty{line_end}")
    assert rows(read_table(path, PLAIN)) == [(f"a{odd}b", "x"), ("c", "y")]


def test_mixed_line_ends_and_a_missing_last_one(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", "a\tx\r\nb\ty\nc\tz")
    assert rows(read_table(path, PLAIN)) == [("a", "x"), ("b", "y"), ("c", "z")]


def test_carriage_returns_alone_end_rows_where_nothing_else_does(tmp_path: Path) -> None:
    assert rows(read_table(write(tmp_path, "a.tsv", "a\tx\rb\ty\r"), PLAIN)) == [("a", "x"), ("b", "y")]


def test_blank_lines_are_left_out_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a.csv", "text,label\n\na,x\n\nb,y\n"), NAMED)
    assert rows(table) == [("a", "x"), ("b", "y")]
    assert table.rows == (3, 5)


def test_byte_order_mark_and_columns_of_the_same_name(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a.csv", "\ufefftext,text,label\na,b,x\n"), NAMED)
    assert table.names == ("text", "text", "label")
    assert table.column("text", "text") == ("a",)


def test_separator_of_several_characters(tmp_path: Path) -> None:
    columns = Columns(separator="_!_", header=False, quoting=False, text=1, label=0)
    assert rows(read_table(write(tmp_path, "a.txt", "101_!_a_b!\n102_!_c\n"), columns)) == [
        ("101", "a_b!"),
        ("102", "c"),
    ]


def test_other_encodings(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", "新闻\t体育\n".encode("gb18030"))
    assert rows(read_table(path, PLAIN.model_copy(update={"encoding": "gb18030"}))) == [("新闻", "体育")]


def test_json_values_become_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", '[{"text": "NA", "label": 1}, {"text": null, "label": true, "x": [1, "é"]}]')
    table = read_table(path, NAMED)
    assert table.names == ("text", "label", "x")
    assert rows(table) == [("NA", "1", ""), ("", "true", '[1, "é"]')]


def test_json_lines_under_the_extension_json(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a.json", '{"text": "a\u2028b", "label": 0}\n\n{"text": "c"}\n'), NAMED)
    assert rows(table) == [("a\u2028b", "0"), ("c", "")]
    assert table.rows == (1, 3)


def test_parquet(tmp_path: Path) -> None:
    import pandas

    frame = pandas.DataFrame({"text": ["NA", "", "\u2028"], "label": [0, 1, 1]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert rows(read_table(tmp_path / "a.parquet", NAMED)) == [("NA", "0"), ("", "1"), ("\u2028", "1")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.TSV", "tsv"), ("a.csv", "csv"), ("a.ndjson", "jsonl"), ("a.json", "json"), ("a.parquet", "parquet")],
)
def test_format_by_extension(name: str, expected: str) -> None:
    assert format_of_name(Path(name)) == expected


def test_lines_end_at_line_feeds_alone() -> None:
    assert split_lines("a\u2028b\x85c\rd\r\ne\n\nf") == ["a\u2028b\x85c\rd", "e", "", "f"]


@pytest.mark.parametrize(
    ("name", "content", "change", "sentence"),
    [
        ("a.tsv", "", {}, "a.tsv holds no rows"),
        ("a.tsv", "\n\n", {}, "a.tsv holds no rows"),
        ("a.tsv", "text\tlabel\n", {"header": True}, "a.tsv holds no rows"),
        ("a.tsv", "a\tx\nb\ty\tz\n", {}, "same number of columns; .*row 2 has 3, the rows before it 2"),
        ("a.tsv", 'a\tx\n"b\ty\n', {"quoting": True}, "every quote must be closed; the one in .*row 2 is not"),
        ("a.tsv", b"a\tx\n\xff\xfe\ty\n", {}, r"is not utf-8: byte 4 \(row 2\) cannot be decoded"),
        ("a.tsv", "a\tx\n", {"encoding": "klingon"}, "encoding under .* must be one that Python knows.*'klingon'"),
        ("a.tsv", "a\tx\n", {"separator": ""}, "separator under .* must be one character"),
        ("a.tsv", "a||x\n", {"separator": "||", "quoting": True}, r"must be one character, .*it is '\|\|'"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', {}, "row 2 is not JSON .*; known: one object a line, or one array"),
        ("a.jsonl", '"a"\n', {}, 'row 1 must be an object such as .*, but is "a"'),
        ("a.jsonl", '{"text": "\\ud800"}\n', {}, "row 1 holds half of a surrogate pair"),
        ("a.parquet", "no", {}, "is not a Parquet file"),
    ],
)
def test_errors(tmp_path: Path, name: str, content: str | bytes, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_table(write(tmp_path, name, content), PLAIN.model_copy(update=change))


def test_a_stray_quote_that_swallows_rows_is_refused(tmp_path: Path) -> None:
    lines = ['"a\tx', *("b\ty" for _ in range(6)), 'c"\tz']
    with pytest.raises(RequestError, match=r"must enclose one field; the one in .*row 1 encloses 6 rows"):
        read_table(write(tmp_path, "a.tsv", "\n".join(lines)), PLAIN.model_copy(update={"quoting": True}))


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a.csv", "id,内容\n1,a\n"), NAMED)
    with pytest.raises(RequestError, match="has no text column 'text'; its columns: 'id', '内容'"):
        table.column("text", "text")
    with pytest.raises(RequestError, match="has no label column 2; its columns: positions 0 to 1, without a header"):
        read_table(write(tmp_path, "a.tsv", "a\tb\n"), PLAIN).column(2, "label")


@pytest.mark.parametrize(
    ("name", "n_rows", "header"),
    [
        slow("thucnews10/train_first45k.txt", 45000, False),
        ("thucnews10/test.txt", 10000, False),
        slow("glue/SST-2/train.tsv", 67349, True),
        ("glue/RTE/test.tsv", 3000, True),
        ("glue/MRPC/train.tsv", 3667, True),
        ("glue/CoLA/train.tsv", 8551, False),
        ("glue/CoLA/dev.tsv", 1043, False),
        ("afqmc/train.txt", 34334, False),
        slow("oppo_xiaobu_plain/test.txt", 50000, False),
        ("ag_news/dev.tsv", 10001, False),
        ("ocnli_clue/train.10k.json", 10000, True),
        slow("tianchi_multitask/OCEMOTION_train.csv", 28630, False),
        slow("tianchi_multitask/TNEWS_train.csv", 50687, False),
        ("tianchi_multitask/OCNLI_a.csv", 1500, False),
    ],
)
def test_every_row_of_the_real_files_is_read(shared_data: Path, name: str, n_rows: int, header: bool) -> None:
    assert len(read_table(shared_data / name, PLAIN.model_copy(update={"header": header}))) == n_rows


def test_a_real_file_with_stray_quotes_is_not_read_as_quoted(shared_data: Path) -> None:
    path = shared_data / "tianchi_multitask" / "OCEMOTION_train.csv"
    with pytest.raises(RequestError, match=r"row 6486 encloses \d+ rows"):
        read_table(path, PLAIN.model_copy(update={"quoting": True}))
