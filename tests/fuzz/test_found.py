"""What mutated files have found, each kept as a small file or command that once ended in an internal error."""

import contextlib
import json
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from gridsearch.encoders.checkpoint.text_files import json_in
from gridsearch.errors import RequestError
from gridsearch.study.damage.judge import refuse_damaged, told_damage
from gridsearch.toml_file import parse_toml
from reports.figures.texts import shortened, text_width
from runners.cli import EXIT_WRONG_REQUEST, main
from runners.request import fixed_knobs
from tests.contracts.test_ledger import old_ledger
from tests.fuzz.watched import wrong_of

SQL: dict[str, tuple[str, str]] = {
    "an entry that is no JSON": ("UPDATE study SET value = '' WHERE key = 'title'", "its entry title"),
    "a label that is none": ("UPDATE study SET value = '\"x\"' WHERE key = 'positive_label'", "the positive label 'x'"),
    "an entry that is missing": ("DELETE FROM study WHERE key = 'task_kind'", "its entry 'task_kind' is missing"),
    "an entry of another type": ("UPDATE study SET value = '7' WHERE key = 'fixed'", "what it is bound to.fixed"),
    "an entry of other fields": ("UPDATE study SET value = '[7]' WHERE key = 'factors'", "none that gridsearch writes"),
    "metrics that are none": ("UPDATE outcomes SET dev = '[]' WHERE rowid = 1", "row 1 of its table outcomes: dev"),
    "metrics without the metric": ("UPDATE outcomes SET dev = '{}' WHERE rowid = 1", "its outcome on dev lacks"),
    "a level that no factor has": ("UPDATE cells SET levels = replace(levels, '0', '~') WHERE position = 1", "'~'"),
    "a cell that is gone": ("DELETE FROM cells WHERE position = 2", "belongs to a row of cells that is not there"),
    "logits that are none": ("UPDATE logits SET data = x'00' WHERE rowid = 1", "row 1 of its table logits: data"),
    "circumstances of no words": ("UPDATE provenance SET content = '0'", "row 1 of its table provenance: content"),
    "a table that is gone": ("DROP TABLE epochs", "epochs"),
    "an outcome that is gone": ("DELETE FROM outcomes WHERE rowid = 1", "finished attempt 1 has no outcome of task"),
    "epochs that are gone": ("DELETE FROM epochs WHERE attempt = 1", "finished attempt 1 lacks some of its epochs"),
}


@pytest.fixture
def study(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(begun / "studies/swept", "study"))


