"""The options of ``gridsearch skip``. Every library beyond the standard one is imported late."""

import argparse


def add_skip(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    parser.add_argument(
        "--cell",
        action="append",
        required=True,
        metavar="N",
        help="a row of the table, by its index or its name in a list; what of it has run, or runs, stays; repeatable",
    )
    parser.add_argument("--why", metavar="TEXT", help="the reason, in one line")
    parser.add_argument("--undo", action="store_true", help="take the cells back in: the next sweep runs them")
