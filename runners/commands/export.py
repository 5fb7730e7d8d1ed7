"""``gridsearch export``: a study as other tools read it."""

import shlex
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.study.study import Study
from gridsearch.whole_file import new_folder, refuse_to_replace, whole_file
from reports.study.read import read_study
from runners.cli import Arguments
from runners.exporting.formats import FORMATS, Format
from runners.exporting.source import Source
from runners.programs.answer import Answer, lines


def run(arguments: Arguments) -> Answer:
    """Write it, whole or not at all; say what it holds, and how it is opened."""
    if arguments.to not in FORMATS:
        raise RequestError(f"--to: {one_of('format', arguments.to, list(FORMATS))}")
    form, place, study = FORMATS[arguments.to], Path(arguments.output), Study(Path(arguments.study))
    if arguments.trial is not None and not form.of_a_trial:
        raise RequestError(f"--trial is for what is made of one trial, and {arguments.to} is made of all of them")
    with study.open() as ledger:
        rows = read_study(ledger)
        if rows.is_imported and form.needs_trials:
            others = ", ".join(name for name, one in FORMATS.items() if not one.needs_trials)
            what = f"{study.folder} is an imported table, and {arguments.to} is made of trials"
            raise RequestError(f"{what}: --to {others} can be made of it")
        told = _written(form, Source(rows, ledger, arguments.trial or "best"), place, force=arguments.force)
    opened_by = form.opened_by.format(shlex.quote(str(place)))
    text = lines(f"{told}: {shlex.quote(str(place))}", f"open it with: {opened_by}")
    return Answer({"study": study.folder, "to": arguments.to, "place": place, "opened_by": opened_by}, text)


def _written(form: Format, source: Source, place: Path, *, force: bool) -> str:
    whole, where = source.study.folder.resolve(), place.resolve()
    if where.is_relative_to(whole) or whole.is_relative_to(where):
        raise RequestError(f"-o {place} is in the way of the study {source.study.folder}: name a place outside of it")
    if not form.is_file:
        refuse_to_replace(place, force=force)
        with new_folder(place) as folder:
            return form.write(source, folder, place)
    if place.is_dir():
        raise RequestError(f"-o must be a file, but {place} is a folder")
    if place.exists() and not force:
        raise RequestError(f"{place} exists; --force replaces it")
    place.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(place) as file:
        return form.write(source, file, place)
