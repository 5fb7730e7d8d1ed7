"""What a driver does again and again beside its work, from a thread."""

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def repeated(name: str, act: Callable[[], float | None], first_pause: float) -> Iterator[None]:
    """Act again and again meanwhile, for the first time after ``first_pause`` seconds; at the end, wait for the last.

    ``act`` returns the seconds until it is called again; None ends it. It must not raise.
    """
    stop = threading.Event()

    def run() -> None:
        pause: float | None = first_pause
        while pause is not None and not stop.wait(pause):
            pause = act()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
