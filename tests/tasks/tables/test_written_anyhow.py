"""Tables as the csv module and pandas write them, in every way that they know: read back right, or refused."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.read import read_other, read_table, read_unknown
from gridsearch.tasks.tables.table import Columns

PLAIN = tuple(f"the film of number {number} was seen" for number in range(16))
NAMED = Columns(text="text", label="label")
Row = tuple[str, ...]

PIECES = ['"', '""', ",", ";", "\t", "|", "\n", "\r\n", "\r", "'", "\\", " ", "a", "word", "电影", "é", "#", "1,5"]
odd_texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)


@dataclass(frozen=True)
class Written:
    """A table, and the file that a program made of it."""

    rows: tuple[Row, ...]
    name: str
    content: bytes


@st.composite
def tables(draw: st.DrawFn, names: Row = ("text", "label"), header: bool | None = None) -> Written:
    """Draw a table of which most rows are plain, and the way in which it is written."""
    texts = list(PLAIN)
    for place, text in draw(st.dictionaries(st.integers(0, len(PLAIN) - 1), odd_texts, max_size=6)).items():
        texts[place] = text
    rows = tuple((text, "good" if number % 3 else "bad") for number, text in enumerate(texts))
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    has_header = draw(st.booleans()) if header is None else header
    if draw(st.booleans()):
        import pandas

        frame = pandas.DataFrame(rows, columns=list(names))
        text = frame.to_csv(sep=separator, quoting=quoting, lineterminator=end, header=has_header, index=False)
    else:
        written = io.StringIO(newline="")
        # Else a backslash may as well be one of the text: only before a quote it is seen to escape.
        may_escape = quoting == csv.QUOTE_ALL and not any("\\" in text for text in texts)
        escapes: dict[str, Any] = {"doublequote": False, "escapechar": "\\"}
        escapes = escapes if may_escape and draw(st.booleans()) else {}
        writer = csv.writer(written, delimiter=separator, quoting=quoting, lineterminator=end, **escapes)
        writer.writerows([names, *rows] if has_header else rows)
        text = written.getvalue()
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    name = draw(st.sampled_from(["data.csv", "data.tsv", "data.txt"]))
    return Written(rows, name, text.encode(encoding))


def unknown_comes_back(written: Written) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / written.name
        path.write_bytes(written.content)
        try:
            read = read_unknown(path)
        except RequestError:
            return
        assert tuple(zip(*read.values, strict=True)) == written.rows


def other_comes_back(written: Written) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "train.csv").write_text("text,label\na good film,good\na bad film,bad\na nice one,good\n")
        path = Path(folder) / written.name
        path.write_bytes(written.content)
        try:
            read = read_other(path, NAMED, train=read_table(Path(folder) / "train.csv", NAMED))
        except RequestError:
            return
        columns = (read.column("text", "text"), read.column("label", "label"))
        assert tuple(zip(*columns, strict=True)) == written.rows


@settings(max_examples=60, derandomize=True)  # a table can be contrived that is as well another one
@given(tables())
def test_an_unknown_table_comes_back_as_it_was(written: Written) -> None:
    unknown_comes_back(written)


@pytest.mark.slow  # many tables, drawn at random
@settings(max_examples=60, derandomize=True)  # a table can be contrived that is as well another one
@given(tables())
def test_a_table_beside_train_comes_back_as_it_was(written: Written) -> None:
    other_comes_back(written)


@pytest.mark.slow  # thousands of tables; the two above keep the same promise of fewer
@settings(max_examples=4000, derandomize=True)
@given(tables(), st.booleans())
def test_many_tables_come_back_as_they_were(written: Written, is_other: bool) -> None:
    (other_comes_back if is_other else unknown_comes_back)(written)
