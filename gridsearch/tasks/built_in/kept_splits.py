"""The rows of a built-in task in the cache folder: reading thousands of source files takes some seconds, once."""

from collections.abc import Callable, Mapping
from typing import Any

from gridsearch.cache import cache_folder, keep, kept
from gridsearch.canonical import fingerprint
from gridsearch.tasks.task import Split

READING_RULE = 4
"""Raise it whenever a change could change a row of a task, or how rows are kept: it is part of the cache's key."""


def kept_splits(task: str, versions: Mapping[str, str], choose: Callable[[], list[Split]]) -> list[Split]:
    """Return a task's splits as they are kept for these versions of the libraries; else choose and keep them."""
    path = cache_folder() / "tasks" / f"{task}-{fingerprint([READING_RULE, dict(versions)])}.json"
    if (known := kept(path)) is not None:
        return [_split(one) for one in known]
    splits = choose()
    keep(path, [{"texts": one.texts, "labels": one.labels, "pairs": one.pairs} for one in splits])
    return splits


def _split(one: Mapping[str, Any]) -> Split:
    others = (None if one[name] is None else tuple(one[name]) for name in ("labels", "pairs"))
    return Split(tuple(one["texts"]), *others)
