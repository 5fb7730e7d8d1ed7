"""Texts without labels in files of a task's form, or a text a line: what is to be predicted, or pretrained on."""

import re
from collections import Counter
from collections.abc import Sequence, Set
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.labelled_file import refuse_words, texts_of
from gridsearch.tasks.tables.folders import holds_table
from gridsearch.tasks.tables.formats import SEPARATORS, Format, extension_of
from gridsearch.tasks.tables.read import read_lines, read_other
from gridsearch.tasks.tables.signatures import format_of_bytes
from gridsearch.tasks.tables.sniff import SEPARATORS as TRIED
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.unpacked import Unpacked, unpack
from gridsearch.tasks.task import Kind, Split

SHARE_OF_ROWS = 0.9
"""So many lines of a .txt table hold the same number of separators: others may be torn."""
_QUOTED = re.compile(r'"[^"]*"')


def read_inputs(path: Path, columns: Columns, kind: Kind, *, ids: bool = False) -> tuple[Split, Table]:
    """Read new texts without labels, with the columns of a task; return them, and the whole table that they stand in.

    Every row of the file is there, an empty one too. Where a task's texts are ``ids``, so are these.

    A .txt file is one text a line, unless it is a table like the task's own: its first line names the text column, or
    the task's columns are positions behind a separator.
    """
    if not path.is_file() and not holds_table(path):
        raise RequestError(f"input must be a file; there is none at {path}")
    file = None if path.is_dir() else unpack(path)
    lines = _texts_a_line(file, columns, kind)
    if lines is None:
        table = read_other(path, columns, file=file)
        return texts_of(table, columns, kind, ids=ids), table
    if kind == "pair":
        rule = "a pair task reads two texts a row"
        raise RequestError(f"{rule}, which {path} does not tell apart; use .tsv, .csv or .jsonl")
    numbers = tuple(range(1, len(lines) + 1))
    split = Split(lines, None)
    if ids:
        refuse_words(split, path, numbers)
    return split, Table(path, ("text",), True, (lines,), numbers)


def notes_on_empty(inputs: Split) -> tuple[str, ...]:
    """Tell how many texts are empty, which are labelled as all others are."""
    n_empty = sum(not text.strip() for text in inputs.texts)
    told = f"{n_empty} of {len(inputs)} rows have an empty text; they are labelled as the others are"
    return (told,) if n_empty else ()


def read_further_texts(
    path: Path, columns: Columns, kind: Kind, given: Format | None, train: Table | None = None, *, ids: bool = False
) -> tuple[Split, tuple[str, ...]]:
    """Read texts that a task names beside its rows, and say how they are written where that is otherwise than train.

    What is read of a label column is nothing. ``given`` is the format of files whose extension does not tell it. A .txt
    file of a text a line holds single texts, in a pair task too.
    """
    file = None if path.is_dir() else unpack(path)
    lines = _texts_a_line(file, columns, kind, given)
    notes: tuple[str, ...] = ()
    if lines is None:
        table = read_other(path, columns, given, train, file).without_empty_rows()
        split, notes = texts_of(table, columns, kind, ids=ids), table.notes
    else:
        split = Split(lines, None)
        if ids:
            refuse_words(split, path, range(1, len(lines) + 1))
    if not any(text.strip() for text in (*split.texts, *(split.pairs or ()))):
        raise RequestError(f"{path} holds no text")
    return split, notes


def _texts_a_line(
    file: Unpacked | None, columns: Columns, kind: Kind, given: Format | None = None
) -> tuple[str, ...] | None:
    """Return the lines of a .txt file; None where it is a table like the task's own.

    Its first line names the texts' columns, or nearly all lines hold as many separators as they need for positions.
    """
    if file is None or extension_of(file.name) != ".txt" or format_of_bytes(file):
        return None
    lines = read_lines(file, columns.encoding)
    if given in ("json", "jsonl"):
        return None if lines[0].lstrip().startswith(("{", "[")) else lines
    keys = [columns.text, *([columns.pair] if kind == "pair" and columns.pair is not None else [])]
    usual = columns.separator or (SEPARATORS.get(given) if given else None)
    names = {key for key in keys if isinstance(key, str)}
    if names:
        return None if any(_are_named(lines, separator, names) for separator in (usual, *TRIED) if separator) else lines
    n_columns = 1 + max(key for key in keys if isinstance(key, int))
    is_table = usual is not None and not columns.header and _n_alike(lines, usual) >= max(2, n_columns)
    return None if is_table else lines


def _are_named(lines: Sequence[str], separator: str, names: Set[str]) -> bool:
    """Tell whether a first line is a header with these names: one name alone, or those of the columns below."""
    first = [name.strip().strip("\"'").strip() for name in lines[0].split(separator)]
    return names <= set(first) and (len(first) == 1 or len(first) == _n_alike(lines, separator))


def _n_alike(lines: Sequence[str], separator: str) -> int:
    """Return how many columns nearly all lines have that are not blank; 1 where they differ."""
    counts = Counter(_QUOTED.sub("", line).count(separator) + 1 for line in lines if line)
    n_columns, n_lines = counts.most_common(1)[0]
    return n_columns if n_lines >= SHARE_OF_ROWS * counts.total() else 1
