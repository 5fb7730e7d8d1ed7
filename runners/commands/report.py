"""``gridsearch report``: the page of a study."""

from pathlib import Path

from gridsearch.study.study import Study
from reports.page import FOR_READERS, write_reports
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Write the files and name them."""
    out = Path(arguments.output) if arguments.output else None
    formats = FOR_READERS if arguments.format is None else arguments.format.split(",")
    for path in write_reports(Study(Path(arguments.study)), out, formats, arguments.lang, arguments.part or ""):
        print(path)
    return EXIT_DONE
