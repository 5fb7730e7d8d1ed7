"""A study as TensorBoard's event files: a folder a trial, with what its HParams tab needs."""

from pathlib import Path
from typing import Any

from gridsearch.installed import needed
from runners.exporting.runs import Run, groups_of, told_of
from runners.exporting.source import Source


def write(source: Source, folder: Path, place: Path) -> str:
    """Write the event file of each trial, at the times at which it ran."""
    writers = needed("tensorboardX", "the writer of TensorBoard's files")
    summaries = needed("tensorboardX.summary", "the writer of TensorBoard's files", "tensorboardX")
    groups = groups_of(source)
    for group in groups:
        for run in group.runs:
            with writers.SummaryWriter(logdir=str(folder / f"cell-{group.index}" / run.name)) as writer:
                # The numbers are given as scalars; here is said which of them are to stand beside the settings.
                for summary in summaries.hparams(dict(run.settings), dict.fromkeys(run.numbers, 0.0)):
                    writer.file_writer.add_summary(summary, walltime=run.started)
                _write_numbers(writer, run)
    return told_of(groups)


def _write_numbers(writer: Any, run: Run) -> None:
    for number, found in run.history.items():
        when = run.started + (run.ended - run.started) * number / max(run.history)
        for name, value in found.items():
            writer.add_scalar(name, value, number, walltime=when)
    for name, value in run.numbers.items():
        writer.add_scalar(name, value, run.chosen, walltime=run.ended)
    for name, text in run.words.items():
        writer.add_text(name, text, run.chosen, walltime=run.ended)
