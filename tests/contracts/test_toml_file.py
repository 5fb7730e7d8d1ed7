"""TOML as editors save it: marks, line ends, encodings; and what is no TOML, in one sentence."""

import codecs
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.space.space import load_space
from gridsearch.tasks.taskfile import load_task, parse_task_file
from gridsearch.toml_file import parse_toml, read_toml_text

SPACE = 'title = "Wärmt es? 预热"\n[factors]\nbert_adam = [false, true]\n'
TASK = (
    'name = "spam"\nkind = "single"\nmetric = "accuracy"\n[files]\ntrain = "t.csv"\ndev = 0.5\n'
    '[columns]\ntext = "text"\nlabel = "label"\n'
)
PARTS = 'name = "both"\nkind = "multi"\n' + "".join(
    f'[[parts]]\nname = "{name}"\nkind = "single"\nmetric = "accuracy"\n[parts.files]\ntrain = "t.csv"\ndev = 0.5\n'
    '[parts.columns]\ntext = "text"\nlabel = "label"\n'
    for name in ("one", "other")
)
ROWS = "text,label\n" + "".join(f"text {number},{'ab'[number % 2]}\n" for number in range(8))


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


SAVED = {
    "plain": lambda text: text.encode(),
    "with a mark, by Notepad": lambda text: codecs.BOM_UTF8 + crlf(text).encode(),
    "on Windows": lambda text: crlf(text).encode(),
    "on an old Macintosh": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("save", SAVED.values(), ids=SAVED.keys())
def test_every_toml_is_read_however_it_was_saved(save, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(ROWS)
    for name, text in (("space", SPACE), ("task", TASK), ("parts", PARTS)):
        (tmp_path / f"{name}.toml").write_bytes(save(text))
    space = load_space(tmp_path / "space.toml")
    assert (space.title, space.text) == ("Wärmt es? 预热", SPACE), "a study keeps one text, wherever it was saved"
    assert load_task(tmp_path / "task.toml").name == "spam"
    assert list(load_task(tmp_path / "parts.toml").parts) == ["one", "other"]


REFUSED = {
    "UTF-16 of Windows": (SPACE.encode("utf-16"), "is UTF-16, but TOML is UTF-8: save it as UTF-8"),
    "UTF-16, turned": (codecs.BOM_UTF16_BE + SPACE.encode("utf-16-be"), "is UTF-16, but TOML is UTF-8"),
    "UTF-32": (SPACE.encode("utf-32"), "is UTF-32, but TOML is UTF-8"),
    "UTF-16 without a mark": (SPACE.encode("utf-16-le"), "is no text, or UTF-16 without a mark, but"),
    "GBK": ('title = "预热"\n'.encode("gbk"), r"is in another encoding \(byte 11, line 1\), but"),
    "a PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no text"),
}


@pytest.mark.parametrize(("raw", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_utf_8_is_told_in_one_sentence(raw: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(raw)
    for read in (load_space, load_task, read_toml_text):
        with pytest.raises(RequestError, match=sentence):
            read(tmp_path / "x.toml")


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read: Is a directory"):
        read_toml_text(tmp_path)
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        read_toml_text(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "{b = " * 5000 + "1" + "}" * 5000])
def test_a_deep_one_is_told(text: str) -> None:
    with pytest.raises(RequestError, match=r"x.toml cannot be read: its values are nested too deeply"):
        parse_toml(text, "x.toml")
    with pytest.raises(RequestError, match="nested too deeply"):
        parse_task_file(text, "x.toml")
