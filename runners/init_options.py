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
    for role, what in (("text", "the text"), ("pair", "the second text of a pair, or none")):
        meaning = f"the column of {what}, by its name or its position from 0 (default: guessed and told)"
        parser.add_argument(f"--{role}", metavar="COLUMN", help=meaning)
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="COLUMN",
        help="the column of the label, as above; of several labels that stand in a column each, once for each",
    )
    parser.add_argument(
        "--kind",
        choices=("class", "multilabel", "score"),
        default="class",
        help="what the label is: one of several classes (default), several labels a row, or a number to predict",
    )
    parser.add_argument(
        "--separator", metavar="SIGN", help="what stands between several labels of one cell (default: found, told)"
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
