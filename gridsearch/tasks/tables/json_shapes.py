"""One JSON object that holds all rows of a table: the shapes that pandas and others write."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError

Row = dict[str, Any]
AS_RECORDS = "write the rows as an array of objects (pandas: orient='records')"


def rows_of_object(path: Path, whole: Mapping[str, Any]) -> list[Any] | None:
    """Return the rows that an object holds, None where it is one row itself.

    Known: an array of objects under a name, whatever stands beside it; ``columns`` and ``data``, as pandas' split;
    names of columns to arrays, or to objects by the same row names, as pandas' default; row names to objects.

    Raises:
        RequestError: several arrays of objects, columns of different lengths, or which are rows and which are columns
            cannot be told.
    """
    arrays = {name: value for name, value in whole.items() if _are(dict, value)}
    if len(arrays) == 1:
        return list(*arrays.values())
    if arrays:
        rule = f"{path} holds several tables, {', '.join(arrays)}"
        raise RequestError(f"{rule}: save the one that is meant as a file of its own")
    if _are(str, whole.get("columns")) and _are(list, whole.get("data")):
        return _of_arrays(path, whole["columns"], whole["data"])
    values = list(whole.values())
    if values and all(isinstance(value, list) for value in values):
        if len({len(value) for value in values}) > 1:
            lengths = ", ".join(f"{name} {len(value)}" for name, value in whole.items())
            raise RequestError(f"{path}: columns have as many values as there are rows, but here {lengths}")
        return [dict(zip(whole, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(value, dict) for value in values):
        return _of_objects(path, whole)
    return None


def _are(kind: type, value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, kind) for item in value)


def _of_arrays(path: Path, names: Sequence[str], data: Sequence[Sequence[Any]]) -> list[Row]:
    for row, values in enumerate(data, 1):
        if len(values) != len(names):
            raise RequestError(f"{path} row {row} has {len(values)} values, but there are {len(names)} columns")
    return [dict(zip(names, values, strict=True)) for values in data]


def _of_objects(path: Path, whole: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Tell columns of rows from rows of columns: rows are counted, columns are called."""
    outer, inner = list(whole), list(dict.fromkeys(name for value in whole.values() for name in value))
    if any(isinstance(item, dict | list) for value in whole.values() for item in value.values()):
        raise RequestError(f"{path} is objects within objects: {AS_RECORDS}")
    if _are_counted(inner) and not _are_counted(outer):
        return [{name: whole[name].get(row) for name in outer} for row in inner]
    if _are_counted(outer) and not _are_counted(inner):
        return [dict(value) for value in whole.values()]
    rule = f"{path} is an object of objects, of which it does not show whether they are rows or columns"
    raise RequestError(f"{rule}: {AS_RECORDS}")


def _are_counted(names: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[0-9]+", name) for name in names)
