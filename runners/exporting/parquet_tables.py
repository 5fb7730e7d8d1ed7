"""The tables of a study as Parquet files: cells, trials, epochs, effects, and what trials predict of each row."""

from pathlib import Path

from gridsearch.errors import RequestError
from reports.frames.predictions import predictions_frame
from runners.exporting.frames import frames_of
from runners.exporting.source import Source


def write(source: Source, folder: Path, place: Path) -> str:
    """Write a file a table; levels of factors are dictionaries. Predictions are left out where none can be told."""
    frames, left_out = dict(frames_of(source)), ""
    if not source.study.is_imported:
        try:
            frames["predictions"] = predictions_frame(source.ledger, source.study)
        except RequestError as error:
            left_out = f"; no predictions.parquet: {error}"
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return ", ".join(f"{name}.parquet ({len(frame)} rows)" for name, frame in frames.items()) + left_out
