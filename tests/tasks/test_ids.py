"""Tasks whose texts are anonymised ids: what is read, what is refused, what is counted, and how they are guessed."""

import random
from collections import Counter
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task, write_toml
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import load_task, parse_task_file
from gridsearch.tasks.tfidf_yardstick import tfidf_yardstick

TOML = """name = "numbers"
kind = "pair"
metric = "accuracy"
ids = true
[files]
train = "train.tsv"
dev = "dev.tsv"
test = "test.tsv"
[columns]
header = false
text = 0
pair = 1
label = 2
[corpus]
files = ["more.txt"]
"""
FILES = {
    "train.tsv": "12 5 776\t5\ta\n5 5\t12\tb\n7\t776 776\ta\n",
    "dev.tsv": "12\t5\ta\n8\t\tb\n",
    "test.tsv": "5 9\t12\t\n",
    "more.txt": "5 5 5\n\n12 1000\n",
}
COUNTS = '[vocabulary]\ncounts = "counts.json"\n'


def write(folder: Path, toml: str = TOML, **files: str) -> Path:
    for name, content in {**FILES, **{name.replace("_", "."): text for name, text in files.items()}}.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "task.toml").write_text(toml, encoding="utf-8")
    return folder / "task.toml"


def test_ids_are_counted_in_all_texts_that_the_task_names(tmp_path: Path) -> None:
    task = load_task(write(tmp_path))
    assert task.ids
    assert task.id_counts == Counter({"5": 9, "12": 5, "776": 3, "7": 1, "8": 1, "9": 1, "1000": 1})
    assert task.token_counts == {}
    assert task.notes[-1] == "each text is ids: 7 different numbers"


def test_it_has_the_fingerprint_that_it_would_have_as_text(tmp_path: Path) -> None:
    task = load_task(write(tmp_path, TOML + COUNTS, counts_json='{"a": 3}'))
    text = load_task(write(tmp_path, TOML.replace("ids = true\n", "")))
    assert task.fingerprint == text.fingerprint
    assert not text.id_counts
    assert task.token_counts == {"a": 3}


@pytest.mark.parametrize("word", ["a", "-1", "1.5", "1,2", "1_000", "１２", "[SEP]"])
@pytest.mark.parametrize(
    ("file", "place", "row"),
    [("train.tsv", "776 776", 3), ("dev.tsv", "8", 2), ("test.tsv", "5 9", 1), ("more.txt", "12 1000", 3)],
)
def test_another_text_is_refused_with_its_row(tmp_path: Path, word: str, file: str, place: str, row: int) -> None:
    content = FILES[file].replace(place, f"12 {word}")
    with pytest.raises(RequestError) as error:
        load_task(write(tmp_path, **{file.replace(".", "_"): content}))
    rule = "with ids = true every text is whole numbers separated by spaces"
    assert str(error.value) == f"{tmp_path / file} row {row}: {rule}, but this one is '12 {word}'"


