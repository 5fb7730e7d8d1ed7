"""What a file is by its own bytes, whatever its name says: a format that is read, or something that holds no table."""

import codecs
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.encoding import begins_as_utf8, is_wide
from gridsearch.tasks.tables.formats import Format
from gridsearch.tasks.tables.unpacked import Unpacked, names_in_zip

N_BYTES_SEARCHED = 4096

CALLED: Mapping[Format, str] = {"parquet": "a Parquet file", "xlsx": "an Excel workbook", "arrow": "an Arrow file"}
_AS_TABLE = "save its table as CSV"
_AS_FILE = "write it as CSV, JSON lines or Parquet"
_KNOWN = "tables are read as CSV, TSV, JSON, Parquet, Arrow or Excel"
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (rb"%PDF-\d", "a PDF document", "copy its table into a CSV file"),
    (rb"\{\\rtf", "an RTF document", _AS_TABLE),
    (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "an image", "name a file of text"),
    (rb"SQLite format 3\x00", "an SQLite database", "export the table as CSV"),
    (rb"[\s\S]{257}ustar", "a tar archive", "unpack it, and name the file that is meant"),
    (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07", "a 7z or rar archive", "unpack it, and name the file that is meant"),
    (rb"\x80[\x02-\x05][\x00-\xff]*\.\Z", "a Python pickle, which can run code when it is opened", _AS_FILE),
    (rb"\x93NUMPY", "an array of NumPy", _AS_FILE),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", _AS_FILE),
    (rb"Obj\x01", "an Avro file", _AS_FILE),
    (rb"RD[AX][23]\n", "data of R", _AS_FILE),
    (rb"FEA1\x00", "a Feather file of the old version 1", "write it anew: version 2 is read"),
    (rb"version https://git-lfs\.github\.com/", "a pointer of Git LFS and not the file itself", "run git lfs pull"),
    (rb"\s*<(?i:!doctype\s+html|html)[\s>][\s\S]*</(?i:html)>\s*\Z", "a web page", "download the data file itself"),
    (rb"\s*<\?xml\s[\s\S]*>\s*\Z", "an XML file", _AS_FILE),
)
"""How they begin (and where that is not enough, end), what they are, and what to do about it."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def format_of_bytes(file: Unpacked) -> Format | None:
    """Return the format that the bytes themselves tell, None where they may be text of any kind.

    Raises:
        RequestError: they are no text, nor a format that is read; the sentence says what they are and what to do.
    """
    raw = file.raw
    if raw[:4] == raw[-4:] == b"PAR1":
        return "parquet"
    if raw.startswith((b"ARROW1\x00\x00", b"\xff\xff\xff\xff")):
        return "arrow"
    if raw.startswith(b"PK\x03\x04"):
        return _of_document(file)
    if raw.startswith(_OLD_OFFICE):
        raise _refused(file.path, *_of_old_document(raw))
    unmarked = raw.removeprefix(codecs.BOM_UTF8)
    for begins, what, remedy in _PATTERNS:
        if begins(unmarked):
            raise _refused(file.path, what, remedy)
    if is_binary(raw):
        raise _refused(file.path, "no text, and of a kind that is not known here", _KNOWN)
    return None


def refuse_foreign(file: Unpacked) -> None:
    """Raise RequestError for bytes that are no text."""
    if kind := format_of_bytes(file):
        raise RequestError(f"a text is read here, but {file.path} is {CALLED[kind]}")


def is_binary(raw: bytes) -> bool:
    """Tell whether bytes are text in no encoding: control characters are frequent in UTF-16 only."""
    head = raw[:N_BYTES_SEARCHED]
    share = len(_CONTROLS.findall(head)) / max(len(head), 1)
    return not is_wide(raw) and (share > 0.3 or (share > 0.03 and 0 in head and not begins_as_utf8(head)))


def _matcher(pattern: bytes) -> Callable[[bytes], object]:
    return re.compile(pattern).match


_PATTERNS = tuple((_matcher(pattern), what, remedy) for pattern, what, remedy in _FOREIGN)


def _of_document(file: Unpacked) -> Format:
    """Tell what a zip is the form of; a zip of data files has been unpacked."""
    names = names_in_zip(file.raw)
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if "mimetype" in names:
        raise _refused(file.path, "an OpenDocument file, such as LibreOffice writes", "save its table as .xlsx or CSV")
    if any(name.endswith((".npy", "data.pkl")) for name in names):
        raise _refused(file.path, "arrays of NumPy or PyTorch", _AS_FILE)
    raise _refused(file.path, "a Word or PowerPoint document", _AS_TABLE)


def _of_old_document(raw: bytes) -> tuple[str, str]:
    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in raw

    if has("EncryptedPackage"):
        return "an Office document with a password", "save it without one"
    if has("Workbook") or has("Book"):
        return "an Excel workbook of the old format .xls", "save it as .xlsx or CSV"
    return "an old Office document", _AS_TABLE


def _refused(path: Path, what: str, remedy: str) -> RequestError:
    return RequestError(f"{path} is {what}: {remedy}")
