"""How many threads compute."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def threads_of(count: int) -> Iterator[None]:
    """Compute with so many threads, and leave the process's thread count as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
