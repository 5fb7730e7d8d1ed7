"""Tables as people and programs write them: read right, or refused in a sentence that is true."""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.layout import Layout
from gridsearch.tasks.tables.read import read_other, read_table, read_unknown
from gridsearch.tasks.tables.table import Columns, Table

TEXTS = [f"text number {number} about words" for number in range(40)]
COMMAS = [f"text number {number}, about words" for number in range(40)]
LABELS = ["pos" if number % 2 else "neg" for number in range(40)]
NAMED = Columns(text="text", label="label")
PLACED = Columns(header=False, text=0, label=1)


def write(folder: Path, name: str, content: str, encoding: str = "utf-8") -> Path:
    (folder / name).write_bytes(content.encode(encoding))
    return folder / name


def table(
    texts: Sequence[str] = TEXTS, separator: str = ",", quote: str = "", head: str = "text,label", end: str = "\n"
) -> str:
    rows = [f"{quote}{text}{quote}{separator}{label}" for text, label in zip(texts, LABELS, strict=True)]
    return end.join([*([head.replace(",", separator)] if head else []), *rows, ""])


def every_seventh(change: Callable[[str], str]) -> list[str]:
    return [text if number % 7 else change(text) for number, text in enumerate(TEXTS)]


def held(read: Table) -> list[tuple[str, ...]]:
    return list(zip(*read.values, strict=True))


PARTLY = every_seventh('"{}"'.format)
ONE_LONG = [COMMAS[0] + " words" * 30_000, *COMMAS[1:]]
QUOTED = Layout(None, "utf-8", ",", True, True)
BARE = Layout(None, "utf-8", ",", True)


@pytest.mark.parametrize(
    ("content", "texts", "layout"),
    [
        (table(end="\r\n"), TEXTS, BARE),
        (table(end="\r"), TEXTS, replace(BARE, line_end="\r")),
        (table(COMMAS, quote='"', end="\r"), COMMAS, replace(QUOTED, line_end="\r")),
        (table([f"{text},\nand on" for text in TEXTS], quote='"'), [f"{text},\nand on" for text in TEXTS], QUOTED),
        (table([f"{text}\tand on" for text in TEXTS]), [f"{text}\tand on" for text in TEXTS], BARE),
        (table([f"{text}\tx" for text in TEXTS], quote='"', head=""), [f"{text}\tx" for text in TEXTS], None),
        (table(separator=";"), TEXTS, replace(BARE, separator=";")),
        ("sep=;\r\n" + table(separator=";", end="\r\n"), TEXTS, replace(BARE, separator=";")),
        (table(COMMAS, "|"), COMMAS, replace(BARE, separator="|")),
        (table(separator="\t"), TEXTS, replace(BARE, separator="\t")),
        (table(COMMAS, "\t", head=""), COMMAS, Layout(None, "utf-8", "\t", False)),
        (table(every_seventh('{} 5" wide'.format)), every_seventh('{} 5" wide'.format), QUOTED),
        (table(every_seventh('"Yes" {}'.format)), every_seventh('"Yes" {}'.format), replace(QUOTED, quoting=False)),
        (table(['"' + TEXTS[0], *TEXTS[1:]]), ['"' + TEXTS[0], *TEXTS[1:]], replace(QUOTED, quoting=False)),
        (table(every_seventh('"{}"'.format)), TEXTS, QUOTED),
        (
            table(every_seventh('"{}"'.format), "\t"),
            every_seventh('"{}"'.format),
            Layout(None, "utf-8", "\t", True, False),
        ),
        (
            table([f'{text}, \\"so\\" he' for text in TEXTS], quote='"'),
            [f'{text}, "so" he' for text in TEXTS],
            replace(QUOTED, escaped=True),
        ),
        (table(COMMAS, quote="'"), COMMAS, replace(QUOTED, quote="'")),
        (table([f"#{text}" for text in TEXTS]), [f"#{text}" for text in TEXTS], BARE),
        (table([f"{TEXTS[0]}\0", *TEXTS[1:]]), [f"{TEXTS[0]}\0", *TEXTS[1:]], BARE),
        (
            table([COMMAS[0] + " words" * 30_000, *COMMAS[1:]], quote='"'),
            [COMMAS[0] + " words" * 30_000, *COMMAS[1:]],
            QUOTED,
        ),
    ],
)
def test_texts_come_back_as_they_were(tmp_path: Path, content: str, texts: list[str], layout: Layout | None) -> None:
    read = read_unknown(write(tmp_path, "a.csv", content))
    assert held(read) == list(zip(texts, LABELS, strict=True))
    assert layout is None or read.layout == layout


