"""What is no table is named for what it is, whatever it is called."""

import pickle
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.corpus import corpus_of_files
from gridsearch.tasks.guess import guess_task
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.tables.read import read_table
from gridsearch.tasks.tables.table import Columns
from tests.tasks.tables.test_unpacked import CSV, zipped

NAMED = Columns(text="text", label="label", separator=",")


def tarred() -> bytes:
    held = BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(CSV)
        archive.addfile(member, BytesIO(CSV))
    return held.getvalue()


def database() -> bytes:
    import sqlite3

    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table rows (text, label)")
        return connection.serialize()


def figure(form: str) -> Callable[[], bytes]:
    def drawn() -> bytes:
        from PIL import Image

        held = BytesIO()
        Image.new("RGB", (20, 20), "red").save(held, form)
        return held.getvalue()

    return drawn


def arrays(save: Callable[..., None]) -> bytes:
    held = BytesIO()
    save(held, np.arange(100))
    return held.getvalue()


def old_office(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + stream.encode("utf-16-le") + bytes(500)


def weights() -> bytes:
    import torch

    held = BytesIO()
    torch.save({"a": torch.zeros(3)}, held)
    return held.getvalue()


FOREIGN: dict[str, tuple[Callable[[], bytes], str]] = {
    "xls": (lambda: old_office("Workbook"), "is an Excel workbook of the old format .xls: save it as .xlsx or CSV"),
    "xlsx with a password": (lambda: old_office("EncryptedPackage"), "an Office document with a password: save it wit"),
    "doc": (lambda: old_office("WordDocument"), "is an old Office document: save its table as CSV"),
    "docx": (lambda: zipped(("[Content_Types].xml", b""), ("word/document.xml", b"")), "is a Word or PowerPoint docum"),
    "ods": (lambda: zipped(("mimetype", b"application/vnd.oasis"), ("content.xml", b"")), "is an OpenDocument file"),
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "is a PDF document: copy its table into a CSV file"),
    "rtf": (lambda: rb"{\rtf1\ansi some words}", "is an RTF document"),
    "png": (figure("PNG"), "is an image"),
    "jpeg": (figure("JPEG"), "is an image"),
    "sqlite": (database, "is an SQLite database: export the table as CSV"),
    "tar.gz": (tarred, "is a tar archive: unpack it, and name the file that is meant"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c\x00\x04", "is a 7z or rar archive"),
    "pickle": (lambda: pickle.dumps([{"text": "some words", "label": 1}]), "is a Python pickle"),
    "npy": (lambda: arrays(np.save), "is an array of NumPy"),
    "npz": (lambda: arrays(np.savez), "is arrays of NumPy or PyTorch"),
    "pt": (weights, "is arrays of NumPy or PyTorch"),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "is an HDF5 file: write it as CSV, JSON lines or Parquet"),
    "web page": (
        lambda: b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html><p>Sign in</p></html>\n",
        "is a web page: download the",
    ),
    "xml": (lambda: b'<?xml version="1.0"?>\n<rows><row/></rows>\n', "is an XML file"),
    "lfs": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "run git lfs pull"),
    "program": (lambda: b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8, "is no text, and of a kind that is not known"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt", "a"])
def test_what_is_no_table_is_named(tmp_path: Path, kind: str, name: str) -> None:
    make, sentence = FOREIGN[kind]
    path = tmp_path / name
    path.write_bytes(make())
    for read in (
        lambda: guess_task([path]),
        lambda: read_table(path, NAMED),
        lambda: read_inputs(path, NAMED, "single"),
        lambda: corpus_of_files([path]),
    ):
        with pytest.raises(RequestError, match=sentence) as caught:
            read()
        assert str(caught.value).startswith(f"{path} is ")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "first",
    [
        "PAR1",
        "%PDF",
        "<html> is a tag",
        "ORC",
        "BZh91",
        "Rar!",
        "version https",
        "<?xml ?",
        "SQLite format",
        "7z",
        "PK",
    ],
)
def test_texts_that_begin_as_other_files_do_are_texts(tmp_path: Path, first: str) -> None:
    (tmp_path / "a.csv").write_text(f"{first},a\nsome words,b\n")
    table = read_table(tmp_path / "a.csv", Columns(text=0, label=1, header=False))
    assert table.values == ((first, "some words"), ("a", "b"))


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "\x1b[31mred", "\x0c", "\x07\x08"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_texts_with_control_characters_are_texts(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(f"{text},a\nsome words 体育,b\n".encode(encoding))
    table = read_table(tmp_path / "a.csv", Columns(text=0, label=1, header=False, encoding=encoding))
    assert table.values[0][0] == text


def test_a_table_is_no_text_a_line(tmp_path: Path) -> None:
    import pandas

    pandas.DataFrame({"text": ["a"]}).to_parquet(tmp_path / "a.txt")
    with pytest.raises(RequestError, match=r"a text is read here, but .*a.txt is a Parquet file$"):
        corpus_of_files([tmp_path / "a.txt"])
