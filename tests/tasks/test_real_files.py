"""Published rows in ten formats, as people keep them: ``init`` reads all of them right, with no edit by hand."""

import csv
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas
import pyarrow
import pytest

from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import parse_task_file, read_task
from runners.cli import main

N_ROWS = 300
Rows = list[list[str]]


def _rows(file: Path, separator: str = "\t") -> Rows:
    """Return the first rows of a published file that hold every field; MRPC begins with a byte order mark."""
    lines = file.read_text(encoding="utf-8-sig").split("\n")[: N_ROWS + 1]
    rows = [line.split(separator) for line in lines if line]
    return [row for row in rows if len(row) == len(rows[0])]


def csv_with_an_index(data: Path, file: Path) -> Rows:
    """Film reviews as pandas writes a frame: a first column without a name."""
    header, *rows = _rows(data / "glue" / "SST-2" / "dev.tsv")
    pandas.DataFrame(rows, columns=header).to_csv(file)
    return rows


def tsv_in_gbk(data: Path, file: Path) -> Rows:
    """Headlines without a header, written on a Chinese Windows."""
    rows = _rows(data / "thucnews10" / "dev.txt")
    file.write_bytes("".join("\t".join(row) + "\r\n" for row in rows).encode("gbk", "ignore"))
    return [[field.encode("gbk", "ignore").decode("gbk") for field in row] for row in rows]


def json_lines(data: Path, file: Path) -> Rows:
    """Pairs with an id before them and other people's votes behind them."""
    lines = (data / "ocnli_clue" / "dev.json").read_text(encoding="utf-8").split("\n")[:N_ROWS]
    items = [item for item in map(json.loads, filter(None, lines)) if item["label"] != "-"]
    file.write_text("".join(json.dumps(item) + "\n" for item in items))
    return [[item["sentence1"], item["sentence2"], item["label"]] for item in items]


def gzipped_tsv(data: Path, file: Path) -> Rows:
    rows = _rows(data / "oppo_xiaobu_plain" / "dev.txt")
    with gzip.open(file, "wt", encoding="utf-8") as stream:
        stream.writelines("\t".join(row) + "\n" for row in rows)
    return rows


def workbook(data: Path, file: Path) -> Rows:
    """News in Excel, with a title row that names the columns."""
    rows = _rows(data / "ag_news" / "dev.tsv")
    pandas.DataFrame(rows, columns=["description", "class"]).to_excel(file, index=False)
    return rows


def unicode_text(data: Path, file: Path) -> Rows:
    """What Excel calls Unicode text: UTF-16 with a mark, and semicolons where the comma is decimal."""
    rows = _rows(data / "tianchi_multitask" / "OCEMOTION_dev.csv")
    with file.open("w", encoding="utf-16", newline="") as stream:
        csv.writer(stream, delimiter=";", quoting=csv.QUOTE_ALL).writerows([["id", "text", "label"], *rows])
    return [row[1:] for row in rows]


def parquet(data: Path, file: Path) -> Rows:
    header, *rows = _rows(data / "glue" / "RTE" / "dev.tsv")
    frame = pandas.DataFrame(rows, columns=header).astype({"index": int, "label": "category"})
    frame.to_parquet(file)
    return [row[1:] for row in rows]


def zipped_csv(data: Path, file: Path) -> Rows:
    """Sentences to be judged, their label before them: a zip with the one file that it was made of."""
    rows = [[row[3], row[1]] for row in _rows(data / "glue" / "CoLA" / "dev.tsv")]
    text = pandas.DataFrame([row[::-1] for row in rows], columns=["acceptable", "sentence"]).to_csv(index=False)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in_domain_train.csv", text)
    return rows


def saved_dataset(data: Path, folder: Path) -> Rows:
    """What the library datasets saves: a stream of Arrow, and the names of the labels beside it."""
    _, *rows = _rows(data / "glue" / "MRPC" / "dev.tsv")
    names = ["different", "equivalent"]
    table = pyarrow.table(
        {
            "sentence1": [row[3] for row in rows],
            "sentence2": [row[4] for row in rows],
            "label": [int(row[0]) for row in rows],
            "idx": list(range(len(rows))),
        }
    )
    folder.mkdir()
    with (
        pyarrow.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink,
        pyarrow.ipc.new_stream(sink, table.schema) as stream,
    ):
        stream.write_table(table)
    value = {"dtype": "string", "_type": "Value"}
    features = {
        "sentence1": value,
        "sentence2": value,
        "label": {"names": names, "_type": "ClassLabel"},
        "idx": {"dtype": "int64", "_type": "Value"},
    }
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_fingerprint": "0", "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state))
    return [[row[3], row[4], names[int(row[0])]] for row in rows]


def odd_separator(data: Path, file: Path) -> Rows:
    """News as a well-known Chinese corpus separates them."""
    rows = _rows(data / "tianchi_multitask" / "TNEWS_dev.csv")
    file.write_text("".join("_!_".join(row) + "\n" for row in rows), encoding="utf-8")
    return [row[1:] for row in rows]


WRITERS: dict[str, Callable[[Path, Path], Rows]] = {
    "films.csv": csv_with_an_index,
    "headlines.txt": tsv_in_gbk,
    "inference.jsonl": json_lines,
    "queries.tsv.gz": gzipped_tsv,
    "news.xlsx": workbook,
    "emotions.csv": unicode_text,
    "entailment.parquet": parquet,
    "grammar.zip": zipped_csv,
    "paraphrases": saved_dataset,
    "topics.txt": odd_separator,
}


@pytest.mark.parametrize("name", WRITERS)
def test_init_reads_it_right(
    name: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = WRITERS[name](shared_data, Path(name))
    assert main(["init", name, "-o", "task.toml"]) == 0, capsys.readouterr().err
    path = Path("task.toml")
    task = read_task(parse_task_file(path.read_text(encoding="utf-8"), path.name), path)
    assert isinstance(task, Task)
    assert task.dev is not None
    assert sorted([*_labelled(task, task.train), *_labelled(task, task.dev)]) == sorted(rows)


def _labelled(task: Task, split: Split) -> Rows:
    assert split.labels is not None
    names = [task.label_names[label] for label in split.labels]
    columns = [split.texts, *([] if split.pairs is None else [split.pairs]), names]
    return [list(row) for row in zip(*columns, strict=True)]
