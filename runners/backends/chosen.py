"""Which runner a command asks for."""

from typing import TYPE_CHECKING

from gridsearch.errors import RequestError
from runners.cli import Arguments

if TYPE_CHECKING:
    from runners.contract import Runner


def chosen_runner(arguments: Arguments) -> "Runner":
    """Make the runner that --runner names. Raises RequestError for options that it does not have."""
    refuse_bad_counts(arguments)
    gpus_per_trial, address = getattr(arguments, "gpus_per_trial", None), getattr(arguments, "address", None)
    if gpus_per_trial is not None and not 0 <= gpus_per_trial <= 1:
        raise RequestError(f"--gpus-per-trial must be between 0 and 1, but is {gpus_per_trial:g}")
    if arguments.runner == "ray":
        from runners.backends.ray_tune import RayRunner

        return RayRunner(arguments.workers, gpus_per_trial, address, arguments.threads)
    others = {"--gpus-per-trial": gpus_per_trial, "--address": address}
    if arguments.runner == "serial":
        others["--workers"] = arguments.workers
    for option, value in others.items():
        if value not in (None, 1):
            raise RequestError(f"{option} has no meaning for --runner {arguments.runner}")
    if arguments.runner == "processes":
        from runners.backends.processes import ProcessesRunner

        return ProcessesRunner(arguments.workers, arguments.threads)
    from runners.backends.serial import SerialRunner

    return SerialRunner()


def refuse_bad_counts(arguments: Arguments) -> None:
    """Raise RequestError for less than one worker or thread."""
    if arguments.workers is not None and arguments.workers < 1:
        raise RequestError(f"--workers must be at least 1, but is {arguments.workers}")
    if arguments.threads < 1:
        raise RequestError(f"--threads must be at least 1, but is {arguments.threads}")
