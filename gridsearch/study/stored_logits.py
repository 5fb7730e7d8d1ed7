"""How the ledger stores matrices of logits: in chunks of rows, as .npy bytes, in single or half precision."""

import io
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, get_args

from gridsearch.errors import DamagedError, RequestError, one_of

Kept = Literal["float32", "float16", "none"]
KEPT: Final[tuple[Kept, ...]] = get_args(Kept)
AUTO: Final = "auto"
MOST_SINGLE: Final = 2 * 10**9
"""Logits of a whole study that are larger than this are kept in half precision, unless somebody asks otherwise."""
HALF_LOSS: Final = (
    "a logit loses at most 1/2048 of itself, so that a predicted label can differ only where the two largest "
    "logits of a row are that close; metrics are computed before, from full precision"
)
"""What half precision costs: it has 11 bits."""

CHUNK_BYTES: Final = 64 * 2**20
"""SQLite takes no more than 10^9 bytes in a row of a table; a chunk is also what is copied in memory at a time."""


DAMAGED: Final = "an array in it is not what was written"
_MARK: Final = b"\x93CRC"
"""Behind an array stand these and its CRC-32, 4 bytes; older ledgers have none. Readers of .npy leave them alone."""


def array_bytes(array: Any) -> bytes:
    """Serialise a NumPy array as .npy bytes, and a checksum behind them."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue() + _MARK + zlib.crc32(buffer.getbuffer()).to_bytes(4, "little")


def bytes_array(data: bytes) -> Any:
    """Read a NumPy array back from .npy bytes. Raises DamagedError for what is not what was written."""
    import numpy as np

    whole = memoryview(data)
    if data[-8:-4] == _MARK and zlib.crc32(whole[:-8]) != int.from_bytes(whole[-4:], "little"):
        raise DamagedError(DAMAGED)
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except Exception:  # numpy reads the header as Python, which can fail in many ways
        raise DamagedError(DAMAGED) from None


def refuse_unknown(asked: str) -> None:
    """Raise RequestError for a word that --keep-logits does not take."""
    if asked not in (AUTO, *KEPT):
        raise RequestError(f"--keep-logits: {one_of('choice', asked, [AUTO, *KEPT])}")


def kept_as(asked: str, n_values: int) -> Kept:
    """Choose how to keep so many values, of all trials of a study together, where nobody asks for one way."""
    found = next((kept for kept in KEPT if kept == asked), None)
    return found or ("float16" if 4 * n_values > MOST_SINGLE else "float32")


def bytes_of(kept: Kept, n_values: int) -> int:
    """Count the bytes that so many values take."""
    return {"float32": 4, "float16": 2, "none": 0}[kept] * n_values


def as_kept(logits: Any, kept: Kept) -> Any:
    """Round to what is kept; a number stays one, however large it is.

    A single column is no logits but numbers in units of their own: they are not rounded, and take little room.
    """
    import numpy as np

    if kept == "float32" or logits.dtype == np.float16 or logits.shape[1] == 1:
        return logits
    most = np.finfo(np.float16).max
    return np.where(np.isfinite(logits), np.clip(logits, -most, most), logits).astype(np.float16)


def chunks_of(logits: Any) -> Iterator[bytes]:
    """Cut a matrix of (rows, labels) into chunks of about equal bytes, one at least."""
    n_rows = max(1, CHUNK_BYTES // max(1, logits[:1].nbytes))
    for first in range(0, max(1, len(logits)), n_rows):
        yield array_bytes(logits[first : first + n_rows])


def joined(chunks: Iterable[bytes]) -> Any:
    """Put a matrix together again, as it was kept; None without any chunk."""
    import numpy as np

    arrays = [bytes_array(chunk) for chunk in chunks]
    return np.concatenate(arrays) if arrays else None
