"""A data file as columns of strings, and what a task says of how it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.layout import NOT_TOLD, Layout


class Columns(BaseModel):
    """How train is written, and where texts and labels stand: by name, or by position counted from 0.

    Other files of a task are likely written alike, but each is looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    separator: str | None = None
    """What stands between two columns; by default a comma in CSV and a tab in TSV. ``separator = ";"``"""
    header: bool = True
    """Whether the first row has the names of the columns. ``header = false``"""
    quoting: bool | Literal["single"] | None = None
    """Whether double quotes enclose fields, ``"single"`` ones do, or quotes are characters of the text; by default
    double ones enclose in CSV, and they are text in TSV. ``quoting = false``
    """
    encoding: str = "utf-8"
    """How the files are encoded, by a name that Python knows. ``encoding = "gb18030"``"""
    text: int | str
    """The column of the text, by its name or by its position, counted from 0. ``text = "review"``"""
    pair: int | str | None = None
    """The column of the second text of a pair. ``pair = 1``"""
    label: int | str | tuple[int | str, ...]
    """The column of the label; a test file may lack it. Where ``kind`` is multilabel, several columns of 0 and 1, one a
    label, may be named. ``label = "stars"``
    """

    @property
    def labels(self) -> tuple[int | str, ...]:
        """The columns of the labels: one, or several."""
        return self.label if isinstance(self.label, tuple) else (self.label,)

    @property
    def layout(self) -> Layout:
        """How train is written, as far as it is said."""
        quoting, quote = (True, "'") if self.quoting == "single" else (self.quoting, '"')
        return Layout(None, self.encoding, self.separator, self.header, quoting, quote)


LISTS = "lists"
"""How that is called, in the first word, what columns hold whose values are lists."""


@dataclass(frozen=True)
class Table:
    """Columns of strings. ``rows`` counts each row as an editor does: from 1, the header and blank lines included.

    ``numbers`` are the positions of columns whose values are numbers in the file, where its format tells, missing ones
    aside. ``no_texts`` says of columns by position what they hold where that is no text, such as lists.
    ``layout`` is how the file is written, and ``notes`` what a user has to know of that. ``lacks`` is the position of a
    column that train has and this table has not, so that those behind it stand one earlier here.
    """

    path: Path
    names: tuple[str, ...]
    named: bool
    values: tuple[tuple[str, ...], ...]
    rows: tuple[int, ...]
    numbers: frozenset[int] = frozenset()
    no_texts: Mapping[int, str] = field(default_factory=dict)
    layout: Layout = NOT_TOLD
    notes: tuple[str, ...] = ()
    lacks: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, key: int | str) -> int | None:
        """Return the index of a column, by position or by name, or None where the table lacks it.

        Blanks around a name are nothing where that leaves one column.
        """
        if isinstance(key, int):
            place = key - 1 if self.lacks is not None and key > self.lacks else key
            return place if 0 <= place < len(self.names) and key != self.lacks else None
        if not self.named or key in self.names:
            return self.names.index(key) if self.named else None
        alike = [place for place, name in enumerate(self.names) if name.strip() == key.strip()]
        return alike[0] if len(alike) == 1 else None

    def first_rows(self, n_rows: int) -> list[tuple[str, ...]]:
        """Return at most so many rows from the first on."""
        return list(zip(*(column[:n_rows] for column in self.values), strict=True))

    def without_empty_rows(self) -> "Table":
        """Return the table without rows of separators alone, as spreadsheets leave behind; a note says how many."""
        if self.layout.separator is None:
            return self
        kept = [place for place in range(len(self)) if any(column[place] for column in self.values)]
        if len(kept) == len(self):
            return self
        values = tuple(tuple(column[place] for place in kept) for column in self.values)
        rows, n_empty = tuple(self.rows[place] for place in kept), len(self) - len(kept)
        if not kept:
            raise RequestError(f"{self.path} holds no rows")
        note = f"{n_empty} rows of {self.path.name} are empty in every column and left out"
        return replace(self, values=values, rows=rows, notes=(*self.notes, note))

    def column(self, key: int | str, role: str, *, may_hold_lists: bool = False) -> tuple[str, ...]:
        """Return the strings of one column; ``role`` ("text", "label") is for the error where there is none."""
        index = self.find(key)
        if index is None:
            positions = f"positions 0 to {len(self.names) - 1}, without a header"
            known = ", ".join(map(repr, self.names)) if self.named else positions
            raise RequestError(f"{self.path} has no {role} column {key!r}; its columns: {known}")
        if index in self.no_texts and not (may_hold_lists and self.no_texts[index].startswith(LISTS)):
            rule = f"each row has one {role}, a text or a number" if role == "label" else f"a {role} is one text"
            raise RequestError(f"{rule}, but column {key!r} of {self.path} holds {self.no_texts[index]}")
        return self.values[index]
