import json
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task, toml_text, toml_value, write_toml
from gridsearch.tasks.parts.part_file import TaskFile
from gridsearch.tasks.tables.encoding import sniff_encoding
from gridsearch.tasks.tables.layout import Layout
from gridsearch.tasks.tables.read import read_unknown
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import parse_task_file
from tests.fixtures_core import slow

SENTENCES = [f"the film number {number} was {'good, really' if number % 2 else 'bad'}" for number in range(40)]
LABELS = ["positive" if number % 2 else "negative" for number in range(40)]


def table(separator: str = ",", header: str | None = "text,label", quote: str = '"', line_end: str = "\n") -> str:
    rows = [f"{quote}{text}{quote}{separator}{label}" for text, label in zip(SENTENCES, LABELS, strict=True)]
    return line_end.join([*([header.replace(",", separator)] if header else []), *rows, ""])


def write(folder: Path, name: str, content: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def init(*files: Path) -> tuple[TaskFile, list[str], Task]:
    task, sentences = guess_task(list(files))
    return task, sentences, write_toml(task, files[0].parent / "tasks" / "guessed.toml", sentences)


@pytest.mark.parametrize(
    ("name", "content", "encoding", "layout"),
    [
        ("a.csv", table(), "utf-8", Layout(None, "utf-8", ",", True, True)),
        ("a.csv", table(line_end="\r\n"), "utf-8-sig", Layout(None, "utf-8", ",", True, True)),
        ("a.csv", table(";"), "utf-8", Layout(None, "utf-8", ";", True, True)),
        ("a.txt", table("|", None, ""), "utf-8", Layout(None, "utf-8", "|", False)),
        ("a.tsv", table("\t", None, ""), "utf-8", Layout(None, "utf-8", "\t", False)),
        ("a.txt", table("_!_", None, ""), "utf-8", Layout(None, "utf-8", "_!_", False)),
        ("a.tsv", table("\t").replace("film", "电影"), "gb18030", Layout(None, "gb18030", "\t", True, True)),
        ("a.tsv", table("\t").replace("film", "été à l'œil"), "cp1252", Layout(None, "cp1252", "\t", True, True)),
        ("a.csv", table().replace("film", "电影"), "utf-16", Layout(None, "utf-16", ",", True, True)),
        ("a.csv", table("\t", "字,类别", ""), "utf-8", Layout(None, "utf-8", "\t", True)),
    ],
)
def test_layouts(tmp_path: Path, name: str, content: str, encoding: str, layout: Layout) -> None:
    path = write(tmp_path, name, content, encoding)
    assert read_unknown(path).layout == layout
    task, _, read = init(path)
    assert (task.kind, task.metric, read.label_names) == ("single", "accuracy", ("negative", "positive"))
    assert (len(read.train), len(read.dev)) == (36, 4)
    assert all("number" in text and '"' not in text for text in read.train.texts)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.log"])
def test_json(tmp_path: Path, name: str) -> None:
    rows = [{"n": n, "review": text, "label": LABELS[n]} for n, text in enumerate(SENTENCES)]
    task, sentences, read = init(write(tmp_path, name, "\n".join(map(json.dumps, rows))))
    assert (task.columns.text, task.columns.label) == ("review", "label")
    assert sentences[0] == f"{name}: 40 rows, columns by name, encoding utf-8"
    assert len(read.train) == 36


def test_parquet(tmp_path: Path) -> None:
    import pandas

    pandas.DataFrame({"review": SENTENCES, "y": [n % 2 for n in range(40)]}).to_parquet(tmp_path / "a.parquet")
    assert init(tmp_path / "a.parquet")[2].label_names == ("0", "1")


def test_everything_guessed_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "train.csv", table())
    _, sentences, read = init(path)
    assert sentences == [
        "train.csv: 40 rows, separator ',', the first row names the columns, quotes enclose fields, encoding utf-8",
        "text is 'text', for example 'the film number 0 was bad'",
        "label is 'label' with 2 values: negative (20), positive (20)",
        "metric accuracy: the labels are about equally frequent",
        "of the two labels 'positive' is the positive one, should metric be f1_binary; the other one has to be named "
        "as positive under [labels]",
    ]
    assert read.name == tmp_path.name
    assert (tmp_path / "tasks" / "guessed.toml").read_text(encoding="utf-8") == (
        "# Guessed from the data by `gridsearch init`; correct here what is wrong.\n"
        + "".join(f"# {sentence}\n" for sentence in sentences)
        + f"""name = {toml_value(tmp_path.name)}
kind = "single"
metric = "accuracy"

[files]
train = "../train.csv"
dev = 0.1

[columns]
separator = ","
header = true
quoting = true
text = "text"
label = "label"
"""
    )


