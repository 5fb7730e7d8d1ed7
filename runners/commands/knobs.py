"""``gridsearch knobs``: what can be varied."""

from reports.knob_page import knob_facts, knobs_for_terminal
from runners.cli import Arguments
from runners.programs.answer import Answer


def run(arguments: Arguments) -> Answer:
    """Tell every knob, or one."""
    return Answer({"knobs": knob_facts(arguments.name)}, knobs_for_terminal(arguments.name))
