"""The bytes of a data file, out of what they are packed in: gzip, bzip2, xz, Zstandard, or a zip of one file."""

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.formats import PACKED

N_LAYERS_MOST = 4  # of packing: a file that unpacks to itself never ends
_NO_FILES = re.compile(r"__MACOSX/|(.*/)?(\.DS_Store|Thumbs\.db|desktop\.ini)$|.*/$")


@dataclass(frozen=True)
class Unpacked:
    """What a file holds. ``name`` is that of the bytes, whose extension tells their format; messages name ``path``."""

    path: Path
    name: Path
    raw: bytes


def read_bytes(path: Path) -> bytes:
    """Return what a file holds, unpacked. RequestError where it cannot be read, is damaged or has a password."""
    return unpack(path).raw


def unpack(path: Path) -> Unpacked:
    """Read a file, and unpack it by what its first bytes say: a packed file may have any name.

    Raises:
        RequestError: it cannot be read, is damaged, has a password, or is a zip that does not hold exactly one file.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None
    name = path
    for _ in range(N_LAYERS_MOST):
        if raw.startswith(b"PK\x03\x04") and not is_document(raw):
            name, raw = _only_file_of_zip(path, raw)
        elif (packing := next((one for one in _PACKINGS if one.begins.match(raw)), None)) is None:
            return Unpacked(path, name, raw)
        else:
            name = name.with_suffix("") if name.suffix.lower() in PACKED else name
            try:
                raw = packing.decompress(raw)
            except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise _damaged(path, packing.name, error) from None
    raise RequestError(f"{path} is packed more than {N_LAYERS_MOST} times: unpack it")


def names_in_zip(raw: bytes) -> list[str]:
    """Return the names of the files in a zip; none where it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return [name for name in archive.namelist() if not _NO_FILES.match(name)]
    except zipfile.BadZipFile:
        return []


def is_document(raw: bytes) -> bool:
    """Tell whether a zip is the form of one document, as programs write it: a workbook, say, or arrays of NumPy."""
    marks = re.compile(r"(xl|word|ppt)/|mimetype$|\[Content_Types\]\.xml$|.*\.npy$|(.*/)?data\.pkl$")
    return any(marks.match(name) for name in names_in_zip(raw))


@dataclass(frozen=True)
class _Packing:
    name: str
    begins: re.Pattern[bytes]
    decompress: Callable[[bytes], bytes]


def _zstandard(raw: bytes) -> bytes:
    import pyarrow

    with pyarrow.input_stream(pyarrow.py_buffer(raw), compression="zstd") as stream:
        return bytes(stream.read())


_PACKINGS = (
    _Packing("gzip", re.compile(rb"\x1f\x8b\x08"), gzip.decompress),
    _Packing("bzip2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.decompress),
    _Packing("xz", re.compile(rb"\xfd7zXZ\x00"), lzma.decompress),
    _Packing("Zstandard", re.compile(rb"\x28\xb5\x2f\xfd"), _zstandard),
)


def _only_file_of_zip(path: Path, raw: bytes) -> tuple[Path, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = [entry for entry in archive.infolist() if not _NO_FILES.match(entry.filename)]
            if len(files) != 1:
                held = ", ".join(entry.filename for entry in files[:3]) + (", …" if len(files) > 3 else "")
                rule = "a zip is read where it holds one file"
                count = f"{len(files)} ({held})" if files else "none"
                raise RequestError(f"{rule}, but {path} holds {count}: unpack it, and name the one that is meant")
            (entry,) = files
            if entry.flag_bits & 1:
                raise RequestError(f"{path} is a zip with a password: unpack it, and name the file that comes out")
            return Path(entry.filename), archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise _damaged(path, "zip", error) from None


def _damaged(path: Path, packing: str, error: Exception) -> RequestError:
    return RequestError(f"{path} is a damaged {packing} file, cut off perhaps ({first_line(error)}): get it anew")
