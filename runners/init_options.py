"""The options of ``gridsearch init``. Every library beyond the standard one is imported late."""

import argparse


def add_init(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="training data, then (optionally) dev and test data")
    parser.add_argument(
        "--part",
        action="append",
        nargs="+",
        default=[],
        metavar=("NAME", "FILE"),
        help="of several tasks that share one encoder: one of them, its name and its files (training data, then "
        "optionally dev and test data); once for each, in place of FILE",
    )
    parser.add_argument("-o", "--output", required=True, metavar="TASK.toml", help="the task file to write")
    parser.add_argument("--name", metavar="NAME", help="what the task is called (default: the output file's name)")
    parser.add_argument(
        "--header",
        choices=("yes", "no"),
        help="whether the first row of the training data names its columns (default: as it looks)",
    )
    parser.add_argument(
        "--drop-unlabelled", action="store_true", help="leave out the rows of train and dev that have no label"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")
