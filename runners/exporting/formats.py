"""Every format that a study is exported to: what writes it, and how it is opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from runners.exporting.source import Source

Write = Callable[[Source, Path, Path], str]
"""Fills an empty folder, or writes a file, that will then be in a place; says in some words what it has written."""


@dataclass(frozen=True)
class Format:
    """A format: the ``writer`` of a module here that writes it, and the command that opens it, in which {} is its path.

    ``is_file``: it is one file, and else a folder. ``needs_trials``: an imported table, which has none, cannot be
    written so. ``of_a_trial``: it is not of the study, but of one trial.
    """

    writer: str
    opened_by: str
    is_file: bool = False
    needs_trials: bool = True
    of_a_trial: bool = False

    @property
    def write(self) -> Write:
        """What writes it; its libraries are imported by now, or when it is called."""
        module, _, name = self.writer.partition(":")
        found: Write = getattr(import_module(f"runners.exporting.{module}"), name)
        return found


FORMATS: Mapping[str, Format] = {
    "csv": Format("csv_tables:write", "any spreadsheet", needs_trials=False),
    "parquet": Format("parquet_tables:write", "pandas.read_parquet, duckdb, polars", needs_trials=False),
    "tensorboard": Format("trackers:write_tensorboard", "tensorboard --logdir {}"),
    "optuna": Format("optuna_storage:write", "optuna-dashboard {}", is_file=True, needs_trials=False),
    "mlflow": Format("trackers:write_mlflow", "mlflow ui --backend-store-uri sqlite:///{}/mlflow.db"),
    "trackio": Format("trackers:write_trackio", "TRACKIO_DIR={} trackio show"),
    "wandb": Format("trackers:write_wandb", "wandb sync {}/wandb/offline-run-*"),
    "transformers": Format(
        "transformers_folder:write",
        "transformers.pipeline('text-classification', {}), with truncation=True",
        of_a_trial=True,
    ),
}
