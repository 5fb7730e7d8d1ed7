"""Exports on the command line: to what, of which trial, and where."""

import argparse


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``gridsearch export``, but for the study."""
    parser.add_argument(
        "--to",
        required=True,
        metavar="F",
        help="csv, parquet, tensorboard, optuna, mlflow, trackio, wandb, or transformers, a trial's model: see "
        "docs/exporting.md",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="PATH", help="the folder to write; of optuna, the file"
    )
    parser.add_argument(
        "--trial", metavar="ID", help="a trial's id or its first digits, or best (default), where one trial is exported"
    )
    parser.add_argument("--force", action="store_true", help="replace what is there")
