"""The rows of a built-in task in the cache folder: reading thousands of source files takes some seconds, once."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from gridsearch.cache import cache_folder, keep
from gridsearch.canonical import fingerprint
from gridsearch.tasks.task import Split

READING_RULE = 3
"""Raise it whenever a change in this folder could change a row of a task: it is part of the cache's key."""


def kept_splits(task: str, versions: Mapping[str, str], choose: Callable[[], list[Split]]) -> list[Split]:
    """Return a task's splits as they are kept for these versions of the libraries; else choose and keep them."""
    path = cache_folder() / "tasks" / f"{task}-{fingerprint([READING_RULE, dict(versions)])}.json"
    splits = _read(path)
    if splits is None:
        splits = choose()
        content = [{"texts": one.texts, "labels": one.labels, "pairs": one.pairs} for one in splits]
        keep(path, json.dumps(content, ensure_ascii=False))
    return splits


def _read(path: Path) -> list[Split] | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return [
        Split(tuple(one["texts"]), *(None if one[name] is None else tuple(one[name]) for name in ("labels", "pairs")))
        for one in kept
    ]
