"""``gridsearch report``: the page of a study."""

from pathlib import Path

from gridsearch.study.study import Study
from reports.page import FOR_READERS, write_reports
from runners.cli import Arguments
from runners.programs.answer import Answer


def run(arguments: Arguments) -> Answer:
    """Write the files and name them."""
    out = Path(arguments.output) if arguments.output else None
    formats = FOR_READERS if arguments.format is None else arguments.format.split(",")
    study = Study(Path(arguments.study))
    files = write_reports(study, out, formats, arguments.lang, arguments.part or "")
    return Answer({"study": study.folder, "files": files}, "\n".join(map(str, files)))
