"""Text files, and the rows of those that are separated by commas or tabs."""

import csv
import io
from pathlib import Path

from gridsearch.errors import RequestError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
"""What separates the cells of a row, by the suffix of the file."""


def read_text(path: Path) -> str:
    """Read a text in UTF-8, with a byte order mark or without. Raises RequestError where it cannot be."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError(f"{path} must be text in UTF-8, and is not") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None


def separated_rows(text: str, path: Path) -> list[list[str]]:
    """Split the text of a CSV or TSV file into rows, those that are empty apart."""
    separator = SEPARATORS[path.suffix.lower()]
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if any(row)]
    except csv.Error as error:
        raise RequestError(f"{path} is not a {path.suffix[1:].upper()} file: {error}") from None
    if not rows:
        raise RequestError(f"there is no table in {path}: it is empty")
    return [[cell.strip() for cell in row] for row in rows]
