"""The options of ``gridsearch ensemble``. Every library beyond the standard one is imported late."""

import argparse

from runners.predicting.options import add_output


def add_ensemble(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    parser.add_argument(
        "studies", nargs="+", metavar="STUDY", help="folders of studies of the same rows, divided alike"
    )
    parser.add_argument(
        "--cells",
        action="append",
        default=[],
        metavar="N,N",
        help="average these rows of the table, by index or name, and no others; of several studies, one --cells for "
        "each, in their order (default: the best by what they say of the rows that judge)",
    )
    parser.add_argument(
        "--add",
        action="append",
        nargs="+",
        default=[],
        metavar="FILE",
        help="a member from outside: its probabilities of the rows that judge, then those of test, or one of the two "
        "(none in place of the other); a column of the positive label's, or one for each label; repeatable",
    )
    parser.add_argument(
        "--method",
        metavar="M",
        help="probabilities, logits, ranks, weighted, greedy (default: all are told, and probabilities are written)",
    )
    parser.add_argument(
        "--test-file", metavar="FILE", help="the file of the test rows, whose own columns may be written beside"
    )
    add_output(parser, "where to write what the average says of the test rows (default: nowhere)")
