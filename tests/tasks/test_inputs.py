from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.inputs import read_further_texts, read_inputs
from gridsearch.tasks.tables.formats import Format
from gridsearch.tasks.tables.table import Columns

NAMED = Columns(text="text", label="label")


def test_inputs_of_a_table_need_no_label(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("id,text\n0,one\n1,NA\n")
    assert read_inputs(tmp_path / "new.csv", NAMED, "single")[0].texts == ("one", "NA")
    (tmp_path / "new.jsonl").write_text('{"text": "one", "second": "two"}\n')
    split, _ = read_inputs(tmp_path / "new.jsonl", NAMED.model_copy(update={"pair": "second"}), "pair")
    assert (split.texts, split.pairs, split.labels) == (("one",), ("two",), None)


def test_inputs_of_a_text_file_are_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_bytes("one, \u2028two\r\n\r\nthree\n".encode())
    assert read_inputs(path, NAMED, "single")[0].texts == ("one, \u2028two", "", "three")
    tabs = Columns(separator="\t", header=False, quoting=False, text=0, label=1)
    assert read_inputs(path, tabs, "single")[0].texts == ("one, \u2028two", "", "three")
    with pytest.raises(RequestError, match=r"two texts a row, which .*new.txt does not tell apart; use .tsv"):
        read_inputs(path, NAMED.model_copy(update={"pair": "second"}), "pair")
    path.write_text("")
    with pytest.raises(RequestError, match=r"new.txt holds no rows"):
        read_inputs(path, NAMED, "single")
    with pytest.raises(RequestError, match=r"input must be a file; there is none at .*none.txt"):
        read_inputs(tmp_path / "none.txt", NAMED, "single")


# --- further texts of a task

TABS = Columns(separator="\t", header=False, quoting=False, text=0, pair=1, label=2)
NAMED_PAIRS = Columns(text="text", pair="second", label="label")


@pytest.mark.parametrize("name", ["more.txt", "more.tsv"])
def test_a_table_like_the_tasks_own_holds_pairs_whatever_its_extension(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('one "x\ttwo\nthree\tfour\n')
    split, _ = read_further_texts(tmp_path / name, TABS, "pair", None)
    assert (split.texts, split.pairs, split.labels) == (('one "x', "three"), ("two", "four"), None)


def test_labels_of_further_texts_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("one\ttwo\t7\nthree\tfour\tno label\n")
    split, _ = read_further_texts(tmp_path / "more.txt", TABS, "pair", None)
    assert (split.texts, split.pairs, split.labels) == (("one", "three"), ("two", "four"), None)


@pytest.mark.parametrize("columns", [TABS, NAMED_PAIRS, NAMED_PAIRS.model_copy(update={"separator": ","})])
def test_lines_are_single_texts_in_a_pair_task_too(tmp_path: Path, columns: Columns) -> None:
    (tmp_path / "more.txt").write_text("one two\n\nthree\n")
    split, _ = read_further_texts(tmp_path / "more.txt", columns, "pair", None)
    assert ([text for text in split.texts if text], split.pairs) == (["one two", "three"], None)


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ("tsv", 'text\tsecond\none "x\ttwo\n'),
        ("csv", 'text,second\n"one ""x",two\n'),
        ("jsonl", '{"text": "one \\"x", "second": "two"}\n'),
        ("json", '[{"text": "one \\"x", "second": "two"}]\n'),
    ],
)
@pytest.mark.parametrize("name", ["more.txt", "more.data"])
def test_the_tasks_format_is_that_of_files_whose_extension_tells_none(
    tmp_path: Path, name: str, given: Format, content: str
) -> None:
    (tmp_path / name).write_text(content)
    split, _ = read_further_texts(tmp_path / name, NAMED_PAIRS, "pair", given)
    assert (split.texts, split.pairs) == (('one "x',), ("two",))
    (tmp_path / "more.csv").write_text("second,text\nb,a\n")
    assert read_further_texts(tmp_path / "more.csv", NAMED_PAIRS, "pair", given)[0].texts == ("a",)


def test_further_texts_must_be_some(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("")
    with pytest.raises(RequestError, match=r"more.txt holds no rows$"):
        read_further_texts(tmp_path / "more.txt", NAMED, "single", None)
    (tmp_path / "more.txt").write_text("\n \n")
    with pytest.raises(RequestError, match=r"more.txt holds no text$"):
        read_further_texts(tmp_path / "more.txt", NAMED, "single", None)
    (tmp_path / "more.csv").write_text("text\none\n")
    with pytest.raises(RequestError, match=r"more.csv has no pair column 'second'; its columns: 'text'"):
        read_further_texts(tmp_path / "more.csv", NAMED_PAIRS, "pair", None)