@pytest.mark.parametrize(
    ("toml", "counts", "message"),
    [
        (TOML.replace("ids = true\n", "") + COUNTS, "{}", r"\[vocabulary\] says how ids become tokens; it belongs to"),
        (TOML.replace("true", "1"), "", "ids: input should be a valid boolean"),
        (TOML + "[vocabulary]\n", "", r"task.toml, \[vocabulary\]: counts must be given"),
        (TOML + COUNTS.replace("counts.json", "none.json"), "", "data file 'none.json' is not there"),
        (TOML + COUNTS, "a: 1", "counts.json is not JSON: "),
        (TOML + COUNTS, "[1]", "a JSON object from tokens to how often they occur; .*counts.json is none"),
        (TOML + COUNTS, '{"a": 1, "b": "2"}', "in .*counts.json that of 'b' is '2'"),
        (TOML + COUNTS, '{"a": -1}', "in .*counts.json that of 'a' is -1"),
        (TOML + COUNTS, '{"a": true}', "in .*counts.json that of 'a' is True"),
    ],
)
def test_what_is_wrong_with_a_task_of_ids(tmp_path: Path, toml: str, counts: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        load_task(write(tmp_path, toml, counts_json=counts))


def test_new_inputs_are_ids_too(tmp_path: Path) -> None:
    columns = Columns(header=False, text=0, pair=1, label=2)
    (tmp_path / "new.tsv").write_text("1 2\t3\n4\t5 x\n")
    with pytest.raises(RequestError, match=r"new.tsv row 2: with ids = true .* but this one is '5 x'"):
        read_inputs(tmp_path / "new.tsv", columns, "pair", ids=True)
    assert read_inputs(tmp_path / "new.tsv", columns, "pair")[0].pairs == ("3", "5 x")
    (tmp_path / "new.txt").write_text("1 2\n\nx\n")
    with pytest.raises(RequestError, match=r"new.txt row 3: "):
        read_inputs(tmp_path / "new.txt", Columns(text=0, label=1), "single", ids=True)


# --- gridsearch init


def rows_of_ids(n_rows: int = 60) -> list[str]:
    draw = random.Random(0)
    return [" ".join(str(draw.randint(1, 900)) for _ in range(draw.randint(2, 8))) for _ in range(n_rows)]


@pytest.mark.parametrize("is_pair", [False, True])
def test_ids_are_guessed_and_told(tmp_path: Path, is_pair: bool) -> None:
    texts = rows_of_ids()
    rows = [f"{text}\t{text[::-1].strip()}\t{n % 2}" if is_pair else f"{text}\t{n % 2}" for n, text in enumerate(texts)]
    (tmp_path / "train.tsv").write_text("\n".join(rows) + "\n")
    guessed, sentences = guess_task([tmp_path / "train.tsv"])
    assert (guessed.ids, guessed.kind) == (True, "pair" if is_pair else "single")
    told = "ids = true: every text is whole numbers separated by spaces, so each number is a word of its own"
    assert told in sentences
    task = write_toml(guessed, tmp_path / "task.toml", sentences)
    assert task.ids
    assert parse_task_file((tmp_path / "task.toml").read_text(), "task.toml").ids


def test_one_word_among_the_numbers_makes_them_text(tmp_path: Path) -> None:
    rows = [f"{text}\t{n % 2}" for n, text in enumerate(rows_of_ids())]
    rows[7] = f"12 or 13\t{7 % 2}"
    (tmp_path / "train.tsv").write_text("\n".join(rows) + "\n")
    guessed, sentences = guess_task([tmp_path / "train.tsv"])
    assert not guessed.ids
    task = write_toml(guessed, tmp_path / "task.toml", sentences)
    assert not task.ids
    assert "ids = true" not in (tmp_path / "task.toml").read_text()


# --- the cheap reference


def one_digit_task(folder: Path, kind: str) -> Task:
    """Make a task whose labels only one-digit ids tell apart: 3 and 8, among numbers of no meaning."""
    draw = random.Random(1)

    def text(label: int) -> str:
        words = [str(draw.randint(10, 14)) for _ in range(4)] + ["8" if label else "3"]
        draw.shuffle(words)
        return " ".join(words)

    def rows(n_rows: int) -> str:
        labels = [n % 2 for n in range(n_rows)]
        pairs = [f"{text(label)}\t{text(label) if kind == 'single' else text(0)}\t{label}" for label in labels]
        return "".join(f"{row}\n" for row in pairs)

    toml = TOML.replace('test = "test.tsv"\n', "").split("[corpus]")[0]
    if kind == "single":
        toml = toml.replace('"pair"', '"single"').replace("pair = 1\n", "")
    return load_task(write(folder, toml, train_tsv=rows(80), dev_tsv=rows(40)))


@pytest.mark.parametrize("kind", ["single", "pair"])
def test_each_id_is_a_word_to_it(tmp_path: Path, kind: str) -> None:
    assert tfidf_yardstick(one_digit_task(tmp_path, kind)).dev["accuracy"] == 1.0
