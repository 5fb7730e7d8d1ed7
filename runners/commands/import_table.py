"""``gridsearch import``: what others measured becomes a study."""

from collections.abc import Sequence
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.formats.markdown import first_of, one_line
from reports.importing.imported import RESPONSE, Published, store
from reports.importing.logs import read_log
from reports.importing.notes import Layout, Patterns, compiled, named_pattern, named_patterns, read_notes
from reports.importing.seed_columns import NONE
from reports.importing.tables import read_table
from reports.page import write_page
from reports.sections.published import MOST_NAMES, rows_text
from runners.cli import Arguments
from runners.programs.answer import Answer, lines

_MEANINGLESS = {"rows": ("curve", "table"), "curve": ("table", "column", "inert", "seed")}
"""An option to those that say something about another form."""


def run(arguments: Arguments) -> Answer:
    """Import the rows, name those without a result, and write the page."""
    path = Path(arguments.file)
    _refuse_contradictions(arguments)
    published = _read(path, arguments)
    study = Study(Path(arguments.study or f"studies/{path.stem}"))
    store(published, study, arguments.inert)
    page = write_page(study)
    taken = published.seeds if not arguments.seed else ()
    text = lines(
        f"{len(published.rows)} {'points' if published.curve else 'rows'} imported into {study.folder}",
        _taken_as_seeds(published) if taken else "",
        _left_out(published) if published.without else "",
        page,
    )
    facts = {
        "study": study.folder,
        "rows": len(published.rows),
        "response": published.response,
        "taken_as_seeds": taken,
        "without_result": [{"index": row.index, "text": row.text} for row in published.without],
        "files": [study.page_path.with_suffix(suffix) for suffix in (".html", ".md")],
    }
    return Answer(facts, text)


def _taken_as_seeds(published: Published) -> str:
    names = " and ".join(map(repr, published.seeds))
    if len(published.seeds) > 1:
        return (
            f"columns {names} are taken as the seed of each row, and are no factors; `--seed none` makes them factors"
        )
    return f"column {names} is taken as the seed of each row, and is no factor; `--seed none` makes it one"


def _left_out(published: Published) -> str:
    if published.curve:
        names = first_of([f"{row.index} ({row.text})" for row in published.without], MOST_NAMES)
        return f"left out, because {published.response} is not finite: {published.curve} {one_line(names)}"
    return rows_text(len(published.rows), published.response, published.without, one_line)


def _read(path: Path, arguments: Arguments) -> Published:
    if arguments.curve is not None:
        return read_log(path, arguments.curve, arguments.response, arguments.score)
    if arguments.rows is not None:
        return read_notes(path, _layout(arguments))
    return read_table(path, arguments.response, arguments.score, arguments.table, arguments.seed)


def _layout(arguments: Arguments) -> Layout:
    response, result = arguments.response or RESPONSE, None
    if "=" in response:
        response, result = named_pattern("--response", response)
    return Layout(
        row=compiled("--rows", arguments.rows),
        columns=named_patterns("--column", arguments.column),
        response=response,
        result=result,
        scores=named_patterns("--score", arguments.score),
        seeds=_patterns_of_seeds(arguments.seed),
    )


def _patterns_of_seeds(texts: Sequence[str]) -> Patterns | None:
    if not texts:
        return None
    return {} if texts == [NONE] else named_patterns("--seed", texts)


def _refuse_contradictions(arguments: Arguments) -> None:
    for option, others in _MEANINGLESS.items():
        for other in others:
            if getattr(arguments, option) is not None and getattr(arguments, other) not in (None, []):
                raise RequestError(f"--{other} has no meaning beside --{option}")
    if arguments.column and arguments.rows is None:
        raise RequestError("--column reads notes, and needs --rows REGEX too, which says what lines are experiments")
