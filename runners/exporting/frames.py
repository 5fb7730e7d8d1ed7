"""The tables that every table format has."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reports.frames.effects import effects_frame
from reports.frames.trials import cells_frame, epochs_frame, trials_frame
from runners.exporting.source import Source

if TYPE_CHECKING:
    import pandas as pd


def frames_of(source: Source) -> "Iterator[tuple[str, pd.DataFrame]]":
    """Yield each table with its name; an imported table has neither trials nor epochs."""
    yield "cells", cells_frame(source.study)
    if not source.study.is_imported:
        yield "trials", trials_frame(source.study)
        yield "epochs", epochs_frame(source.ledger, source.study)
    yield "effects", effects_frame(source.study)
