"""Predictions on the command line: which trials predict, and how what they say is written."""

import argparse


def add_predict(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``gridsearch predict``, but for the study."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--trial",
        default="best",
        metavar="ID",
        help="a trial's id or its first digits, or best (default): in a study of folds, all trials of the best row",
    )
    which.add_argument(
        "--cell",
        metavar="N",
        help="a row of the table, by its index or its name: the mean of the probabilities, or numbers, over its seeds "
        "and folds",
    )
    which.add_argument("--ensemble", metavar="N,N", help="several rows of the table: the mean of what they say")
    parser.add_argument(
        "--part", metavar="NAME", help="the part that the input is of, where the task has several: columns and labels"
    )
    parser.add_argument(
        "input", metavar="INPUT", help="a file with the columns of the task, or of its part, or one text a line (.txt)"
    )
    add_output(parser)


def add_output(parser: argparse.ArgumentParser, where: str = "where to write (default: the terminal)") -> None:
    """Add the options that say where predictions are written, which columns, and in which form."""
    parser.add_argument("-o", "--output", metavar="FILE", help=where)
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    form = parser.add_argument_group("the form of what is written")
    form.add_argument(
        "--columns",
        metavar="C,C",
        help="columns in order, each with the name that it is to have before a =, such as id,label=prediction. A "
        "column of the input by its name or its position from 0; prediction, the label, or all of several, or the "
        "number; probability, that of the positive label; p(LABEL); has(LABEL), 1 where a row has this one of several; "
        "row0 or row1, the row's number from 0 or 1; *, p(*) and has(*): all columns, all labels; "
        "number(C): a number in JSON (default: *,predicted=prediction,p(*), as far as labels have probabilities)",
    )
    form.add_argument(
        "--format", metavar="F", help="csv, tsv or jsonl, an object a line (default: the output's extension, or csv)"
    )
    form.add_argument("--no-header", action="store_true", help="without the line of names")
    form.add_argument("--bom", action="store_true", help="begin with a byte order mark, by which Excel knows UTF-8")
    form.add_argument(
        "--digits", type=int, default=6, metavar="N", help="decimals of a probability or a number (default: 6)"
    )
