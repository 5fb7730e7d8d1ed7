"""Which formats of data files there are, and how a file tells its own."""

from pathlib import Path
from typing import Literal

from gridsearch.errors import RequestError

Format = Literal["tsv", "csv", "jsonl", "json", "parquet"]
FORMATS: dict[str, Format] = {
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}
SEPARATORS: dict[Format, str] = {"tsv": "\t", "csv": ","}


def format_of(path: Path, given: Format | None, separator: str | None) -> Format:
    """Return the format that is given, or the one of the file's extension; any text with a separator is a table."""
    if given:
        return given
    if known := FORMATS.get(path.suffix.lower()):
        return known
    if separator is None:
        raise RequestError(
            f"{path} has an extension that does not tell its format; write separator under [columns] "
            f"or format under [files]; known extensions: {', '.join(FORMATS)}"
        )
    return "tsv"
