"""Options of the command line that several commands share. Every library beyond the standard one is imported late."""

import argparse
from collections.abc import Callable


def halving(parser: argparse.ArgumentParser) -> None:
    """Add how to give cells up early."""
    parser.add_argument(
        "--halving",
        type=_eta,
        nargs="?",
        const=3,
        metavar="ETA",
        help="successive halving: all cells for a few epochs, the best 1/ETA of them (default: 3) for ETA times as "
        "many, and so on to the last",
    )


def _eta(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        what = f"{text!r} (a space is named before it)" if text else "nothing"
        raise argparse.ArgumentTypeError(f"ETA is a whole number, but got {what}") from None


def train_metric(parser: argparse.ArgumentParser) -> None:
    """Add what is measured of a trial beside its results."""
    parser.add_argument(
        "--train-metric",
        action="store_true",
        help="measure trials on their training rows, too: a column of the table, for one more pass over these rows "
        "after training (one for each epoch of `checkpoints`); no part of a trial's id, so the column stays blank for "
        "trials that are finished already",
    )


def folds(parser: argparse.ArgumentParser) -> None:
    """Add the option that divides the rows."""
    parser.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="divide train and dev into K folds: each row is judged by a run that did not see it (default: the "
        "space's, or none)",
    )


def only_folds(parser: argparse.ArgumentParser) -> None:
    """Add the option that runs some folds now, and leaves the others for later."""
    parser.add_argument(
        "--only-folds",
        type=numbers_of("folds"),
        metavar="0,1",
        help="run these folds alone; the others are left for later",
    )


def one_part(parser: argparse.ArgumentParser) -> None:
    """Add the part of a task of several that is looked at by itself."""
    parser.add_argument(
        "--part", metavar="NAME", help="of a task of several parts: look at this one, as if the study selected on it"
    )


def numbers_of(what: str) -> Callable[[str], list[int]]:
    """Return what reads several whole numbers; ``what`` they are is told to those who write something else."""

    def read(text: str) -> list[int]:
        try:
            return [int(part) for part in text.split(",")]
        except ValueError:
            rule = f"{what} are whole numbers with commas between them"
            raise argparse.ArgumentTypeError(f"{rule}, but got {text!r}") from None

    return read


def kept(parser: argparse.ArgumentParser) -> None:
    """Add what is kept of trials beside their numbers."""
    parser.add_argument(
        "--keep", default="none", metavar="WHICH", help="weights to keep: none (default), best, top-3, all"
    )
    parser.add_argument(
        "--keep-logits",
        default="auto",
        metavar="HOW",
        help="how the ledger keeps what trials say of each row: float32, float16 (half the size), none (no comparison "
        "row by row), auto (default: float32; float16 where a study would have more than 2 GB of them)",
    )


def workers(parser: argparse.ArgumentParser) -> None:
    """Add how many trials run at a time, and on how many cores each."""
    parser.add_argument(
        "--workers", type=int, metavar="N", help="trials at a time (default: one per core or per share of a GPU)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of a trial (default: 1)")


def question(parser: argparse.ArgumentParser) -> None:
    """Options that say what is asked: space, task, model, seeds, fixed knobs."""
    parser.add_argument(
        "space", metavar="SPACE", help="a built-in space, such as finetune64 or pooling, or a TOML file"
    )
    parser.add_argument(
        "--task",
        metavar="T",
        help="a built-in task or a TOML file (default: the one that the space names, or docstrings)",
    )
    parser.add_argument("--model", metavar="M", help="tiny (default), minilm, a folder, or a Hugging Face name")
    parser.add_argument(
        "--data-dir", metavar="DIR", help="where the task's files are (default: beside its TOML, $GRIDSEARCH_DATA)"
    )
    parser.add_argument("--train-rows", type=int, metavar="N", help="train on a stratified sample of N rows")
    parser.add_argument(
        "--seeds", type=numbers_of("seeds"), metavar="0,1,2", help="seeds of every cell (default: the space's)"
    )
    folds(parser)
    parser.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", help="fix a knob for all cells; repeatable"
    )
    parser.add_argument("--study", metavar="DIR", help="the study's folder (default: studies/SPACE-TASK-MODEL)")


def tracked(parser: argparse.ArgumentParser) -> None:
    """Add who is told of trials while they run."""
    parser.add_argument(
        "--track",
        metavar="T",
        help="show trials in a tracker while they run: trackio, mlflow, wandb, tensorboard; see docs/exporting.md",
    )


def duration(text: str) -> float:
    """Read a time such as 90 (seconds), 30m or 2h."""
    from gridsearch.training.deadline import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def execution(parser: argparse.ArgumentParser) -> None:
    """Options that say how trials are run and what is kept of them."""
    workers(parser)
    kept(parser)
    train_metric(parser)
    parser.add_argument("--retry-failed", action="store_true", help="try again what failed for good")
    parser.add_argument(
        "--time-limit",
        type=duration,
        metavar="T",
        help="a trial that takes longer has failed: 90 (seconds), 30m, 2h (--runner serial looks between steps only: a "
        "trial that hangs goes on)",
    )
