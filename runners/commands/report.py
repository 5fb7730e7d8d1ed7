"""``gridsearch report``: the page of a study."""

from pathlib import Path

from gridsearch.study.study import Study
from reports.page import write_reports
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Write the files and name them."""
    out = Path(arguments.output) if arguments.output else None
    for path in write_reports(Study(Path(arguments.study)), out, arguments.format.split(","), arguments.lang):
        print(path)
    return EXIT_DONE