def test_odd_names_of_columns_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b=0" 数据 #1'
    folder.mkdir()
    rows = [f'"{text}";{label}' for text, label in zip(SENTENCES, LABELS, strict=True)]
    task, _, read = init(write(folder, "my 文件.csv", "\ufeff" + "\r\n".join(['"正文 ""x"" \\n #";类别 = ', *rows])))
    assert (task.columns.text, task.columns.label) == ('正文 "x" \\n #', "类别 = ")
    assert (read.name, len(read.train)) == ("my 文件", 36)


def test_columns_of_the_same_name_are_counted(tmp_path: Path) -> None:
    rows = "\n".join(f"{n}\t{text}\t{LABELS[n]}" for n, text in enumerate(SENTENCES))
    task, _, _ = init(write(tmp_path, "a.tsv", f"x\tx\ty\n{rows}\n"))
    assert (task.columns.text, task.columns.label) == (1, 2)


def test_the_text_is_no_identifier_date_or_address(tmp_path: Path) -> None:
    rows = "\n".join(
        f"https://example.org/a/long/address/{n}\t2021-03-{n % 28 + 1:02} 10:11:12\tid_{n:060}\t{text}\t{LABELS[n]}"
        for n, text in enumerate(SENTENCES)
    )
    task, _, _ = init(write(tmp_path, "a.tsv", f"{rows}\n"))
    assert (task.kind, task.columns.text, task.columns.label) == ("single", 3, 4)


def test_dev_and_test_files_rare_labels_and_no_label(tmp_path: Path) -> None:
    labels = [("-" if n == 7 else "a" if n % 5 else "b") for n in range(40)]
    rows = "\n".join(json.dumps({"text": text, "label": label}) for text, label in zip(SENTENCES, labels, strict=True))
    train, dev = write(tmp_path, "train.jsonl", rows), write(tmp_path, "dev.jsonl", rows.replace("film", "book"))
    task, sentences, read = init(train, dev, write(tmp_path, "test.jsonl", '{"text": "new"}'))
    assert task.metric == "f1_macro"
    assert sentences[-4:] == [
        "metric f1_macro: the labels are not equally frequent (31 rows to 8), and each counts alike",
        "dev is dev.jsonl",
        "1 rows with the label '-' are left out",
        "of the two labels 'b' is the positive one, should metric be f1_binary; the other one has to be named as "
        "positive under [labels]",
    ]
    assert (read.label_names, len(read.dev)) == (("a", "b"), 39)
    assert read.test is not None
    assert read.test.labels is None


def test_a_value_that_may_stand_for_no_label_is_told(tmp_path: Path) -> None:
    rows = "\n".join(f"{text}\t{'None' if n < 3 else LABELS[n]}" for n, text in enumerate(SENTENCES))
    _, sentences, _ = init(write(tmp_path, "a.tsv", rows))
    assert sentences[-1] == "3 rows have the label 'None': if that means none, list it as ignore under [labels]"


def test_encodings() -> None:
    assert sniff_encoding("naïve élève".encode("cp1252")) == "cp1252"
    assert sniff_encoding("体育新闻 abc".encode("gb18030")) == "gb18030"


def test_quotes_that_are_text_stay_text(tmp_path: Path) -> None:
    rows = "\n".join(f'"{text}" he said\t{label}' for text, label in zip(SENTENCES, LABELS, strict=True))
    assert init(write(tmp_path, "a.tsv", rows))[2].train.texts[0].startswith('"the film')


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"init takes one to three data files .*, but got 0"):
        guess_task([])
    with pytest.raises(RequestError, match=r"a data file must exist; there is none at .*none.csv"):
        guess_task([tmp_path / "none.csv"])
    with pytest.raises(RequestError, match=r"a.txt has one, for its first row, 'one', holds none of .*;"):
        guess_task([write(tmp_path, "a.txt", "one\ntwo, three\nfour\n")])
    with pytest.raises(RequestError, match=r"two columns or more, a text and its label; .*a.txt has one, for its"):
        guess_task([write(tmp_path, "a.txt", "one\ntwo\nfour\n")])
    unlabelled = "\n".join(f"{n}\t{text}" for n, text in enumerate(SENTENCES))
    with pytest.raises(RequestError) as caught:
        guess_task([write(tmp_path, "b.tsv", f"id\ttext\n{unlabelled}")])
    assert str(caught.value) == (
        f"no column of {tmp_path / 'b.tsv'} looks like the label: a label column has two values or more, none empty, "
        "each comes back, and they are no ids or languages; its columns: 'id' (40 different values, such as '0'); "
        "'text' (40 different values, such as 'the film number 0 was bad'); name it: --label COLUMN, with its name or "
        "its position from 0"
    )
    with pytest.raises(RequestError, match="looks like the text: a text column has many different values"):
        guess_task([write(tmp_path, "c.tsv", "\n".join(f"{n}\t{n % 2}" for n in range(40)))])


