"""How a data file is written: what somebody said of it, or what was found out by looking at it."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from gridsearch.tasks.tables.formats import SEPARATORS, Format

if TYPE_CHECKING:
    from gridsearch.tasks.tables.table import Columns, Table


@dataclass(frozen=True)
class Layout:
    """How a file is written. None is what nobody said, or what the file does not show.

    ``format`` is None where the extension tells it, and all but ``encoding`` is for text tables only. ``quoting`` None
    is that of a file without any quote. ``escaped``: a quote within an enclosed field stands behind a backslash, not
    behind another quote; ``loose``: text may follow the quote that closes a field. ``line_end`` is what ends a row: a
    line feed, also where a carriage return stands before it, or a carriage return alone.
    """

    format: Format | None = None
    encoding: str | None = None
    separator: str | None = None
    header: bool | None = None
    quoting: bool | None = None
    quote: str = '"'
    escaped: bool = False
    loose: bool = False
    line_end: str = "\n"

    def told(self) -> dict[str, str]:
        """Return in words, by key, what a reader has to know of a file that is written so."""
        encoding = {} if self.encoding is None else {"encoding": f"encoding {self.encoding}"}
        if self.separator is None:
            return encoding
        words = {"separator": f"separator {self.separator!r}"}
        words["header"] = "the first row names the columns" if self.header else "no header"
        if self.quoting is not None:
            kind = "" if self.quote == '"' else "single "
            marks = f"{kind}quotes enclose fields{', a backslash before those inside' if self.escaped else ''}"
            words["quoting"] = marks if self.quoting else "quotes are characters of the text"
        return {**words, **encoding}


NOT_TOLD = Layout()
"""Of a file of which nothing is said, or is to be said."""


@dataclass(frozen=True)
class Likely:
    """What is likely of a file that nobody described: it is tried first, and decides where the file itself does not.

    Rows have at least ``least_columns``. ``columns`` are those of the task that the file belongs to, ``train`` are its
    training rows, where they are at hand.
    """

    layout: Layout = NOT_TOLD
    least_columns: int = 1
    columns: "Columns | None" = None
    train: "Table | None" = field(default=None, repr=False)

    @property
    def text(self) -> str | None:
        """The name of the text column, which a header has to hold; None where columns have no names."""
        return self.columns.text if self.columns and isinstance(self.columns.text, str) else None

    @property
    def names(self) -> tuple[str, ...]:
        """What columns are called in train: all in their order, where it is at hand; else those that the task names."""
        if self.train is not None and self.train.named:
            return self.train.names
        keys = (self.columns.text, self.columns.pair, *self.columns.labels) if self.columns else ()
        return tuple(key for key in keys if isinstance(key, str))


def of_format(layout: Layout, kind: Format) -> Layout:
    """Fill in what a format's files usually are: in CSV commas separate and quotes enclose, in TSV tabs and no quotes.

    >>> of_format(Layout(separator=";"), "csv").quoting, of_format(Layout(), "tsv").separator
    (True, '\\t')
    """
    usual = Layout(separator=SEPARATORS.get(kind), quoting=kind == "csv")
    return filled(layout, usual)


def filled(layout: Layout, other: Layout) -> Layout:
    """Fill in what one layout leaves open by what another says."""
    said = {one.name: getattr(layout, one.name) for one in fields(Layout)}
    return Layout(**{key: getattr(other, key) if value is None else value for key, value in said.items()})
