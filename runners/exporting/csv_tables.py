"""The tables of a study as CSV files: cells, trials, epochs, effects."""

from pathlib import Path

from runners.exporting.frames import frames_of
from runners.exporting.source import Source


def write(source: Source, folder: Path, place: Path) -> str:
    """Write a file a table, in UTF-8 with a line of names."""
    rows = {}
    for name, frame in frames_of(source):
        frame.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")
        rows[name] = len(frame)
    return ", ".join(f"{name}.csv ({n_rows} rows)" for name, n_rows in rows.items())
