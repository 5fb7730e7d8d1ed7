"""``gridsearch compare``: two studies side by side."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.compare import ComparisonPage, compare
from reports.language.say import speaking
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Print the comparison; or write it as Markdown, and name the file."""
    with speaking(arguments.lang):
        page = ComparisonPage(compare(_read(arguments.first), _read(arguments.second)))
        if arguments.output is None:
            print(page.format(for_terminal=True), end="")
            return EXIT_DONE
        path = Path(arguments.output)
        if path.is_dir():
            raise RequestError(f"-o takes a file for the comparison, but {path} is a folder")
        path.write_text(page.format(), encoding="utf-8")
        print(path)
    return EXIT_DONE


def _read(folder: str) -> StudyRows:
    with Study(Path(folder)).open() as ledger:
        return read_study(ledger)
