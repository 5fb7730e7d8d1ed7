"""Tokenizers that are not as their encoders want them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import BertTokenizer

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.encoders.files import read_card
from gridsearch.errors import RequestError
from tests.fixtures_core import N_TOKENS

PADDING = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}


@pytest.fixture
def copied(bert_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert_folder, tmp_path / "copy"))


@pytest.fixture
def without_padding(copied: Path) -> Path:
    """Return an encoder whose tokenizer names no token to fill rows up with."""
    BertTokenizer.from_pretrained(copied).save_pretrained(copied)
    (copied / "tokenizer_config.json").write_text(json.dumps(PADDING))
    return copied


def edit(path: Path, **settings: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize("number", [0, 7])
def test_the_configs_padding_is_the_tokenizers(without_padding: Path, number: int) -> None:
    edit(without_padding / "config.json", pad_token_id=number)
    read_card("x", without_padding)
    tokenizer = build_tokenizer(tokenizer_files(without_padding))
    assert tokenizer.pad_token_id == number
    rows = tokenizer(["a", "a longer text of words"], padding=True)["input_ids"]
    assert rows[0][-1] == number


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (None, "config.json has no pad_token_id"),
        (-1, "config.json has pad_token_id = -1, which is none of its tokens"),
        (N_TOKENS + 99, "pad_token_id must be that of one of [0-9]+ tokens, but is [0-9]+"),
    ],
)
def test_no_padding_at_all(without_padding: Path, number: int | None, told: str) -> None:
    edit(without_padding / "config.json", pad_token_id=number)
    with pytest.raises(RequestError, match=told):
        read_card("x", without_padding)


def test_tokens_without_a_row(copied: Path, vocabulary: list[str]) -> None:
    """Whether texts have them today or not: new texts may."""
    (copied / "added_tokens.json").write_text(json.dumps({"[ENT]": len(vocabulary)}))
    told = f"knows {len(vocabulary) + 1} tokens, but the encoder {len(vocabulary)}: .* no row for '.ENT.'; take"
    with pytest.raises(RequestError, match=told):
        read_card("x", copied)


def test_a_padding_token_without_a_row(without_padding: Path) -> None:
    edit(without_padding / "tokenizer_config.json", pad_token="<padding>")
    with pytest.raises(RequestError, match="its word table has no row for '<padding>'"):
        read_card("x", without_padding)


@pytest.mark.parametrize(
    ("as_bytes", "is_the_same"),
    [
        (lambda text: text.replace("\n", "\r\n").encode(), True),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), True),
        (lambda text: text.encode("utf-16"), False),
        (lambda text: text.replace("\n", "\n中", 1).encode("gbk"), False),
    ],
)
def test_a_vocabulary_that_an_editor_saved(copied: Path, as_bytes: Any, is_the_same: bool) -> None:
    before = build_tokenizer(tokenizer_files(copied)).get_vocab()
    path = copied / "vocab.txt"
    ascii_only = "".join(line for line in path.read_text().splitlines(keepends=True) if is_the_same or line.isascii())
    path.write_bytes(as_bytes(ascii_only))
    if is_the_same:
        read_card("x", copied)
        assert build_tokenizer(tokenizer_files(copied)).get_vocab() == before
    else:
        with pytest.raises(RequestError, match=r"vocab\.txt is not in UTF-8 \(line [12]\): save it in UTF-8"):
            read_card("x", copied)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_mark_before_json(copied: Path, name: str) -> None:
    (copied / name).write_bytes(b"\xef\xbb\xbf" + (copied / name).read_bytes())
    read_card("x", copied)
    build_tokenizer(tokenizer_files(copied))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("tokenizer.json", '{"a":', "tokenizer.json is no whole JSON: it goes wrong in line 1, column 6"),
        ("tokenizer.json", '{"a": 1}', "no tokenizer can be made of the encoder's tokenizer.json: download"),
        ("tokenizer_config.json", "[]", "tokenizer_config.json is not an object in braces"),
        ("tokenizer_config.json", '{"tokenizer_class": "NoSuch"}', "tokenizer_class that is not known, 'NoSuch': take"),
        ("vocab.txt", "", "vocab.txt is empty"),
    ],
)
def test_files_that_are_no_tokenizer(copied: Path, name: str, content: str, told: str) -> None:
    (copied / name).write_text(content)
    with pytest.raises(RequestError, match=told) as caught:
        read_card("x", copied)
    assert "\n" not in str(caught.value)


def test_code_of_a_tokenizer_is_not_run(copied: Path) -> None:
    (copied / "own.py").write_text("raise SystemExit('it ran')")
    edit(copied / "tokenizer_config.json", auto_map={"AutoTokenizer": ["own.Own", None]})
    read_card("x", copied)


CASED = [f"Word{number}" for number in range(30)]


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (CASED, {"do_lower_case": True}, "mine lower-cases all text, so that 30 of its [0-9]+ words"),
        (CASED, None, "mine lower-cases all text, so that 30 of its [0-9]+ words"),
        (CASED, {"do_lower_case": False}, ""),
        ([], {"do_lower_case": False}, "mine keeps capitals, but ([0-9]+) of the \\1 words that it knows have none"),
        ([], {"do_lower_case": True}, ""),
        ([], None, ""),
    ],
)
def test_capitals(
    copied: Path, vocabulary: list[str], words: list[str], settings: dict[str, bool] | None, told: str
) -> None:
    tokens = [*vocabulary[: len(vocabulary) - len(words)], *words]
    (copied / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens))
    (copied / "tokenizer_config.json").unlink()
    if settings is not None:
        (copied / "tokenizer_config.json").write_text(json.dumps(settings))
    notes = read_card("models/mine", copied).notes
    assert len(notes) == bool(told)
    if told:
        assert re.search(told, notes[0])


def test_a_tokenizer_that_can_hide_nothing(without_padding: Path, bert_folder: Path) -> None:
    assert read_card("x", bert_folder).has_mask_token
    edit(without_padding / "tokenizer_config.json", pad_token="[PAD]")
    assert not read_card("x", without_padding).has_mask_token