def test_an_existing_file_is_not_overwritten_and_a_failed_one_not_left(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", table())
    task, sentences = guess_task([path])
    write_toml(task, tmp_path / "a.toml", sentences)
    with pytest.raises(RequestError, match=r"init writes a new file, but .*a.toml exists"):
        write_toml(task, tmp_path / "a.toml", sentences)
    write_toml(task, tmp_path / "a.toml", sentences, overwrite=True)
    wrong, sentences = guess_task([path, write(tmp_path, "dev.csv", "text,label\nx,unheard of\n")])
    with pytest.raises(RequestError, match="unknown label 'unheard of'"):
        write_toml(wrong, tmp_path / "wrong.toml", sentences)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "a.toml", "dev.csv"]


def test_toml_text_is_read_back_as_it_was(tmp_path: Path) -> None:
    task, _ = guess_task([write(tmp_path, "a.csv", table())])
    columns = task.columns.model_copy(update={"text": 'a\x7f"\\\t\x01é\u2028', "separator": "\t"})
    odd = task.model_copy(update={"name": "two\nlines", "columns": columns})
    assert parse_task_file(toml_text(odd, ["a comment\x00 of\ntwo lines"]), "odd") == odd


@pytest.mark.parametrize(
    ("files", "kind", "columns", "n_train"),
    [
        slow(["thucnews10/train_first45k.txt", "thucnews10/dev.txt"], "single", (0, None, 1), 45000),
        pytest.param(
            ["glue/SST-2/train.tsv", "glue/SST-2/dev.tsv"],
            "single",
            ("sentence", None, "label"),
            67349,
            marks=pytest.mark.slow,
        ),
        (["glue/RTE/train.tsv", "glue/RTE/dev.tsv"], "pair", ("sentence1", "sentence2", "label"), 2490),
        (["glue/MRPC/train.tsv", "glue/MRPC/dev.tsv"], "pair", ("#1 String", "#2 String", "Quality"), 3667),
        slow(["glue/CoLA/train.tsv", "glue/CoLA/dev.tsv"], "single", (3, None, 1), 8551),
        pytest.param(
            ["afqmc/train.txt", "afqmc/dev.txt", "afqmc/test.txt"], "pair", (0, 1, 2), 34334, marks=pytest.mark.slow
        ),
        slow(["ag_news/dev.tsv", "ag_news/test.tsv"], "single", (0, None, 1), 10001),
        slow(["ocnli_clue/train.10k.json", "ocnli_clue/dev.json"], "pair", ("sentence1", "sentence2", "label"), 9985),
        pytest.param(
            ["tianchi_multitask/OCEMOTION_train.csv", "tianchi_multitask/OCEMOTION_dev.csv"],
            "single",
            (1, None, 2),
            28630,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["tianchi_multitask/TNEWS_train.csv", "tianchi_multitask/TNEWS_dev.csv"],
            "single",
            (1, None, 2),
            50687,
            marks=pytest.mark.slow,
        ),
        (["oppo_xiaobu_plain/dev.txt"], "pair", (0, 1, 2), 9000),
    ],
)
def test_real_files(
    shared_data: Path, tmp_path: Path, files: list[str], kind: str, columns: tuple[int | str | None, ...], n_train: int
) -> None:
    task, sentences = guess_task([shared_data / file for file in files])
    read = write_toml(task, tmp_path / "guessed.toml", sentences)
    assert (task.kind, (task.columns.text, task.columns.pair, task.columns.label)) == (kind, columns)
    assert len(read.train) == n_train


def test_an_empty_file_holds_no_rows(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("\n")
    with pytest.raises(RequestError, match=r"empty.csv holds no rows"):
        guess_task([tmp_path / "empty.csv"])
