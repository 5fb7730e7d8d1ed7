"""What Weights & Biases has written to be sent later, read without it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def history_of(records: Iterable[Any]) -> list[dict[str, Any]]:
    """Return what was logged, an entry a step."""
    return [_read(one.history.item) for one in records if one.WhichOneof("record_type") == "history"]


def summary_of(records: Iterable[Any]) -> dict[str, Any]:
    """Return the summary as it stands in the end."""
    return {name: value for one in records for name, value in _read(one.summary.update).items()}


def _read(items: Iterable[Any]) -> dict[str, Any]:
    return {(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in items}


def records_of(path: Path) -> list[Any]:
    """Read a file of offline records: a log of LevelDB's, in blocks of 32 KiB, behind seven bytes of wandb's own.

    A piece of a record is a checksum (4 bytes), a length (2), what it is of the record (1: all, 2: the first, 4: the
    last), and its bytes; less than seven bytes at the end of a block are filled up.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, pieces, found = path.read_bytes(), 7, b"", []
    while place + 7 <= len(content):
        if (left := -place % 2**15) and left < 7:
            place += left
            continue
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        pieces += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            found.append(Record.FromString(pieces))
            pieces = b""
    return found
