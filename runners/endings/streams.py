"""The standard streams of a command, such that printing never ends it: closed, full, read no more, of any encoding."""

import errno
import io
import os
import select
import sys
from typing import TextIO


class Output(io.FileIO):
    """A stream that goes on when what it writes to does not; ``lost`` is the first error that it met."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)
        self.lost: OSError | None = None

    def write(self, data: object, /) -> int:
        """Write what is possible; what is not counts as written."""
        try:
            while (n_written := super().write(data)) is None:  # type: ignore[arg-type]
                select.select([], [self], [])  # another program made it non-blocking
        except OSError as error:
            self.lost = self.lost or error
            return len(data)  # type: ignore[arg-type]
        return n_written


def prepare_streams() -> None:
    """Replace standard output and error by streams on which printing never fails.

    A stream that is closed (``>&-``) is opened on nothing: else the next file, such as a ledger, would get its number,
    and whatever prints would write into that. What an encoding cannot spell is written with backslashes.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = _prepared(1, sys.stdout), _prepared(2, sys.stderr)


def _prepared(number: int, stream: TextIO | None) -> TextIO:
    if stream is not None:
        stream.flush()
    encoding = "utf-8" if stream is None else stream.encoding
    buffer = io.BufferedWriter(Output(number))
    is_by_line = any(getattr(stream, way, False) for way in ("line_buffering", "write_through"))
    return io.TextIOWrapper(buffer, encoding, errors="backslashreplace", line_buffering=is_by_line)


def what_was_lost() -> OSError | None:
    """Return why standard output could not be written, if so; a reader who has seen enough (head, less) is no loss."""
    sys.stdout.flush()
    output = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    lost = output.lost if isinstance(output, Output) else None
    return None if lost is None or lost.errno == errno.EPIPE else lost
