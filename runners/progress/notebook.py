"""One line in the output of a notebook's cell, which the next one replaces."""

from typing import Any


class NotebookLine:
    """Shows how far it is where no terminal is: a notebook keeps one display, and changes what stands in it."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Put a text in the place of the one before; the first makes the place, below what has been printed."""
        from IPython.display import display

        content = {"text/plain": text}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
