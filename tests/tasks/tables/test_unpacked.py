"""Files that are packed give what was packed; what cannot be unpacked says why."""

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.corpus import corpus_of_files
from gridsearch.tasks.guess import guess_task, write_toml
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.tables import unpacked
from gridsearch.tasks.tables.formats import extension_of
from gridsearch.tasks.tables.read import read_table
from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.tables.unpacked import read_bytes
from gridsearch.tasks.task import Task

CSV = ("text,label\n" + "".join(f"some words {number},{'ab'[number % 2]}\n" for number in range(40))).encode()


def zipped(*files: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files:
            archive.writestr(name, raw)
    return held.getvalue()


def zstandard(raw: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(raw)
    return sink.getvalue().to_pybytes()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard,
    ".zip": lambda raw: zipped(("inside.csv", raw)),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_would_fill_the_memory_is_refused(packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "MOST_BYTES", 2**20)
    monkeypatch.setattr(unpacked, "N_BYTES_AT_ONCE", 2**16)
    path = tmp_path / f"a{packing}"
    path.write_bytes(PACKINGS[packing](bytes(2**20)))
    assert len(read_bytes(path)) == 2**20
    path.write_bytes(PACKINGS[packing](bytes(2**20 + 1)))
    with pytest.raises(RequestError, match=r"a\.\w+ unpacks to more than 0.00\d+ GB: unpack it, and take the rows"):
        read_bytes(path)


@pytest.mark.parametrize("packing", PACKINGS)
@given(raw=st.binary())
def test_what_was_packed_comes_out(packing: str, raw: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(PACKINGS[packing](b"=" + raw))
        assert read_bytes(path) == b"=" + raw


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["rows.csv", "ROWS.CSV", "rows"])
def test_a_packed_table_is_guessed_read_and_predicted_as_its_rows_are(tmp_path: Path, packing: str, name: str) -> None:
    path = tmp_path / f"{name}{packing}"
    path.write_bytes(PACKINGS[packing](CSV))
    guessed, sentences = guess_task([path])
    task = write_toml(guessed, tmp_path / "a.toml", sentences)
    assert isinstance(task, Task)
    assert (len(task.train), len(task.dev), task.label_names) == (36, 4, ("a", "b"))
    split, _ = read_inputs(path, guessed.columns, "single")
    assert split.texts[:2] == ("some words 0", "some words 1")


def test_a_packed_file_may_have_the_name_of_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(gzip.compress(CSV))
    assert len(read_table(tmp_path / "rows.csv", Columns(text="text", label="label"))) == 40


def test_texts_a_line_are_read_packed(tmp_path: Path) -> None:
    (tmp_path / "new.txt.gz").write_bytes(gzip.compress(b"one, two\nthree\n"))
    split, _ = read_inputs(tmp_path / "new.txt.gz", Columns(text="text", label="label"), "single")
    assert split.texts == ("one, two", "three")
    assert corpus_of_files([tmp_path / "new.txt.gz"]).texts == ("one, two", "three")


def test_what_programs_add_to_a_zip_is_no_file_of_it(tmp_path: Path) -> None:
    others = [("__MACOSX/._a.csv", b"x"), (".DS_Store", b"x"), ("data/", b""), ("data/Thumbs.db", b"x")]
    (tmp_path / "a.zip").write_bytes(zipped(*others, ("data/a.csv", CSV)))
    assert read_bytes(tmp_path / "a.zip") == CSV


def with_password(raw: bytes) -> bytes:
    """Set the flag that tells a file of a zip to be encrypted, where it stands and in the list at the end."""
    found = [
        (mark.start(), 6 if mark[0] == b"PK\x03\x04" else 8) for mark in re.finditer(rb"PK\x03\x04|PK\x01\x02", raw)
    ]
    flagged = bytearray(raw)
    for start, place in found:
        flagged[start + place] |= 1
    return bytes(flagged)


def packed_often(raw: bytes) -> bytes:
    for _ in range(6):
        raw = gzip.compress(raw)
    return raw


CANNOT: dict[str, tuple[bytes, str]] = {
    "gzip, cut off": (gzip.compress(CSV)[:-20], "is a damaged gzip file, cut off perhaps"),
    "gzip, overwritten": (gzip.compress(CSV)[:20] + b"other bytes", "is a damaged gzip file"),
    "bzip2, cut off": (bz2.compress(CSV)[:-20], "is a damaged bzip2 file"),
    "xz, cut off": (lzma.compress(CSV)[:-20], "is a damaged xz file"),
    "Zstandard, cut off": (zstandard(CSV)[:-10], "is a damaged Zstandard file"),
    "zip, cut off": (zipped(("a.csv", CSV))[:60], "is a damaged zip file"),
    "zip with a password": (with_password(zipped(("a.csv", CSV))), "is a zip with a password: unpack it"),
    "zip of two": (zipped(("a.csv", CSV), ("b.csv", CSV)), r"one file, but .* holds 2 \(a.csv, b.csv\): unpack it"),
    "zip of many": (zipped(*((f"{n}.csv", CSV) for n in range(9))), r"holds 9 \(0.csv, 1.csv, 2.csv, …\)"),
    "zip of a folder": (zipped(("empty/", b"")), "holds none: unpack it"),
    "packed often": (packed_often(CSV), "is packed more than 4 times: unpack it"),
}


@pytest.mark.parametrize("case", CANNOT)
def test_what_cannot_be_unpacked(tmp_path: Path, case: str) -> None:
    raw, sentence = CANNOT[case]
    (tmp_path / "a.csv").write_bytes(raw)
    with pytest.raises(RequestError, match=sentence):
        guess_task([tmp_path / "a.csv"])


def test_extensions_of_what_is_packed() -> None:
    assert [extension_of(Path(name)) for name in ("a.CSV", "a.jsonl.gz", "a.TSV.BZ2", "a.gz", "a.b.csv")] == [
        ".csv",
        ".jsonl",
        ".tsv",
        "",
        ".csv",
    ]
