"""How the ledger stores matrices of logits: in chunks of rows, as .npy bytes, in single or half precision."""

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

CHUNK_BYTES: Final = 64 * 2**20
"""SQLite takes no more than 10^9 bytes in a row of a table; a chunk is also what is copied in memory at a time."""


def array_bytes(array: Any) -> bytes:
    """Serialise a NumPy array as .npy bytes."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def bytes_array(data: bytes) -> Any:
    """Read a NumPy array back from .npy bytes."""
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def chunks_of(logits: Any) -> Iterator[bytes]:
    """Cut a matrix of (rows, labels) into chunks of about equal bytes, one at least."""
    n_rows = max(1, CHUNK_BYTES // max(1, logits[:1].nbytes))
    for first in range(0, max(1, len(logits)), n_rows):
        yield array_bytes(logits[first : first + n_rows])


def joined(chunks: Iterable[bytes]) -> Any:
    """Put a matrix together again, in single precision; None without any chunk."""
    import numpy as np

    arrays = [bytes_array(chunk) for chunk in chunks]
    return np.concatenate(arrays, dtype=np.float32) if arrays else None
