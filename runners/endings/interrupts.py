"""Ctrl-C, SIGTERM and a closed terminal: one way to end for all three, at any moment."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from types import FrameType

from runners.endings.codes import EXIT_INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_came = threading.Event()


def was_interrupted() -> bool:
    """Whether a signal has come: an interrupted library may raise anything from then on."""
    return _came.is_set()


def _interrupt(number: int, frame: FrameType | None) -> None:
    _came.set()
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Handle the signals so, but those that are ignored; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: known for one in SIGNALS if (known := signal.getsignal(one)) is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, handler)
    try:
        yield
    finally:
        for one, known in before.items():
            signal.signal(one, known)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt for each of the signals, but those that were ignored before (nohup, a job behind ``&``).

    Where a library has set a handler of its own since, as Ray does when it starts, entering it again takes that back.
    """
    with _handled_by(_interrupt):
        yield


def forget_interrupts() -> None:
    """Begin a command: what an earlier one in this process met says nothing about it."""
    _came.clear()


def end_at_once_from_here() -> None:
    """Let no interrupt of what the interpreter still tidies up print a traceback: the command is over."""
    for one in SIGNALS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, lambda number, frame: os._exit(EXIT_INTERRUPTED))


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
    """Start processes that no Ctrl-C reaches, not even while they import: theirs is the terminal's group, too.

    A signal that comes meanwhile is delivered to this process right after: a child is started whole or not at all.
    """
    resource_tracker.ensure_running()  # else the first start makes it start, which lets the signals through again
    held: list[int] = []
    with _handled_by(lambda number, frame: held.append(number)):
        # The child inherits what this thread blocks. Another thread may take the signal all the same.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if held:
        signal.raise_signal(held[0])
