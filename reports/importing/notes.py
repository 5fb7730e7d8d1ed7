"""Free notes, one experiment a line: patterns say which lines are rows, and what in a line is a level."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.space.factor import ROW
from gridsearch.tasks.tables.text import read_document
from reports.importing.imported import RESPONSE, Published
from reports.importing.markdown_tables import title_of
from reports.importing.seed_columns import seed_columns
from reports.importing.tables import value_of
from reports.study.view import Observation, RowWithout

PRESENT, ABSENT, MISSING = "yes", "no", "-"
"""Levels of a pattern without a group; and the level of one with a group, in a line in which it does not occur."""
# A number that stands alone. In words and names, such as check-point-30000, there is none.
_NUMBER = re.compile(r"(?<![0-9A-Za-z_.。．+-])[+-]?\.?[0-9][0-9.。．]*")

Patterns = dict[str, re.Pattern[str]]
"""The name of a column to what it takes from a line: the pattern's first group, or whether it occurs."""


@dataclass(frozen=True)
class Layout:
    """How to read a line: ``row`` occurs in those that are experiments, and its first group (or all of it) names them.

    ``result`` is found by its first group (or all of it) too; without it, see :func:`read_notes`. ``seeds`` tell the
    seed of a row; None: those of the columns that are called so.
    """

    row: re.Pattern[str]
    columns: Patterns
    response: str = RESPONSE
    result: re.Pattern[str] | None = None
    scores: Patterns = field(default_factory=dict)
    seeds: Patterns | None = None


def compiled(option: str, regex: str) -> re.Pattern[str]:
    """Compile the pattern of an option. Raises RequestError for one that is wrong."""
    try:
        return re.compile(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise RequestError(f"{option}: {regex!r} is no regular expression: {error}") from None


def named_pattern(option: str, text: str) -> tuple[str, re.Pattern[str]]:
    """Read ``NAME=REGEX``. Raises RequestError."""
    name, _, regex = text.partition("=")
    if not name.strip() or not regex:
        raise RequestError(f"{option} takes NAME=REGEX here, but got {text!r}")
    return name.strip(), compiled(f"{option} {name.strip()}", regex)


def named_patterns(option: str, texts: Iterable[str]) -> Patterns:
    """Read several. Raises RequestError, also for a name that comes twice."""
    found: Patterns = {}
    for text in texts:
        name, regex = named_pattern(option, text)
        if name in found:
            raise RequestError(f"{option} names column {name!r} twice")
        found[name] = regex
    return found


def read_notes(path: Path, layout: Layout) -> Published:
    """Read the lines that are experiments; what stands on the lines between them belongs to none.

    Without a pattern the result is the last number of the line, with what is remarked behind it; where that is a part
    of a column's match, or some other name than the response's is set to it (``seed = 7``), the line has no result.

    Raises RequestError where no line is an experiment or none has a result, for columns with the same name, and where
    it is not clear which number a result or a score is.
    """
    text = read_document(path)
    factors, seeds = _told_apart(layout)
    columns = (ROW, *factors, *seeds, *layout.scores, layout.response)
    if len(set(columns)) < len(columns):
        raise RequestError(f"columns need names that differ, but are {', '.join(map(repr, columns))}")
    if not factors:
        raise RequestError("notes need a column to compare: --column NAME=REGEX, such as attack=(fgm|pgd)")
    lines = [(line, found) for line in text.split("\n") if (found := layout.row.search(line))]
    if not lines:
        raise RequestError(f"{path}: --rows {layout.row.pattern!r} occurs in no line")
    rows: list[Observation] = []
    without: list[RowWithout] = []
    for line, found in lines:
        index = _taken(found).strip()
        where = f"{path}: {index}"
        result = value_of(_result(line, found, layout), f"{where}: {layout.response}")
        if result.number is None:
            without.append(RowWithout(index, "", result.text))
            continue
        levels = {name: _level(regex, line) for name, regex in factors.items()}
        scores = {name: value_of(_first(regex, line), f"{where}: {name}").text for name, regex in layout.scores.items()}
        which = {name: _first(regex, line) for name, regex in seeds.items()}
        rows.append(Observation(index, levels, result.number, result.text, scores, which))
    if not rows:
        raise RequestError(
            f"{path}: no line with --rows {layout.row.pattern!r} ends in a result; --response NAME=REGEX says where it "
            "stands"
        )
    return Published(
        title=title_of(text) or path.stem,
        source=path.name,
        form="notes",
        columns=columns,
        index_column=ROW,
        response=layout.response,
        scores=tuple(layout.scores),
        rows=tuple(rows),
        without=tuple(without),
        seeds=tuple(seeds),
    )


def _told_apart(layout: Layout) -> tuple[Patterns, Patterns]:
    """Return the factors, and what tells the seed of a row."""
    if layout.seeds is not None:
        return layout.columns, layout.seeds
    named = seed_columns([], list(layout.columns), layout.response, layout.scores)
    factors = {name: regex for name, regex in layout.columns.items() if name not in named}
    return factors, {name: layout.columns[name] for name in named}


def _taken(found: re.Match[str]) -> str:
    """The first group that took part; all of the match where there is none."""
    return next((group for group in found.groups() if group is not None), found[0])


def _first(regex: re.Pattern[str], line: str) -> str:
    found = regex.search(line)
    return _taken(found).strip() if found else ""


def _level(regex: re.Pattern[str], line: str) -> str:
    if regex.groups:
        return _first(regex, line) or MISSING
    return PRESENT if regex.search(line) else ABSENT


def _result(line: str, row: re.Match[str], layout: Layout) -> str:
    """The text of the line's result, with the remark behind it; empty without any."""
    if layout.result is not None:
        return _first(layout.result, line)
    numbers = list(_NUMBER.finditer(line))
    if not numbers:
        return ""
    start = numbers[-1].start()
    columns = (layout.columns | (layout.seeds or {})).values()
    taken = [row, *(found for regex in columns if (found := regex.search(line)))]
    before = line[:start].rstrip()
    is_setting = before.endswith("=") and not before[:-1].rstrip().endswith(layout.response)
    if is_setting or any(found.start() <= start < found.end() for found in taken):
        return ""
    return line[start:].strip()
