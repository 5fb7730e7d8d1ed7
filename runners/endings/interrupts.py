"""Ctrl-C, SIGTERM and a closed terminal: one way to end for all three, at any moment."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
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
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt for each of the signals, but those that were ignored before (nohup, a job behind ``&``).

    Where a library has set a handler of its own since, as Ray does when it starts, entering it again takes that back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one in SIGNALS:
        if before[one] is not signal.SIG_IGN:
            signal.signal(one, _interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


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

    A signal that comes meanwhile is delivered to this process right after.
    """
    resource_tracker.ensure_running()  # else the first start makes it start, which lets the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
