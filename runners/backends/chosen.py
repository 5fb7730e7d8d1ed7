"""Which runner a command asks for."""

from typing import TYPE_CHECKING

from gridsearch.errors import RequestError
from gridsearch.installed import installed_version
from runners.cli import Arguments

if TYPE_CHECKING:
    from runners.contract import Runner


def chosen_runner(arguments: Arguments) -> "Runner":
    """Make the runner that --runner names. Raises RequestError for options that it does not have."""
    refuse_bad_counts(arguments)
    gpus_per_trial, address = getattr(arguments, "gpus_per_trial", None), getattr(arguments, "address", None)
    if gpus_per_trial is not None and not 0 <= gpus_per_trial <= 1:
        raise RequestError(f"--gpus-per-trial must be between 0 and 1, but is {gpus_per_trial:g}")
    name = arguments.runner
    if name is None:
        # Who gives an option of Ray's alone asks for Ray.
        name = default_runner() if gpus_per_trial is None and address is None else "ray"
        if name != "ray":
            print(f"Ray is not installed: trials run in processes on this machine, as with --runner {name}")
    if name == "ray":
        from runners.backends.ray_tune import RayRunner

        return RayRunner(arguments.workers, gpus_per_trial, address, arguments.threads)
    others = {"--gpus-per-trial": gpus_per_trial, "--address": address}
    if name == "serial":
        others["--workers"] = arguments.workers
    for option, value in others.items():
        if value not in (None, 1):
            raise RequestError(f"{option} has no meaning for --runner {name}")
    if name == "processes":
        from runners.backends.processes import ProcessesRunner

        return ProcessesRunner(arguments.workers, arguments.threads)
    from runners.backends.serial import SerialRunner

    return SerialRunner()


def default_runner() -> str:
    """Name the runner of a command that names none: ray where it is installed, or else processes."""
    return "ray" if installed_version("ray") else "processes"


def refuse_bad_counts(arguments: Arguments) -> None:
    """Raise RequestError for less than one worker or thread."""
    if arguments.workers is not None and arguments.workers < 1:
        raise RequestError(f"--workers must be at least 1, but is {arguments.workers}")
    if arguments.threads < 1:
        raise RequestError(f"--threads must be at least 1, but is {arguments.threads}")
