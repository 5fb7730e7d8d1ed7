"""The text files of an encoder's folder: refused, with what to do, where they are something else."""

import codecs
import json
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError

_POINTER = b"version https://git-lfs.github.com/spec/"
_WEB_PAGES = (b"<!doctype", b"<html", b"<?xml")


def head_of(path: Path, n_bytes: int = 512) -> bytes:
    """Return a file's first bytes. Raises RequestError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(n_bytes)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {reason_of(error)}") from None


def refuse_stand_in(path: Path, head: bytes, what: str) -> None:
    """Raise RequestError for a file that is empty, or that a download left in place of ``what`` it should be."""
    if not head:
        raise RequestError(f"{path} is empty: download it again")
    if head.startswith(_POINTER):
        raise RequestError(f"{path} is a Git LFS pointer, not {what}: git lfs pull")
    if head.lstrip().lower().startswith(_WEB_PAGES):
        raise RequestError(f"{path} is a web page, not {what}: download the file itself")


def read_text_file(path: Path) -> str:
    """Read a text file in UTF-8, with or without the mark that some editors put first.

    Raises RequestError for one that cannot be read, or is something else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {reason_of(error)}") from None
    return text_in(content, path)


def text_in(content: bytes, path: Path) -> str:
    """Return the text of a file that has been read."""
    refuse_stand_in(path, content[:512], "the file itself")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RequestError(f"{path} is not in UTF-8 (line {line}): save it in UTF-8, or download it again") from None


def json_in(text: str, path: Path) -> dict[str, Any]:
    """Return the object of a JSON file. Raises RequestError for what is none."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(
            f"{path} is no whole JSON: it goes wrong in line {error.lineno}, column {error.colno}; mend it there, or "
            "download it again"
        ) from None
    except (RecursionError, ValueError):  # the latter: a number of thousands of digits
        found = None
    if not isinstance(found, dict):
        raise RequestError(f"{path} is not an object in braces: download it again")
    return found


def reason_of(error: OSError) -> str:
    """Say why the system refuses, and what to do where it can be known."""
    reason = error.strerror or type(error).__name__
    return f"{reason}; chmod -R u+rX lets you read it" if isinstance(error, PermissionError) else reason
