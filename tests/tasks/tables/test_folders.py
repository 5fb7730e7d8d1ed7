"""Folders as Hugging Face datasets and Spark leave them, and Arrow files of datasets."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pytest
from pyarrow import ipc, parquet

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task, write_toml
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.tables.read import read_table
from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.task import Task

NAMED = Columns(text="text", label="label")
FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["World", "Sports"], "_type": "ClassLabel"},
}


def frame(numbers: Sequence[int], unlabelled: bool = False) -> pyarrow.Table:
    labels = [-1 if unlabelled else number % 2 for number in numbers]
    table = pyarrow.table({"text": [f"some words {number}" for number in numbers], "label": labels})
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})


def save(folder: Path, *parts: pyarrow.Table) -> Path:
    """Write what ``Dataset.save_to_disk`` of datasets 5.2 does."""
    folder.mkdir(parents=True)
    names = [f"data-{number:05}-of-{len(parts):05}.arrow" for number in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        with ipc.new_stream(folder / name, part.schema) as sink:
            sink.write_table(part)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def save_splits(folder: Path, **splits: pyarrow.Table) -> Path:
    for name, table in splits.items():
        save(folder / name, table)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
    return folder


def test_a_dataset_is_read_with_the_names_of_its_labels(tmp_path: Path) -> None:
    table = read_table(save(tmp_path / "a", frame(range(3)), frame(range(3, 5))), NAMED)
    assert table.column("text", "text") == tuple(f"some words {number}" for number in range(5))
    assert table.column("label", "label") == ("World", "Sports", "World", "Sports", "World")
    split, _ = read_inputs(tmp_path / "a", NAMED, "single")
    assert len(split) == 5
    assert read_table(tmp_path / "a" / "data-00000-of-00002.arrow", NAMED).column("label", "label")[0] == "World"


def test_what_else_lies_in_a_folder_is_told(tmp_path: Path) -> None:
    parquet.write_table(frame(range(5)), tmp_path / "part-0.parquet")
    assert read_table(tmp_path, NAMED).notes == ()
    (tmp_path / "reviews.csv").write_text("text,label\na,b\n")
    (told,) = read_table(tmp_path, NAMED).notes
    assert told.endswith(", part-0.parquet is read; the other file is not")


@pytest.mark.parametrize("dev", ["validation", "dev", None])
def test_the_splits_of_a_folder_become_train_dev_and_test(tmp_path: Path, dev: str | None) -> None:
    splits = {"train": frame(range(40)), "unsupervised": frame(range(9)), "test": frame(range(60, 70), unlabelled=True)}
    splits |= {dev: frame(range(40, 60))} if dev else {}
    guessed, sentences = guess_task([save_splits(tmp_path / "news", **splits)])
    task = write_toml(guessed, tmp_path / "tasks" / "news.toml", sentences)
    assert isinstance(task, Task)
    assert (task.name, task.label_names) == ("news", ("Sports", "World"))
    assert (len(task.train), len(task.dev)) == ((40, 20) if dev else (36, 4))
    assert task.test is not None
    assert (len(task.test), task.test.labels) == (10, None)
    assert f"{tmp_path / 'news' / 'unsupervised'} is not read" in sentences


def test_part_files_are_one_table_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, numbers in (("part-1.parquet", range(3, 5)), ("part-0.parquet", range(3))):
        parquet.write_table(frame(numbers), tmp_path / name)
    (tmp_path / "_SUCCESS").touch()
    table = read_table(tmp_path, NAMED)
    assert table.column("text", "text") == tuple(f"some words {number}" for number in range(5))
    assert table.column("label", "label") == ("0", "1", "0", "1", "0")


def test_folders_that_are_no_table(tmp_path: Path) -> None:
    def refused(folder: Path, sentence: str) -> None:
        with pytest.raises(RequestError, match=sentence):
            read_table(folder, NAMED)

    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", r"a folder is read where .*empty is neither: name a file$")
    with pytest.raises(RequestError, match=r"empty is neither: name a file$"):
        guess_task([tmp_path / "empty"])
    refused(
        save_splits(tmp_path / "b", train=frame([1]), test=frame([1])), "several splits, train, test: name .*b/train$"
    )
    with pytest.raises(RequestError, match=r"has no split called train, but a, b: name the folders of yours"):
        guess_task([save_splits(tmp_path / "c", a=frame([1]), b=frame([1]))])
    for name in ("train-00000-of-00001.parquet", "test-00000-of-00001.parquet"):
        parquet.write_table(frame([1]), tmp_path / name)
    refused(tmp_path, r"holds files of several splits, test, train: name one file, or move them apart")
    old = save(tmp_path / "old", frame([1]))
    (old / "indices.arrow").touch()
    refused(old, "was saved by an old version of datasets: load it, and save it anew")
    torn = save(tmp_path / "torn", frame([1]))
    (torn / "data-00000-of-00001.arrow").unlink()
    refused(torn, r"data-00000-of-00001.arrow cannot be read: No such file")
    (torn / "state.json").write_text("{}")
    refused(torn, r"state.json is not what datasets writes: it must hold '_data_files'")
    refused(
        save(tmp_path / "d", frame([1]), frame([1]).select(["text"])),
        r"have the same columns, but here text, label and",
    )


def test_torn_files(tmp_path: Path) -> None:
    whole = (save(tmp_path / "a", frame(range(99))) / "data-00000-of-00001.arrow").read_bytes()
    for raw, name in (
        (whole[:-600], "b.arrow"),
        (b"text,label\n", "b.arrow"),
        (b"text", "b.feather"),
        (b"", "b.parquet"),
    ):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(RequestError, match=rf"{name} is not an? (Arrow|Parquet) file, or is cut off"):
            read_table(tmp_path / name, NAMED)
