"""The driver's ear: what other processes ask of it, said once to whoever looks at its terminal."""

import threading
from collections.abc import Callable

from gridsearch.errors import RequestError
from gridsearch.study.attending.skip_wish import SkipWish, refuse, skip_wishes
from gridsearch.study.attending.stop_wish import StopWish, remove
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Hold


class Ear:
    """Hears whether the driver may stop; asked by the driver's own thread, and by that of its heartbeat."""

    def __init__(self, hold: Hold, say: Callable[[str], None]) -> None:
        self._hold, self._say = hold, say
        self._lock = threading.Lock()
        self.wish: StopWish | None = None

    def listen(self, ledger: Ledger) -> None:
        """Hear whatever is asked, and write down which cells are left out: with every heartbeat."""
        self.stop_asked()
        for file, wish in skip_wishes(self._hold.study.folder, self._hold.token):
            try:
                if wish is None:
                    raise RequestError("the wish cannot be read")
                ledger.attended.take(wish)
            except RequestError as error:
                refuse(file, str(error))
            else:
                self._say(told_change(wish))
            remove(file)

    def stop_asked(self) -> bool:
        """Whether somebody has asked for a stop. What was asked once is not taken back."""
        with self._lock:
            if self.wish is None and (wish := self._hold.stop_wish()) is not None:
                self.wish = wish
                self._say(f"{wish.who} asks for a stop: nothing new begins, and the trials that run go on to their end")
        return self.wish is not None


def told_change(wish: SkipWish) -> str:
    """Say what the driver was asked for and has done."""
    cells = "a cell is" if len(wish.cells) == 1 else f"{len(wish.cells)} cells are"
    return f"{cells} {'taken back in' if wish.why is None else f'left out on purpose: {wish.why}'}"
