"""``gridsearch compare``: two studies side by side."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.compare import ComparisonPage, compare
from reports.compare_curves import CurvesPage, compare_curves
from reports.language.say import speaking
from reports.study.parts import parts_of
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.cli import Arguments
from runners.programs.answer import Answer


def run(arguments: Arguments) -> Answer:
    """Tell the comparison; or write it as Markdown, and name the files."""
    with speaking(arguments.lang):
        first, second = _read(arguments.first, arguments.second, part=arguments.part)
        has_curve = first.is_curve or second.is_curve
        page = CurvesPage(compare_curves(first, second)) if has_curve else ComparisonPage(compare(first, second))
        if arguments.output is None:
            return Answer({**page.numbers(), "files": []}, page.format(for_terminal=True).rstrip("\n"))
        path = Path(arguments.output)
        if path.is_dir():
            raise RequestError(f"-o takes a file for the comparison, but {path} is a folder")
        files = _write(page, path)
        return Answer({**page.numbers(), "files": files}, "\n".join(map(str, files)))


def _write(page: ComparisonPage | CurvesPage, path: Path) -> list[Path]:
    """Write the comparison, and beside it the picture of one of curves."""
    if isinstance(page, ComparisonPage):
        path.write_text(page.format(), encoding="utf-8")
        return [path]
    picture = page.picture()
    drawn = path.with_name(f"{path.stem}-{picture.name}.svg")
    drawn.write_text(picture.svg, encoding="utf-8")
    path.write_text(page.format(picture_file=drawn.name), encoding="utf-8")
    return [path, drawn]


def _read(*folders: str, part: str | None) -> list[StudyRows]:
    """Read the studies; a part is that of all that have several, and one of them must."""
    found = [_of_part(folder, None) for folder in folders]
    if part is None:
        return found
    if not any(parts_of(study) for study in found):
        raise RequestError(f"--part {part}: neither {' nor '.join(folders)} has several parts")
    return [_of_part(folder, part) if parts_of(study) else study for folder, study in zip(folders, found, strict=True)]


def _of_part(folder: str, part: str | None) -> StudyRows:
    with Study(Path(folder)).open() as ledger:
        return read_study(ledger, part or "")
