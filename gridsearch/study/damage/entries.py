"""Rows, entries and arrays of a ledger that gridsearch would not have written, by what they say."""

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from gridsearch.errors import DamagedError, RequestError, first_line
from gridsearch.space.factor import ROW
from gridsearch.study.manifest import Manifest, TableManifest, TrialsManifest, read_manifest
from gridsearch.study.row_scores import ROW_SCORES, RowScore, read_row_scores
from gridsearch.study.rows import read_recipe
from gridsearch.study.stages import read_stage
from gridsearch.study.stored_logits import bytes_array

_ANYTHING: Final = TypeAdapter(Any)
_METRICS: Final = TypeAdapter(dict[str, float])
_OBJECT: Final = TypeAdapter(dict[str, Any])
_LABELS: Final = TypeAdapter(dict[str, str])
_JSON: Final[Mapping[tuple[str, str], TypeAdapter[Any]]] = {
    ("cells", "levels"): _LABELS,
    ("cells", "recipe"): _OBJECT,
    ("cells", "dead"): _LABELS,
    ("excluded", "levels"): _LABELS,
    ("trials", "recipe"): _OBJECT,
    ("stages", "recipe"): _OBJECT,
    ("provenance", "content"): _OBJECT,
    ("attempts", "resources"): _OBJECT,
    ("stage_attempts", "resources"): _OBJECT,
    ("epochs", "dev"): TypeAdapter(dict[str, dict[str, float]]),
    ("outcomes", "dev"): _METRICS,
    ("outcomes", "test"): _METRICS,
    ("outcomes", "train"): _METRICS,
    ("yardsticks", "dev"): _METRICS,
    ("yardsticks", "test"): _METRICS,
    ("observations", "levels"): _LABELS,
}
"""What the texts of these columns hold; a column that may be NULL holds nothing then."""
_ARRAYS: Final = (
    ("logits", "data", 2),
    ("labels", "labels", 0),
    ("folds", "fold_of_row", 1),
    ("dev_rows", "row_numbers", 1),
)
"""Tables, their columns of .npy bytes, and how many dimensions those have; 0 where that is left open."""