ROWS = [(text, str(number % 2), str(number)) for number, text in enumerate(TEXTS)]


def lines(*rows: str) -> str:
    return "\n".join([*rows, ""])


@pytest.mark.parametrize(
    ("content", "names", "n_rows", "note"),
    [
        (
            lines("text,label", *[f"{text},{n % 2}," for n, text in enumerate(TEXTS)]),
            ("text", "label"),
            40,
            "end in empty",
        ),
        (
            table() + "one more text,pos,,\n",
            ("text", "label"),
            41,
            r"1 rows \(the first is row 42\) end in empty columns",
        ),
        (
            lines("label,text", *[f"{n % 2},{text}" for n, text in enumerate(TEXTS)], "1"),
            ("label", "text"),
            41,
            "row 42.* fewer",
        ),
        (
            "# made by a program\n# in May\n" + table(),
            ("text", "label"),
            40,
            "2 lines above the table left out",
        ),
        (
            lines("Report of March", "", "id,text,label", *[f"{n},{text},{y}" for text, y, n in ROWS]),
            ("id", "text", "label"),
            40,
            "a line above the table left out",
        ),
        (
            lines('"Report, March",,', "id,text,label", *[f"{n},{text},{y}" for text, y, n in ROWS]),
            ("id", "text", "label"),
            40,
            "what stands above the table is left out: 'Report, March'",
        ),
        (table() + table(), ("text", "label"), 81, "row 42 repeats the names of the columns"),
        (
            lines("text,label", *[f"{n},{text},{n % 2}" for n, text in enumerate(TEXTS, 1)]),
            ("", "text", "label"),
            40,
            "",
        ),
        (lines(",text,label", *[f"{n},{text},{y}" for text, y, n in ROWS]), ("", "text", "label"), 40, ""),
        (lines("v1,v2,,,", *[f"{y},{text},,," for text, y, _ in ROWS]), ("v1", "v2", "", "", ""), 40, ""),
        (
            lines("text;label;score", *[f"{text};{n % 2};{n},5" for n, text in enumerate(TEXTS)]),
            ("text", "label", "score"),
            40,
            "",
        ),
        (lines(*[f"{text};{y};{n},5" for text, y, n in ROWS]), ("0", "1", "2"), 40, ""),
        (
            lines(
                ",".join(["text", "label", *["x"] * 3000]), *[",".join(["a", str(n), *["0"] * 3000]) for n in range(9)]
            ),
            None,
            9,
            "",
        ),
    ],
)
def test_odd_rows(tmp_path: Path, content: str, names: tuple[str, ...] | None, n_rows: int, note: str) -> None:
    read = read_unknown(write(tmp_path, "a.csv", content))
    assert names in (None, read.names)
    assert len(read) == n_rows
    assert re.search(note, "".join(read.notes))
    assert bool(note) == bool(read.notes)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            table() + "a text, and more,pos\n",
            r"row 42 has 3, the rows before it 2 .*; a field that holds",
        ),
        (table(every_seventh("“{}, so”".format)), r"row 2 has 3, the rows before it 2"),
        (
            table(COMMAS, quote='"') + '"torn text,pos\n',
            r"must be closed; the one in .*a.csv row 42 is not",
        ),
        (table(COMMAS, quote='"') + '"a "torn", text",pos\n', r"must be doubled; in .*a.csv row 42 one is not"),
        (
            lines(*TEXTS),
            r"needs two columns or more, a text and its label; .*a.csv has one, for its first row",
        ),
        (lines("a,b", "c,d,e", "f"), r"row 2 has 3, the rows before it 2"),
    ],
)
def test_what_is_torn_is_refused_with_its_row(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_unknown(write(tmp_path, "a.csv", content))


def test_a_tail_that_contradicts_the_beginning_is_refused_with_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridsearch.tasks.tables.sniff.N_CHARACTERS_READ", 500)
    monkeypatch.setattr("gridsearch.tasks.tables.sniff.N_LINES_ENOUGH", 5)
    for tail, sentence in (("a, b,pos\n", "row 42 has 3"), ('"a, b,pos\n', "row 42 is not"), ('"a"b,pos\n', None)):
        path = write(tmp_path, "a.csv", table() + tail)
        if sentence is None:
            assert read_unknown(path).values[0][-1] == '"a"b'
        else:
            with pytest.raises(RequestError, match=sentence):
                read_unknown(path)
    late = read_unknown(write(tmp_path, "b.csv", table() + '"so ""late"", a quote",pos\n'))
    assert late.values[0][-1] == 'so "late", a quote'


# --- files beside train

TRAIN = table()


@pytest.fixture
def train(tmp_path: Path) -> Table:
    return read_table(write(tmp_path, "train.csv", TRAIN), NAMED)


@pytest.mark.parametrize(
    ("name", "content", "encoding", "note"),
    [
        ("dev.csv", table(COMMAS, quote='"'), "utf-8", "quotes enclose fields"),
        ("dev.tsv", table(COMMAS, "\t"), "utf-8", r"separator '\\t'"),
        ("dev.csv", table(COMMAS, ";"), "utf-8", "separator ';'"),
        ("dev.csv", table([f"{text}，电影" for text in COMMAS], quote='"'), "gb18030", "quotes .*, encoding gb18030"),
        ("dev.csv", table(COMMAS, quote='"'), "utf-16", "encoding utf-16"),
        ("dev.csv", table(head=""), "utf-8", "no header"),
        ("dev.csv", "sep=;\n" + table(COMMAS, ";"), "utf-8", "separator ';'"),
        ("dev.txt", table(COMMAS, "\t"), "utf-8", "separator"),
        (
            "dev.csv",
            lines("label,text", *[f'{label},"{t}"' for t, label in zip(COMMAS, LABELS, strict=True)]),
            "utf-8",
            "quotes",
        ),
        ("dev.csv", "a fine text,pos\n", "utf-8", "no header"),
        ("dev.csv", table().replace("text,label", " text , label"), "utf-8", None),
    ],
)
def test_another_file_is_read_as_it_is_written(
    tmp_path: Path, train: Table, name: str, content: str, encoding: str, note: str | None
) -> None:
    read = read_other(write(tmp_path, name, content, encoding), NAMED, train=train)
    texts, labels = read.column("text", "text"), read.column("label", "label")
    assert set(labels) <= {"pos", "neg"}
    assert len(texts) == (1 if "fine" in content else 40)
    assert all("number" in text or "fine" in text for text in texts)
    assert not any('"' in text for text in texts)
    told = "".join(read.notes)
    assert told == "" if note is None else re.search(f"^{name} is written otherwise than train.csv: .*{note}", told)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_test_without_labels_and_without_a_header(tmp_path: Path, train: Table, quote: str) -> None:
    texts = [f"{'new' if quote == '' else 'new,'} {text}" for text in TEXTS]
    path = write(tmp_path, "test.csv", lines(*(f"{quote}{text}{quote}" for text in texts)))
    assert read_other(path, NAMED, train=train).column("text", "text") == tuple(texts)


def test_what_a_first_row_is_without_names_of_train_is_asked(tmp_path: Path, train: Table) -> None:
    with pytest.raises(RequestError, match=r"first row of .*test.csv may name the columns, \('nice'\) above rows such"):
        read_other(write(tmp_path, "test.csv", lines("nice", *TEXTS)), NAMED, train=train)
    with pytest.raises(RequestError, match=r"test.csv has no header, and its 4 columns may be any of a task's; write"):
        read_other(write(tmp_path, "test.csv", lines(*(f"7,{text},a b,c d" for text in TEXTS))), NAMED, train=train)


def test_a_header_where_train_has_none(tmp_path: Path) -> None:
    train = read_table(write(tmp_path, "train.csv", table(head="")), PLACED)
    read = read_other(write(tmp_path, "dev.csv", table()), PLACED, train=train)
    assert (len(read), read.column(0, "text")[0]) == (40, TEXTS[0])
    assert read.notes == ("dev.csv is written otherwise than train.csv: the first row names the columns",)


def test_a_label_that_stands_first_in_train_only(tmp_path: Path) -> None:
    columns = Columns(header=False, label=0, text=1)
    read = read_other(write(tmp_path, "test.csv", lines(*TEXTS)), columns)
    assert read.column(1, "text") == tuple(TEXTS)
    assert read.find(0) is None


def test_what_a_task_says_holds_for_train_and_decides_for_files_that_are_separated_alike(tmp_path: Path) -> None:
    texts = ['"One" of ""two""', *TEXTS[1:]]
    said = Columns(separator="\t", header=False, quoting=False, text=0, label=1)
    train = read_table(write(tmp_path, "train.tsv", table(texts, "\t", head="")), said)
    assert train.values[0][0] == texts[0]
    dev = write(tmp_path, "dev.tsv", table(['"so ""it"" is"', *TEXTS[1:]], "\t", head=""))
    assert read_other(dev, said, train=train).values[0][0] == '"so ""it"" is"'
    all_quoted = write(tmp_path, "dev.tsv", table(['so ""it"" is', *TEXTS[1:]], "\t", quote='"', head=""))
    assert read_other(all_quoted, said, train=train).values[0][0] == 'so "it" is'


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('text\n"one, two"\n""\n"three"\n""\nfive\n', ("one, two", "", "three", "", "five")),
        ("text\none\n\nthree\n\nfive\n", ("one", "", "three", "", "five")),
        ("text\none\n\n", ("one", "")),
        ('id,text\n1,one\n2,""\n3,\n,\n5,five\n\n', ("one", "", "", "", "five")),
        ('text,id\n"",""\n"a, b",2\n', ("", "a, b")),
        ("text\none, two\nthree\nfour, five, six\n", ("one, two", "three", "four, five, six")),
        ('text\n"one\n\ntwo"\n""\n', ("one\n\ntwo", "")),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_promise_keeps_its_rows(tmp_path: Path, content: str, texts: tuple[str, ...], end: str) -> None:
    read = read_other(write(tmp_path, "new.csv", content.replace("\n", end)), NAMED)
    assert read.column("text", "text") == tuple(text.replace("\n", end) for text in texts)


def test_rows_of_separators_alone_are_no_rows_of_train(tmp_path: Path) -> None:
    read = read_unknown(write(tmp_path, "train.csv", table() + ",\n,\n")).without_empty_rows()
    assert len(read) == 40
    assert read.notes == ("2 rows of train.csv are empty in every column and left out",)


def test_fields_longer_than_the_csv_module_takes_by_default_are_read(tmp_path: Path) -> None:
    assert csv.field_size_limit() > 10**9
    path = write(tmp_path, "a.csv", f'text,label\n"{"a, " * 100_000}",x\n')
    assert len(read_table(path, NAMED).column("text", "text")[0]) == 300_000


def test_train_without_a_word_on_it_is_read_by_the_custom_of_its_extension_and_looked_at_where_that_fails(
    tmp_path: Path,
) -> None:
    quoted = table(quote='"', separator="\t", head='"text","label"')
    assert read_table(write(tmp_path, "a.tsv", quoted), PLACED).values[0][1] == f'"{TEXTS[0]}"'
    assert read_table(write(tmp_path, "b.tsv", quoted), NAMED).values[0][0] == TEXTS[0]
    assert read_table(write(tmp_path, "a.csv", table(COMMAS, ";")), NAMED).values[0] == tuple(COMMAS)
    single = NAMED.model_copy(update={"quoting": "single"})
    assert read_table(write(tmp_path, "c.csv", table(COMMAS, quote="'")), single).values[0] == tuple(COMMAS)
