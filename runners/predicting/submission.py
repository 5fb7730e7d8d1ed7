"""Predictions as a file: the columns and the form that a competition wants, or nothing at all."""

import csv
import io
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from gridsearch.errors import RequestError, one_of
from gridsearch.tasks.columns.numbers import finite_number
from gridsearch.whole_file import whole_file
from runners.cli import Arguments
from runners.predicting.columns import Column, Known, Value, read_columns

Format = Literal["csv", "tsv", "jsonl"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
MOST_DIGITS = 17
"""More decimals than a float64 holds say nothing."""


@dataclass(frozen=True)
class Submission:
    """Where predictions are to be written, which columns, and in which form; ``target`` None is the terminal."""

    target: Path | None
    columns: tuple[Column, ...]
    format: Format = "csv"
    header: bool = True
    bom: bool = False
    digits: int = 6

    def text(self, chances: np.ndarray) -> str:
        """Return all of the file, from probabilities of shape (rows, labels), or numbers of (rows, 1).

        Raises RequestError for what the format cannot hold.
        """
        rows = zip(*(column.values(chances) for column in self.columns), strict=True)
        if self.format == "jsonl":
            return "".join(self._object(row) for row in rows)
        lines: list[Sequence[str]] = [[column.name for column in self.columns]] if self.header else []
        lines += [[self._spelled(value) for value in row] for row in rows]
        return _tsv(lines) if self.format == "tsv" else _csv(lines)

    def write(self, chances: np.ndarray) -> None:
        """Write all of it, or nothing: a file takes the place of another one when it is whole."""
        text = self.text(chances)
        if self.target is None:
            sys.stdout.write(("\ufeff" if self.bom else "") + text)
            return
        encoding = "utf-8-sig" if self.bom else "utf-8"
        if self.target.exists() and not self.target.is_file():  # a pipe, say, which nothing may take the place of
            self.target.write_text(text, encoding=encoding, newline="")
            return
        with whole_file(self.target.resolve()) as draft:
            draft.write_text(text, encoding=encoding, newline="")

    def _spelled(self, value: Value) -> str:
        return f"{value:.{self.digits}f}" if isinstance(value, float) else str(value)

    def _object(self, row: Sequence[Value]) -> str:
        values = {column.name: self._in_json(value, column) for column, value in zip(self.columns, row, strict=True)}
        return json.dumps(values, ensure_ascii=False) + "\n"

    def _in_json(self, value: Value, column: Column) -> Value | None:
        if isinstance(value, float):
            return round(value, self.digits)
        return _number(value, column.name) if isinstance(value, str) and column.is_number else value


def read_submission(arguments: Arguments, known: Known, source: Path | None = None) -> Submission:
    """Read the options of :func:`runners.predicting.options.add_output`, and try them before anything is computed.

    ``source`` is the file that must not be replaced. Raises RequestError for a form that contradicts itself, for a file
    that may not be written, and for what the format cannot hold.
    """
    target = Path(arguments.output) if arguments.output else None
    refuse_to_overwrite(target, source, force=arguments.force)
    format_ = _format_of(arguments.format, target)
    if format_ == "jsonl" and (arguments.bom or arguments.no_header):
        option = "--bom" if arguments.bom else "--no-header"
        raise RequestError(f"{option} is for csv and tsv: each line of jsonl is an object with its own names")
    if not 1 <= arguments.digits <= MOST_DIGITS:
        raise RequestError(f"--digits must be from 1 to {MOST_DIGITS}, but is {arguments.digits}")
    columns = tuple(read_columns(known.default if arguments.columns is None else arguments.columns, known))
    names = [column.name for column in columns]
    if format_ == "jsonl" and (twice := sorted({name for name in names if names.count(name) > 1})):
        raise RequestError(f"--format jsonl: two columns would be called {twice[0]!r}; name them by --columns")
    made = Submission(target, columns, format_, not arguments.no_header, arguments.bom, arguments.digits)
    tried = made.text(np.eye(len(known.labels))[np.arange(len(known.table)) % len(known.labels)])
    if target is None:
        _refuse_unspeakable(tried, sys.stdout.encoding)
    return made


def _refuse_unspeakable(text: str, encoding: str) -> None:
    """Raise RequestError for what standard output could only print as something else."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        shown = text[error.start : error.end][:20]
        remedy = "-o FILE writes it in UTF-8, and so does PYTHONUTF8=1"
        raise RequestError(f"the output is in {encoding} here, which cannot spell {shown}: {remedy}") from None


def refuse_to_overwrite(target: Path | None, source: Path | None, *, force: bool) -> None:
    """Raise RequestError for a file that may not be written; None is the terminal."""
    if target is None:
        return
    if source is not None and target.exists() and source.exists() and target.samefile(source):
        raise RequestError(f"the output may not be the input, {source}")
    if target.exists() and not force:
        raise RequestError(f"{target} exists; --force replaces it")
    if not target.parent.is_dir():
        raise RequestError(f"there is no folder {target.parent} to write {target.name} into")


def _format_of(asked: str | None, target: Path | None) -> Format:
    """Return the format that is asked for, or that of the file's extension; of any other one, csv."""
    if asked is not None and asked not in FORMATS:
        raise RequestError(f"--format: {one_of('format', asked, FORMATS)}")
    extension = "" if target is None else target.suffix.lower().removeprefix(".")
    found: Format = next((name for name in FORMATS if name == (asked or extension)), "csv")
    return found


def _csv(lines: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def _tsv(lines: Sequence[Sequence[str]]) -> str:
    """Separate by tabs and quote nothing, as those do who read such files."""
    for line in lines:
        for text in line:
            if re.search(r"[\t\r\n]", text):
                rule = "a tab or a line break cannot stand in a field of tsv"
                raise RequestError(f"{rule}, but {text[:40]!r} has one; leave its column out, or take --format csv")
    return "".join("\t".join(line) + "\n" for line in lines)


def _number(text: str, column: str) -> int | float | None:
    """Read a number as JSON spells it; no text is the nothing of JSON."""
    if not text:
        return None
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
        return int(text)
    if (number := finite_number(text)) is None:
        raise RequestError(f"--columns: {column} is to be a number, but is {text[:40]!r}")
    return number
