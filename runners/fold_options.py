"""Folds on the command line: into how many the rows are divided, and which of them are run now."""

import argparse
from typing import TYPE_CHECKING

from gridsearch.errors import RequestError

if TYPE_CHECKING:
    from gridsearch.plan.plan import Plan


def add_folds(parser: argparse.ArgumentParser) -> None:
    """Add the option that divides the rows."""
    parser.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="divide train and dev into K folds: each row is judged by a run that did not see it (default: the "
        "space's, or none)",
    )


def add_only_folds(parser: argparse.ArgumentParser) -> None:
    """Add the option that runs some folds now, and leaves the others for later."""
    parser.add_argument(
        "--only-folds", type=_numbers, metavar="0,1", help="run these folds alone; the others are left for later"
    )


def trials_of_folds(plan: "Plan", folds: list[int] | None) -> set[str]:
    """Return the ids of the plan's trials that are of these folds; of all where None is given.

    Raises RequestError for folds that there are none of.
    """
    if folds is None:
        return set(plan.trials)
    n_folds = plan.space.design.folds
    if n_folds is None:
        raise RequestError("--only-folds needs folds: --folds 5, or folds = 5 under [design]")
    if plan.halving is not None:
        raise RequestError("--only-folds and --halving cannot go together: a rung compares cells over all folds")
    if wrong := sorted(set(folds) - set(range(n_folds))):
        raise RequestError(f"--only-folds: there are folds 0 to {n_folds - 1}, but {wrong[0]} is asked for")
    return {trial.id for trial in plan.trials.values() if trial.fold in folds}


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        rule = "folds are whole numbers with commas between them"
        raise argparse.ArgumentTypeError(f"{rule}, but got {text!r}") from None
