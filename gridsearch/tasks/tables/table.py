"""A data file as columns of strings, and what a task says of how it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gridsearch.errors import RequestError


class Columns(BaseModel):
    """How a table is written, and where its text and labels stand: by name, or by position counted from 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    separator: str | None = None
    header: bool = True
    quoting: bool | None = None
    encoding: str = "utf-8"
    text: int | str
    pair: int | str | None = None
    label: int | str


@dataclass(frozen=True)
class Table:
    """Columns of strings. ``rows`` counts each row as an editor does: from 1, the header and blank lines included.

    ``numbers`` are the positions of columns whose values are numbers in the file, where its format tells, missing ones
    aside. ``no_texts`` says of columns by position what they hold where that is no text, such as lists.
    """

    path: Path
    names: tuple[str, ...]
    named: bool
    values: tuple[tuple[str, ...], ...]
    rows: tuple[int, ...]
    numbers: frozenset[int] = frozenset()
    no_texts: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, key: int | str) -> int | None:
        """Return the index of a column, by position or by name, or None where the table lacks it."""
        if isinstance(key, int):
            return key if 0 <= key < len(self.names) else None
        return self.names.index(key) if self.named and key in self.names else None

    def column(self, key: int | str, role: str) -> tuple[str, ...]:
        """Return the strings of one column; ``role`` ("text", "label") is for the error where there is none."""
        index = self.find(key)
        if index is None:
            positions = f"positions 0 to {len(self.names) - 1}, without a header"
            known = ", ".join(map(repr, self.names)) if self.named else positions
            raise RequestError(f"{self.path} has no {role} column {key!r}; its columns: {known}")
        if index in self.no_texts:
            rule = f"each row has one {role}, a text or a number" if role == "label" else f"a {role} is one text"
            raise RequestError(f"{rule}, but column {key!r} of {self.path} holds {self.no_texts[index]}")
        return self.values[index]
