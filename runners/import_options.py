"""The options of ``gridsearch import``. Every library beyond the standard one is imported late."""

import argparse


class _Once(argparse.Action):
    """An option whose second value would silently replace the first."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: object, option_string: str | None = None
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            raise argparse.ArgumentError(self, "may be given only once")
        setattr(namespace, self.dest, values)


def add_import(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a table (Markdown, CSV, Excel, JSON, Parquet), notes, a log, a storage of Optuna's or MLflow's, or a "
        "folder with runs of transformers' Trainer",
    )
    parser.add_argument(
        "--response",
        action=_Once,
        metavar="COLUMN",
        help="the column with the results (default: result, or else the last; of a log: loss)",
    )
    parser.add_argument(
        "--score",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a column that measured the rows too, and is no factor; repeatable",
    )
    parser.add_argument(
        "--inert",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a factor that could not act: its rows are replicates, and tell the noise; repeatable",
    )
    parser.add_argument(
        "--seed",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a column that tells the seed, fold or repetition of a row, and is no factor; repeatable (default: seed, "
        "fold, run and their like; none: no column)",
    )
    parser.add_argument(
        "--table",
        action=_Once,
        type=int,
        metavar="N",
        help="the N-th table of a markdown file (default: the first that has the response), study of Optuna's, or "
        "experiment of MLflow's",
    )
    parser.add_argument("--study", metavar="DIR", help="the folder of the new study (default: studies/FILE)")
    notes = parser.add_argument_group("notes, one experiment a line")
    notes.add_argument(
        "--rows", action=_Once, metavar="REGEX", help="what occurs in the lines of experiments, and names them"
    )
    notes.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=REGEX",
        help="a factor: its level is the first group, or whether it occurs; repeatable. --score, --seed and --response "
        "take NAME=REGEX too (default of the response: the last number of the line)",
    )
    log = parser.add_argument_group("the log of a training")
    log.add_argument("--curve", action=_Once, metavar="NAME", help="what the curve runs over, such as epoch or step")
