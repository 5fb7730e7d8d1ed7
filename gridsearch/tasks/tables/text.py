"""Files of text: their bytes unpacked and decoded, their lines told apart."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.signatures import refuse_foreign
from gridsearch.tasks.tables.unpacked import Unpacked, unpack

SAVE_IT_ANEW = "save it as UTF-8"
NAME_ITS_ENCODING = 'name its encoding under [columns], for instance encoding = "gb18030"'
"""What to do about a file that is not in the encoding that it is read with: any file, or one that a task names."""


def read_text(path: Path, encoding: str = "utf-8", remedy: str = SAVE_IT_ANEW) -> str:
    """Decode a file without touching its line ends; a byte order mark is dropped. RequestError where it cannot be."""
    return decode(unpack(path), encoding, remedy)


def decode(file: Unpacked, encoding: str = "utf-8", remedy: str = SAVE_IT_ANEW) -> str:
    """Decode the bytes of a file; see :func:`read_text`. What is no text at all is refused for what it is."""
    refuse_foreign(file)
    path, raw = file.path, file.raw
    try:
        return raw.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        where = f"byte {error.start} (row {row}) cannot be decoded"
        raise RequestError(f"{path} is not {encoding}: {where}; {remedy}") from None
    except LookupError:
        rule = "encoding under [columns] must be one that Python knows, such as gb18030"
        raise RequestError(f"{rule}; it is {encoding!r}") from None


def read_document(path: Path) -> str:
    """Read a text in UTF-8 that people wrote or a program printed: each kind of line end becomes a line feed."""
    return read_text(path).replace("\r\n", "\n").replace("\r", "\n")


def split_lines(text: str) -> list[str]:
    """Split at line feeds alone: a text may hold U+2028, U+0085 or a lone carriage return, and remain one line."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]
