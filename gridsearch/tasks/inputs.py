"""Texts without labels in files of a task's form, or a text a line: what is to be predicted, or pretrained on."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.labelled_file import refuse_words, texts_of
from gridsearch.tasks.tables.folders import holds_table
from gridsearch.tasks.tables.formats import SEPARATORS, Format, extension_of, format_of_name
from gridsearch.tasks.tables.read import read_table
from gridsearch.tasks.tables.signatures import format_of_bytes
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.text import NAME_ITS_ENCODING, decode, split_lines
from gridsearch.tasks.tables.unpacked import unpack
from gridsearch.tasks.task import Kind, Split


def read_inputs(path: Path, columns: Columns, kind: Kind, *, ids: bool = False) -> tuple[Split, Table]:
    """Read new texts without labels, with the columns of a task; return them, and the whole table that they stand in.

    Where a task's texts are ``ids``, so are these.

    A .txt file is one text a line, unless it is a table like the task's own: its first line names the text column, or
    the task's columns are positions behind a separator.
    """
    if not path.is_file() and not holds_table(path):
        raise RequestError(f"input must be a file; there is none at {path}")
    lines = _texts_a_line(path, columns, kind)
    if lines is None:
        table = read_table(path, columns)
        return texts_of(table, columns, kind, ids=ids), table
    if kind == "pair":
        rule = "a pair task reads two texts a row"
        raise RequestError(f"{rule}, which {path} does not tell apart; use .tsv, .csv or .jsonl")
    numbers = tuple(range(1, len(lines) + 1))
    split = Split(lines, None)
    if ids:
        refuse_words(split, path, numbers)
    return split, Table(path, ("text",), True, (lines,), numbers)


def read_further_texts(path: Path, columns: Columns, kind: Kind, given: Format | None, *, ids: bool = False) -> Split:
    """Read texts that a task names beside its rows; what is read of a label column is nothing.

    ``given`` is the format of files whose extension does not tell it. A .txt file of a text a line holds single texts,
    in a pair task too.
    """
    if format_of_name(path):
        given = None
    elif columns.separator is None and given in SEPARATORS:
        columns = columns.model_copy(update={"separator": SEPARATORS[given], "quoting": _quoting(columns, given)})
    lines = _texts_a_line(path, columns, kind, given)
    if lines is None:
        split = texts_of(read_table(path, columns, given), columns, kind, ids=ids)
    else:
        split = Split(lines, None)
        if ids:
            refuse_words(split, path, range(1, len(lines) + 1))
    if not any(text.strip() for text in (*split.texts, *(split.pairs or ()))):
        raise RequestError(f"{path} holds no text")
    return split


def _quoting(columns: Columns, given: Format) -> bool:
    return given == "csv" if columns.quoting is None else columns.quoting


def _texts_a_line(path: Path, columns: Columns, kind: Kind, given: Format | None = None) -> tuple[str, ...] | None:
    """Return the lines of a .txt file; None where it is a table like the task's own, as its first line shows."""
    if path.is_dir() or extension_of((file := unpack(path)).name) != ".txt" or format_of_bytes(file):
        return None
    lines = tuple(split_lines(decode(file, columns.encoding, NAME_ITS_ENCODING)))
    if not lines:
        raise RequestError(f"{path} holds no rows")
    if given in ("json", "jsonl"):
        return None if lines[0].lstrip().startswith(("{", "[")) else lines
    keys = [columns.text, *([columns.pair] if kind == "pair" and columns.pair is not None else [])]
    first = [name.strip().strip('"') for name in lines[0].split(columns.separator)] if columns.separator else []
    is_header = columns.header and all(key in first for key in keys)
    is_row = not columns.header and all(isinstance(key, int) and key < len(first) for key in keys)
    return None if is_header or is_row else lines
