"""The bytes of a data file, out of what they are packed in: gzip, bzip2, xz, Zstandard, or a zip of one file."""

import bz2
import contextlib
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.formats import PACKED

N_LAYERS_MOST = 4  # of packing: a file that unpacks to itself never ends
N_BYTES_AT_ONCE = 2**24
MOST_BYTES = 4 * 2**30
"""A packed file that holds more was made to fill a memory, or is no table that anybody labelled."""
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
            _refuse_bomb(path, raw)
            return Unpacked(path, name, raw)
        else:
            name = name.with_suffix("") if name.suffix.lower() in PACKED else name
            try:
                with packing.opened(raw) as stream:
                    raw = _read(path, stream)
            except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise _damaged(path, packing.name, error) from None
    raise RequestError(f"{path} is packed more than {N_LAYERS_MOST} times: unpack it")


def names_in_zip(raw: bytes) -> list[str]:
    """Return the names of the files in a zip; none where it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return [name for name in archive.namelist() if not _NO_FILES.match(name)]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return []


def is_document(raw: bytes) -> bool:
    """Tell whether a zip is the form of one document, as programs write it: a workbook, say, or arrays of NumPy."""
    marks = re.compile(r"(xl|word|ppt)/|mimetype$|\[Content_Types\]\.xml$|.*\.npy$|(.*/)?data\.pkl$")
    return any(marks.match(name) for name in names_in_zip(raw))


def _refuse_bomb(path: Path, raw: bytes) -> None:
    """Raise RequestError for a document that would fill a memory when it is opened: a workbook is a zip, too."""
    if not raw.startswith(b"PK\x03\x04"):
        return
    with contextlib.suppress(zipfile.BadZipFile, NotImplementedError, ValueError, OSError):  # its reader says so
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            n_bytes = sum(entry.file_size for entry in archive.infolist())
        if n_bytes > MOST_BYTES:
            raise _too_large(path)


def _too_large(path: Path) -> RequestError:
    most = f"{MOST_BYTES / 2**30:g} GB"
    return RequestError(f"{path} unpacks to more than {most}: unpack it, and take the rows that are needed")


@dataclass(frozen=True)
class _Packing:
    name: str
    begins: re.Pattern[bytes]
    opened: Callable[[bytes], "_Stream"]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


_Stream: TypeAlias = AbstractContextManager[_Readable]


def _zstandard(raw: bytes) -> _Stream:
    import pyarrow

    stream: _Stream = pyarrow.input_stream(pyarrow.py_buffer(raw), compression="zstd")
    return stream


_PACKINGS = (
    _Packing("gzip", re.compile(rb"\x1f\x8b\x08"), lambda raw: gzip.GzipFile(fileobj=io.BytesIO(raw))),
    _Packing("bzip2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), lambda raw: bz2.BZ2File(io.BytesIO(raw))),
    _Packing("xz", re.compile(rb"\xfd7zXZ\x00"), lambda raw: lzma.LZMAFile(io.BytesIO(raw))),  # noqa: SIM115 - whoever reads it closes it
    _Packing("Zstandard", re.compile(rb"\x28\xb5\x2f\xfd"), _zstandard),
)


def _read(path: Path, stream: _Readable) -> bytes:
    """Read what a packed file holds, to its end. RequestError where that is further than any table goes."""
    parts, n_bytes = [], 0
    while part := stream.read(N_BYTES_AT_ONCE):
        parts.append(part)
        n_bytes += len(part)
        if n_bytes > MOST_BYTES:
            raise _too_large(path)
    return b"".join(parts)


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
            with archive.open(entry) as stream:
                return Path(entry.filename), _read(path, stream)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        OSError,
        ValueError,
    ) as error:
        raise _damaged(path, "zip", error) from None


def _damaged(path: Path, packing: str, error: Exception) -> RequestError:
    return RequestError(f"{path} is a damaged {packing} file, cut off perhaps ({first_line(error)}): get it anew")
