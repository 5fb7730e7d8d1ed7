"""``gridsearch knobs``: what can be varied."""

from reports.knob_page import knobs_for_terminal
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Print every knob, or one."""
    print(knobs_for_terminal(arguments.name))
    return EXIT_DONE
