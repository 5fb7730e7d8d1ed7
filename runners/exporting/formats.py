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
    """A format: the ``module`` here that writes it (``write``), and the command that opens it, in which {} is its path.

    ``is_file``: it is one file, and else a folder. ``needs_trials``: an imported table, which has none, cannot be
    written so. ``of_a_trial``: it is not of the study, but of one trial.
    """

    module: str
    opened_by: str
    is_file: bool = False
    needs_trials: bool = True
    of_a_trial: bool = False

    @property
    def write(self) -> Write:
        """What writes it; its libraries are imported by now, or when it is called."""
        found: Write = import_module(f"runners.exporting.{self.module}").write
        return found


FORMATS: Mapping[str, Format] = {
    "csv": Format("csv_tables", "any spreadsheet", needs_trials=False),
    "parquet": Format("parquet_tables", "pandas.read_parquet, duckdb, polars", needs_trials=False),
    "tensorboard": Format("tensorboard_events", "tensorboard --logdir {}"),
    "optuna": Format("optuna_storage", "optuna-dashboard {}", is_file=True, needs_trials=False),
    "mlflow": Format("mlflow_store", "mlflow ui --backend-store-uri sqlite:///{}/mlflow.db"),
    "trackio": Format("trackio_store", "TRACKIO_DIR={} trackio show"),
    "wandb": Format("wandb_runs", "wandb sync {}/wandb/offline-run-*"),
    "transformers": Format(
        "transformers_folder", "transformers.pipeline('text-classification', {}), with truncation=True", of_a_trial=True
    ),
}
