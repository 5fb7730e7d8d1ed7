"""The shelf: what trials read, put once into memory that all workers of this machine share."""

import mmap
import os
import pickle
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any

from gridsearch.training.materials import Materials, Work

ALIGNMENT = 64
"""Arrays begin at multiples of so many bytes, as NumPy's own do."""


@dataclass(frozen=True)
class Piece:
    """Where an object lies: a file in memory, and the bytes of its pickle and of each of its arrays."""

    path: str
    spans: tuple[tuple[int, int], ...]


class Shelf:
    """Holds the files. The kernel drops them with this process, however it ends: nothing is left on any disk."""

    def __init__(self) -> None:
        self._files: list[int] = []
        self._pieces: dict[Hashable, tuple[object, Piece]] = {}

    def pieces_for(self, work: Work, materials: Materials) -> dict[Hashable, Piece]:
        """Return what a trial or a stage reads, by the keys of :class:`Materials`. Raises KeyError."""
        return {key: self._put(key, thing) for key, thing in materials.pieces_of(work).items()}

    def clear(self) -> None:
        """Drop all; workers that have read a piece keep it."""
        for file in self._files:
            os.close(file)
        self._files.clear()
        self._pieces.clear()

    def _put(self, key: Hashable, thing: object) -> Piece:
        known = self._pieces.get(key)
        if known is None or known[0] is not thing:
            known = self._pieces[key] = (thing, self._write(thing))
        return known[1]

    def _write(self, thing: object) -> Piece:
        """Pickle an object; its arrays lie beside the pickle as they are, so that reading them copies nothing."""
        arrays: list[pickle.PickleBuffer] = []
        head = pickle.dumps(thing, protocol=5, buffer_callback=arrays.append)
        number = os.memfd_create("gridsearch")
        self._files.append(number)
        spans = []
        with open(number, "wb", closefd=False) as file:
            parts: list[bytes | memoryview] = [head, *(array.raw() for array in arrays)]
            for data in parts:
                file.write(bytes(-file.tell() % ALIGNMENT))
                start = file.tell()
                file.write(data)
                spans.append((start, file.tell()))
        return Piece(f"/proc/{os.getpid()}/fd/{number}", tuple(spans))


@cache
def read_piece(piece: Piece) -> Any:
    """Take an object from the shelf, in any process of this machine; its arrays are shared and cannot be written."""
    with open(piece.path, "rb") as file:
        memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    head, *arrays = (memory[start:end] for start, end in piece.spans)
    return pickle.loads(head, buffers=arrays)
