"""Which formats of data files there are, and how a file's name tells its own."""

from pathlib import Path
from typing import Literal

Format = Literal["tsv", "csv", "jsonl", "json", "parquet", "xlsx", "arrow"]
FORMATS: dict[str, Format] = {
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".arrow": "arrow",
    ".feather": "arrow",
}
SEPARATORS: dict[Format, str] = {"tsv": "\t", "csv": ","}
TYPED: frozenset[Format] = frozenset({"parquet", "xlsx", "arrow"})
"""Formats that are no text: they have no encoding, and their values are numbers, dates or texts by themselves."""
PACKED = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd")


def format_of_name(path: Path) -> Format | None:
    """Return the format that an extension tells, None for another one; that of a packed file stands before .gz."""
    return FORMATS.get(extension_of(path))


def extension_of(path: Path) -> str:
    """Return the extension of what a file holds, in lower case.

    >>> [extension_of(Path(name)) for name in ("a.CSV", "a.csv.gz", "a.gz", "a")]
    ['.csv', '.csv', '', '']
    """
    name = path
    while name.suffix.lower() in PACKED:
        name = name.with_suffix("")
    return name.suffix.lower()
