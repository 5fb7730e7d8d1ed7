"""The log of a training: what the Hugging Face Trainer prints or saves, JSON lines, or CSV."""

import ast
import contextlib
import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError, one_of
from gridsearch.tasks.tables.delimited import separated_rows
from gridsearch.tasks.tables.text import read_document
from reports.importing.imported import Published
from reports.importing.tables import value_of
from reports.study.view import Observation, RowWithout

LOSS = "loss"
"""What the Trainer calls the training loss."""
# A progress bar may stand on the same line.
_PRINTED = re.compile(r"\{[^{}]*\}")
# No literal spells them, but a training that diverges prints them.
_NOT_FINITE = re.compile(r"(?<=[:\s])[+-]?(?:nan|inf)(?=\s*[,}])")

_NO_LITERAL = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)

Entry = Mapping[str, Any]


def read_log(path: Path, curve: str, response: str | None, scores: Sequence[str] = ()) -> Published:
    """Read the points of a curve: entries with a number for ``curve``, such as "epoch", and one for the response.

    Where a log goes back, because the training was resumed or begun anew, what was logged again replaces all that had
    been logged from there on. Raises RequestError where there are no two points, and for names that no entry has.
    """
    response = response or LOSS
    names = (curve, *scores, response)
    if len(set(names)) < len(names):
        raise RequestError(f"columns need names that differ, but are {', '.join(map(repr, names))}")
    entries = list(_entries(path))
    known = list(dict.fromkeys(name for entry in entries for name in entry))
    for name in names:
        if name not in known:
            raise RequestError(f"{path}: {one_of('name in the log', name, known)}")
    rows: list[Observation] = []
    without: list[RowWithout] = []
    went_back: list[tuple[str, str]] = []
    for entry in entries:
        place, value = _number(entry.get(curve)), _number(entry.get(response))
        if place is None or not math.isfinite(place) or value is None:
            continue
        index, text = _text(entry[curve]), _text(entry[response])
        if rows and place < float(rows[-1].index):
            went_back.append((rows[-1].index, index))
            rows = [row for row in rows if float(row.index) < place]
        if not math.isfinite(value):
            without.append(RowWithout(index, "", text))
            continue
        texts = {name: value_of(_text(entry.get(name)), f"{path}: {curve} {index}: {name}").text for name in scores}
        rows.append(Observation(index, {}, value, text, texts))
    if len(rows) < 2:
        raise RequestError(f"{path}: a curve needs two entries with finite {curve} and {response}, but has {len(rows)}")
    return Published(
        title=f"{path.stem}: {response}",
        source=path.name,
        form="log",
        columns=names,
        index_column=curve,
        response=response,
        scores=tuple(scores),
        rows=tuple(rows),
        without=tuple(without),
        curve=curve,
        went_back=tuple(went_back),
    )


def _entries(path: Path) -> Iterator[Entry]:
    """Yield what was logged. Raises RequestError where nothing was."""
    text = read_document(path)
    if (rows := separated_rows(path, text)) is not None:
        found: list[Entry] = [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
    else:
        found = _saved(text) or [entry for line in text.split("\n") for entry in _printed(line)]
    if not found:
        raise RequestError(f"there is no log in {path}: an entry is a line such as {{'loss': 0.5, 'epoch': 1.0}}")
    yield from found


def _saved(text: str) -> list[Entry]:
    """Read the entries of a JSON file, the Trainer's own state among them; none where it is not JSON."""
    found = _json(text)
    if isinstance(found, dict):
        found = found.get("log_history", [found])
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _printed(line: str) -> Iterator[Entry]:
    """Find the entries in a line: JSON, or Python's literals. Nothing is evaluated."""
    if isinstance(whole := _json(line), dict):
        yield whole
        return
    for found in _PRINTED.finditer(line):
        with contextlib.suppress(*_NO_LITERAL), warnings.catch_warnings(action="ignore"):
            entry = ast.literal_eval(_NOT_FINITE.sub(r"'\g<0>'", found[0]))
            if isinstance(entry, dict):
                yield {str(name): value for name, value in entry.items()}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(value: Any) -> float | None:
    """Return the number that it is or spells: newer Trainers print numbers as texts."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
