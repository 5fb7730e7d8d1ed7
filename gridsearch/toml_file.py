"""TOML files as people save them, with any editor on any system."""

import codecs
import tomllib
from pathlib import Path
from typing import Any, Final

from gridsearch.errors import RequestError

_MARKS: Final = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
"""Marks at the beginning of a file in another encoding than TOML's; that of UTF-32 begins with one of UTF-16."""


def read_toml_text(path: Path) -> str:
    """Return the text of a TOML file, each kind of line end as a line feed; a byte order mark is dropped.

    Raises RequestError for a file that cannot be read, or is not in UTF-8, as all TOML is.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None
    found = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), None)
    if found is None and b"\0" in raw:
        found = "no text, or UTF-16 without a mark"
    try:
        text = "" if found else raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        found = f"in another encoding (byte {error.start}, line {row})"
    if found:
        raise RequestError(f"{path} is {found}, but TOML is UTF-8: save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Read TOML; ``name`` is what it is called in messages. Raises RequestError for what is no TOML."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # no TOML, or a number of thousands of digits
        raise RequestError(f"{name} is not TOML: {error}") from None
    except RecursionError:
        raise RequestError(f"{name} cannot be read: its values are nested too deeply") from None
