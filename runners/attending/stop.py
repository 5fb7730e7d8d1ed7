"""``gridsearch stop``: ask the driver of a study to end in order."""

import shlex
from pathlib import Path

from gridsearch.study.attending.stop_wish import ask_to_stop, stop_wish
from gridsearch.study.study import Study
from runners.attending.wishing import living_driver, told_wish
from runners.cli import Arguments
from runners.programs.answer import Answer, lines


def run(arguments: Arguments) -> Answer:
    """Ask, and say what will happen; where nobody is at work there is nothing to do."""
    study = Study(Path(arguments.study))
    driver = living_driver(study, print)
    facts = {"study": study.folder, "driver": driver and driver.name}
    if driver is None:
        study.open().connection.close()  # a folder without a study is a wrong request
        text = f"nobody is at work on {study.folder}: there is nothing to stop"
        return Answer({**facts, "asked": False, "asked_before": False}, text)
    if (known := stop_wish(study.folder, driver.token)) is not None:
        told = f"{driver.name} has been asked already: {told_wish(known)}"
    else:
        ask_to_stop(study.folder, driver.token)
        told = f"{driver.name} is asked to stop: nothing new begins, and the trials that run go on to their end"
    text = lines(told, f"gridsearch status {shlex.quote(str(study.folder))} tells how far it is")
    return Answer({**facts, "asked": True, "asked_before": known is not None}, text)