def wrong_entries(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the rows and entries that gridsearch would not have written, of a ledger whose tables and arrays are whole.

    Whoever takes the second has seen the first: what comes later relies on what came before.
    """
    yield from _of_values(connection)
    manifest = yield from _of_manifest(connection)
    if isinstance(manifest, TrialsManifest):
        yield from _of_trials(connection, manifest)
    elif manifest is not None:
        yield from _of_observations(connection, manifest)


def _of_values(connection: sqlite3.Connection) -> Iterator[str]:
    for (table, column), kind in _JSON.items():
        for number, text in connection.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"):
            if told := _told(kind, text):
                yield f"row {number} of its table {table}: {column}{told}"


def damaged_arrays(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the arrays that are not what was written, by their checksums, or are of another kind."""
    for table, column, n_dimensions in _ARRAYS:
        for number, data in connection.execute(f"SELECT rowid, {column} FROM {table}"):
            try:
                array = bytes_array(data)
            except DamagedError as error:
                yield f"row {number} of its table {table}: {column}: {first_line(error)}"
            else:
                if n_dimensions not in (0, array.ndim) or array.dtype.kind not in "fiub":
                    yield f"row {number} of its table {table}: {column} is an array of another kind"


def _told(kind: TypeAdapter[Any], text: str, *, strict: bool = True) -> str:
    """Say what is wrong with a JSON text, behind what it is called; empty where nothing is."""
    try:
        kind.validate_json(text, strict=strict)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        place = "".join(f".{one}" for one in found["loc"])
        return f"{place}: {found['msg'][0].lower()}{found['msg'][1:]}"
    return ""


def _of_manifest(connection: sqlite3.Connection) -> Generator[str, None, Manifest | None]:
    """Yield what is wrong with what the study is bound to; return it, or None where nothing is planned."""
    entries: dict[str, Any] = {}
    for key, text in connection.execute("SELECT key, value FROM study"):
        if told := _told(_ANYTHING, text):
            yield f"its entry {key}{told}"
        entries[key] = json.loads(text)
    if not entries:
        return None
    manifest = read_manifest(entries)
    scores = [asdict(one) for one in read_row_scores(entries.get(ROW_SCORES))]
    for what, kind, found in (
        ("what it is bound to", TypeAdapter(type(manifest)), asdict(manifest)),
        ("its scores of rows", TypeAdapter(tuple[RowScore, ...]), scores),
    ):
        if told := _told(kind, json.dumps(found)):
            yield f"{what}{told}"
    return manifest


def _of_trials(connection: sqlite3.Connection, manifest: TrialsManifest) -> Iterator[str]:
    for name, entry in manifest.task.by_part.items():
        if entry.positive_label is not None and entry.positive_label not in entry.label_names:
            yield f"the positive label {entry.positive_label!r} of {name} is none of its labels"
    if (own := manifest.task.own_metric) is not None and own.name != manifest.target.name:
        yield f"the metric is {manifest.target.name!r}, and the function that judges is {own.name!r}"
    for row in connection.execute("SELECT id, recipe FROM trials UNION ALL SELECT position, recipe FROM cells"):
        try:
            read_recipe(row["recipe"], str(row["id"]))
        except RequestError as error:
            yield first_line(error)
    for row in connection.execute("SELECT * FROM stages"):
        try:
            read_stage(row)
        except (RequestError, ValueError, TypeError) as error:
            yield f"the pretraining {row['id'][:8]} cannot be read ({first_line(error)})"
    yield from _of_cells(connection, manifest)
    yield from _of_outcomes(connection, manifest)


def _of_cells(connection: sqlite3.Connection, manifest: TrialsManifest) -> Iterator[str]:
    levels = {factor.name: factor.levels for factor in manifest.factors}
    for factor in manifest.factors:
        if factor.baseline not in factor.levels:
            yield f"factor {factor.name} has no level {factor.baseline!r}, its baseline"
    rows = connection.execute("SELECT position, levels FROM cells").fetchall()
    for row in rows:
        own = json.loads(row["levels"])
        own.pop(ROW, None)
        for name, label in own.items():
            if label not in levels.get(name, ()):
                yield f"cell {row['position']} has level {label!r} of {name!r}, which is none of its factors'"
        if lacking := levels.keys() - own.keys():
            yield f"cell {row['position']} has no level of {min(lacking)!r}"
    if [row["position"] for row in rows] != list(range(1, len(rows) + 1)):
        yield "some of its cells are missing"
    query = "SELECT position FROM cells WHERE position NOT IN (SELECT position FROM cell_trials)"
    for row in connection.execute(query):
        yield f"cell {row['position']} has no trial"


def _of_outcomes(connection: sqlite3.Connection, manifest: TrialsManifest) -> Iterator[str]:
    parts = {one.part: one for one in manifest.parts}
    for row in connection.execute("SELECT id, trial, chosen_epoch FROM attempts WHERE state = 'finished'"):
        who = f"finished attempt {row['id']}"
        found = {
            one["part"]: one for one in connection.execute("SELECT * FROM outcomes WHERE attempt = ?", (row["id"],))
        }
        if found.keys() != parts.keys():
            yield f"{who} has no outcome of {', '.join(sorted(parts.keys() ^ found.keys()))}"
            continue
        for part, one in found.items():
            for split in ("dev", "test", "train"):
                if one[split] is not None and parts[part].metric not in json.loads(one[split]):
                    yield f"{who}: its outcome on {split} lacks {parts[part].name}"
        numbers = [
            n for (n,) in connection.execute("SELECT number FROM epochs WHERE attempt = ? ORDER BY 1", (row["id"],))
        ]
        if numbers != list(range(1, len(numbers) + 1)) or row["chosen_epoch"] not in numbers:
            yield f"{who} lacks some of its epochs"
    yield from _of_shapes(connection, manifest)


def _of_shapes(connection: sqlite3.Connection, manifest: TrialsManifest) -> Iterator[str]:
    """Tell of logits that are not of as many labels as the task has, or begin with more rows than it has labels of."""
    by_part, n_rows = manifest.task.by_part, {}
    for row in connection.execute("SELECT part, split, labels FROM labels"):
        n_rows[row["part"], row["split"]] = len(bytes_array(row["labels"]))
    for row in connection.execute("SELECT rowid AS number, part, split, data FROM logits"):
        entry, shape = by_part.get(row["part"]), bytes_array(row["data"]).shape
        where = f"row {row['number']} of its table logits"
        if entry is None:
            yield f"{where} is of a part that the task has not: {row['part']!r}"
        elif shape[1] != max(1, len(entry.label_names)):
            yield f"{where} has {shape[1]} columns, not one a label"
        elif shape[0] > n_rows.get((row["part"], row["split"]), shape[0]):
            yield f"{where} has more rows than the task has on {row['split']}"


def _of_observations(connection: sqlite3.Connection, manifest: TableManifest) -> Iterator[str]:
    n_rows = connection.execute("SELECT count(*) FROM observations").fetchone()[0]
    rows = manifest.rows
    for name, column in (
        ("index", rows.index),
        ("response", rows.response),
        ("scores", rows.scores),
        ("seeds", rows.seeds),
    ):
        if len(column) != n_rows and not (name in ("scores", "seeds") and not column):
            yield f"it holds {n_rows} rows, and {len(column)} of {name}"
    told = {manifest.response, manifest.index_column, *manifest.scores, *manifest.seeds}
    told |= {factor.column for factor in manifest.factors}
    if unknown := set(manifest.columns) - told - {getattr(manifest, "curve", "")}:
        yield f"its column {min(unknown)!r} holds nothing that is known"
    if any(set(one) != set(manifest.scores) for one in rows.scores):
        yield "some of its rows lack a score"
    names = {factor.name: factor.levels for factor in manifest.factors}
    for row in connection.execute("SELECT position, levels FROM observations"):
        own = json.loads(row["levels"])
        for name, levels in names.items():
            if own.get(name) not in levels:
                yield f"row {row['position']} has no level of {name!r}"