@pytest.mark.parametrize(("change", "damage"), SQL.values(), ids=SQL.keys())
def test_a_ledger_that_is_damaged_is_told_to_be(
    change: str, damage: str, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.closing(sqlite3.connect(study / "ledger.sqlite")) as connection, connection as write:
        write.execute("PRAGMA foreign_keys = OFF")
        with contextlib.suppress(sqlite3.IntegrityError):
            write.execute(change)
    told = told_damage(Path("study/ledger.sqlite"))
    assert told.startswith("study/ledger.sqlite is damaged (")
    assert damage in told
    assert told.count("is damaged") == 1
    assert main(["verify", "study"]) == EXIT_WRONG_REQUEST
    said = capsys.readouterr().err
    assert re.fullmatch(r"gridsearch verify: study/ledger\.sqlite is damaged \(.*\): put a copy of it [^\n]*\n", said)
    for command in ("status", "report"):
        assert not wrong_of([command, "study"])


@pytest.mark.parametrize("kind", ["table", "curve"])
def test_an_imported_table_whose_response_is_none_of_its_columns_is_damaged(
    kind: str, begun: Path, tmp_path: Path
) -> None:
    shutil.copy(begun / "studies" / kind / "ledger.sqlite", tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection, connection as write:
        write.execute("UPDATE study SET value = '\"p0\"' WHERE key = 'response'")
    assert "holds nothing that is known" in told_damage(tmp_path / "ledger.sqlite")


@pytest.mark.parametrize("kind", ["swept", "table", "curve"])
def test_a_ledger_that_is_whole_is_not(kind: str, begun: Path) -> None:
    assert not told_damage(begun / "studies" / kind / "ledger.sqlite")


def test_a_ledger_that_is_written_meanwhile_is_not_told_to_be_damaged(study: Path) -> None:
    ledger = study / "ledger.sqlite"
    with (
        contextlib.closing(sqlite3.connect(ledger, timeout=0)) as reader,
        contextlib.closing(sqlite3.connect(ledger, isolation_level=None)) as writer,
    ):
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            refuse_damaged(reader, ledger, "a driver begins")


def test_nor_is_one_of_an_older_version(tmp_path: Path) -> None:
    assert not told_damage(old_ledger(tmp_path / "old", 2))


CARDS: dict[str, Callable[[dict], object]] = {
    "a recipe of other values": lambda card: card["recipe"].update({"adversarial_steps": []}),
    "no labels": lambda card: card.pop("label_names"),
    "labels of numbers": lambda card: card.update({"label_names": [1, 2]}),
    "a folder elsewhere": lambda card: card.update({"parts": [{**card, "name": "task", "folder": "../../../x"}]}),
    "another number of labels": lambda card: card.update({"label_names": ["a", "b", "c"]}),
}


@pytest.mark.parametrize("change", CARDS.values(), ids=CARDS.keys())
def test_kept_weights_whose_card_is_wrong_are_refused(
    change: Callable[[dict], object], study: Path, begun: Path
) -> None:
    (file,) = study.glob("weights/*/gridsearch.json")
    card = json.loads(file.read_text(encoding="utf-8"))
    change(card)
    file.write_text(json.dumps(card), encoding="utf-8")
    assert not wrong_of(["predict", "study", f"{begun}/dev.tsv"])


def test_kept_weights_whose_config_is_wrong_are_refused(study: Path, begun: Path) -> None:
    (file,) = study.glob("weights/*/encoder/config.json")
    for key, value in (("eos_token_id", "x"), ("hidden_size", 7), ("hidden_act", ["gelu"]), ("num_hidden_layers", 9)):
        before = file.read_text()
        file.write_text(json.dumps(json.loads(before) | {key: value}))
        assert not wrong_of(["predict", "study", f"{begun}/dev.tsv"]), key
        file.write_text(before)


def test_an_encoder_whose_activation_is_a_list_is_refused(begun: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(begun / "encoder", "encoder")
    config = json.loads(Path("encoder/config.json").read_text())
    Path("encoder/config.json").write_text(json.dumps(config | {"hidden_act": ["gelu"]}))
    asked = ["plan", f"{begun}/space.toml", "--task", f"{begun}/task.toml", "--model", "encoder"]
    assert not wrong_of(asked)


def _not_utf8(write: Callable[[pa.Table, str], None], name: str) -> None:
    """Write a table, and spoil the first letter of a text in it."""
    write(pa.table({"text": ["wordsthatarelong", "b"] * 9, "label": ["x", "y"] * 9}), name)
    raw = Path(name).read_bytes()
    assert b"wordsthat" in raw
    Path(name).write_bytes(raw.replace(b"wordsthat", b"\xe6ordsthat"))


def _zip_with_a_wrong_offset(name: str) -> None:
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("x.csv", "text,label\na,b\n")
    raw = bytearray(Path(name).read_bytes())
    place = raw.rindex(b"PK\x05\x06") + 16  # where the directory of the archive is said to begin
    raw[place : place + 4] = (len(raw) * 2).to_bytes(4, "little")
    Path(name).write_bytes(bytes(raw))


FILES: dict[str, Callable[[], object]] = {
    "arrow": lambda: _not_utf8(
        lambda table, name: feather.write_feather(table, name, compression="uncompressed"), "x.arrow"
    ),
    "parquet": lambda: _not_utf8(lambda table, name: parquet.write_table(table, name, compression="none"), "x.parquet"),
    "zip": lambda: _zip_with_a_wrong_offset("x.zip"),
    "csv": lambda: Path("x.csv").write_bytes(b"a\x1b[2Jb," + b"x" * 200_000 + b"\n1,2\n3,4\n"),
}


@pytest.mark.parametrize("kind", FILES)
def test_data_that_cannot_be_read_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FILES[kind]()
    assert not wrong_of(["init", f"x.{kind}", "-o", "out.toml", "--text", "nowhere"])


@pytest.mark.parametrize("number", ["9" * 5000, "[" * 5000])
def test_a_number_of_thousands_of_digits_is_refused(number: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("space.toml")
    path.write_text(f"title = {number}")
    assert not wrong_of(["plan", "space.toml"])
    assert fixed_knobs([f"epochs={number}"]) == {"epochs": number}
    for read in (lambda: parse_toml(f"a = {number}", "x.toml"), lambda: json_in(f'{{"a": {number}}}', path)):
        with pytest.raises(RequestError):
            read()


WORDS = {
    "a line break in a name": ["status", "no\r\nwhere"],
    "letters that steer a terminal": ["predict", "\x1b[31m", "x.csv"],
    "words too many": ["knobs", "pooling", "\u202eright"],
    "a very long word": ["import", "x" * 100_000],
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_words_are_quoted_in_one_line(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not wrong_of(words)


def test_a_label_as_long_as_a_book_is_shortened_as_any_other() -> None:
    """It was cut letter by letter, and measured anew each time: an import did not end within a minute."""
    assert shortened("long " * 100_000, 100) == shortened("long " * 100, 100)
    for width in (0, 5, 60, 61):
        text = "wíde中 letters"
        kept = [text[:n] for n in range(len(text) + 1) if text_width(f"{text[:n]}…") <= width]
        assert shortened(text, width) == f"{(kept or [''])[-1].rstrip()}…"
