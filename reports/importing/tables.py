"""A table in a Markdown or CSV file: one row an experiment, its factors, its result and what else was measured."""

from collections.abc import Sequence
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.tasks.tables.delimited import separated_rows
from gridsearch.tasks.tables.folders import holds_table
from gridsearch.tasks.tables.formats import TYPED, format_of_name
from gridsearch.tasks.tables.read import read_unknown
from gridsearch.tasks.tables.text import read_document
from reports.formats.markdown import NOT_LEARNED_MARK
from reports.importing.imported import RESPONSE, Published
from reports.importing.markdown_tables import Rows, markdown_tables, title_of
from reports.importing.seed_columns import seed_columns
from reports.importing.trackers import rows_of, tracked
from reports.study.published_value import PublishedValue, published_value
from reports.study.view import Observation, RowWithout

INDEX_NAMES = frozenset({"index", "#", "no", "no.", "nr", "id", "row", "编号", "序号"})
"""A first column with such a name counts the rows, and is no factor."""
OF_DATA = TYPED | {"json", "jsonl"}
"""Formats that hold one table, and are read as data are."""
RESPONSES = (RESPONSE, "结果")
"""What our own pages call the column with the results, in each language."""


def read_table(
    path: Path,
    response: str | None,
    scores: Sequence[str] = (),
    number: int | None = None,
    seeds: Sequence[str] = (),
) -> Published:
    """Read a table that is a file (CSV, Excel, JSON, Parquet, Arrow), or a table of a Markdown file.

    Of several in a file: the ``number``-th, or the first with the response column. What trackers keep is a table, too:
    see trackers.py.

    By default that is the column "result" (or "结果"), and where no table has one the last column of the first.
    ``seeds`` are columns that tell the seed of a row, by default those with such a name.

    Labels stay the text that they are. Raises RequestError where there is no such table or column, for a row of another
    length than the header's, and where it is not clear which number a result or a score is.
    """
    found = tracked(path, number)
    if found is None:
        title, (header, *body) = _lines(path, response, number)
    else:
        title, (header, *body) = found.title, rows_of(found, response, scores, path)
    response = _checked_response(header, response if found is None else header[-1], path)
    is_index = header[0].casefold() in INDEX_NAMES and header[0] not in (response, *seeds)
    index = header[0] if is_index else ""
    others = _without_scores([name for name in header if name not in (index, response)], scores, path)
    repeated = seed_columns(seeds, others, response, scores)
    factors = _factors(others, repeated, response, path)
    rows: list[Observation] = []
    without: list[RowWithout] = []
    for place, cells in enumerate(body, start=1):
        where = f"{path}: row {place}"
        if len(cells) != len(header):
            raise RequestError(f"{where} must have {len(header)} cells as the header, but has {len(cells)}")
        row = dict(zip(header, cells, strict=True))
        name = row[index] if index else str(place)
        result = value_of(row[response], f"{where}: {response}")
        if result.number is None:
            without.append(RowWithout(name, "" if index else row[factors[0]], result.text))
            continue
        texts = {score: value_of(row[score], f"{where}: {score}").text for score in scores}
        levels, which = ({one: row[one] for one in several} for several in (factors, repeated))
        rows.append(Observation(name, levels, result.number, result.text, texts, which))
    if not rows:
        raise RequestError(f"{path}: no row of the table has a number in column {response!r}")
    return Published(
        title=title,
        source=path.name,
        form="table",
        columns=(*([index] if index else []), *factors, *repeated, *scores, response),
        index_column=index,
        response=response,
        scores=tuple(scores),
        rows=tuple(rows),
        without=tuple(without),
        seeds=repeated,
    )


def _lines(path: Path, response: str | None, number: int | None) -> tuple[str, Rows]:
    """Read the title and the cells of the table that is asked for."""
    if path.is_dir() and not holds_table(path):
        raise RequestError(f"{path} is a folder with neither runs of transformers' Trainer nor a table: name a file")
    if path.is_dir() or format_of_name(path) in OF_DATA:
        rows: Rows | None = _of_data(path)
    else:
        text = read_document(path)
        rows = separated_rows(path, text)
    if rows is None:
        return title_of(text) or path.stem, _choose(markdown_tables(text), response, number, path)
    if number is not None:
        raise RequestError(f"--table chooses among the tables of a Markdown file, but {path} is a single one")
    return path.stem, rows


def _of_data(path: Path) -> Rows:
    """Read a workbook, JSON, Parquet or Arrow as `init` reads data; nested values are columns (``config.lr``)."""
    table = read_unknown(path, header=True)
    return [list(table.names), *(list(row) for row in zip(*table.values, strict=True))]


def value_of(text: str, where: str) -> PublishedValue:
    """Read a number with its remark; what decorates it (stars, bold, the mark †) is taken off."""
    text = text.strip(f"*_`{NOT_LEARNED_MARK} ")
    try:
        return published_value(text)
    except ValueError:
        raise RequestError(f"{where} must be a number, with a remark behind it or without, but is {text!r}") from None


def _without_scores(others: Sequence[str], scores: Sequence[str], path: Path) -> list[str]:
    for place, name in enumerate(scores):
        if name not in others:
            raise RequestError(f"{path}: --score: {one_of('column', name, others)}")
        if name in scores[:place]:
            raise RequestError(f"--score names column {name!r} twice")
    return [name for name in others if name not in scores]


def _factors(others: Sequence[str], repeated: Sequence[str], response: str, path: Path) -> list[str]:
    found = [name for name in others if name not in repeated]
    if not found:
        besides = ", ".join(map(repr, (*repeated, response)))
        raise RequestError(f"{path}: besides {besides} the table needs a column to compare, but has none")
    return found


def _checked_response(header: Sequence[str], response: str | None, path: Path) -> str:
    for name in header:
        if not name or list(header).count(name) > 1:
            raise RequestError(f"{path}: columns need names that differ, but are {', '.join(map(repr, header))}")
    if response is None:
        return next((name for name in RESPONSES if name in header), header[-1])
    if response not in header:
        raise RequestError(f"{path}: {one_of('column', response, list(header))}")
    return response


def _choose(tables: list[Rows], response: str | None, number: int | None, path: Path) -> Rows:
    if not tables:
        raise RequestError(
            f"there is no table in {path}: a Markdown table has a line such as |---|---| below its header"
        )
    if number is not None:
        if not 1 <= number <= len(tables):
            raise RequestError(f"--table must be between 1 and {len(tables)}, the tables of {path}, but is {number}")
        return tables[number - 1]
    wanted = RESPONSES if response is None else (response,)
    for table in tables:
        if any(name in table[0] for name in wanted):
            return table
    if response is None:
        return tables[0]
    known = dict.fromkeys(name for table in tables for name in table[0] if name)
    raise RequestError(f"{path}: {one_of('column', response, list(known))}")
