"""The versions that a study's results were computed under: with several of them, cells may differ by that, too."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

WHAT_ONLY_DRIVES: Final = ("ray", "optuna")
"""Packages that carry jobs about and compute nothing of a result."""

Versions = Mapping[str, tuple[str, ...]]
"""Package, Python or gridsearch itself to its versions, in order of time."""


def versions_in(contents: Iterable[Mapping[str, Any]]) -> Versions:
    """Return all versions in what starts of a driver wrote down of their circumstances."""
    found: dict[str, dict[str, None]] = {}
    for content in contents:
        own = {"gridsearch": content.get("gridsearch"), "Python": content.get("python")}
        for name, version in {**own, **content.get("versions", {})}.items():
            if version and name not in WHAT_ONLY_DRIVES:
                found.setdefault(name, {})[str(version)] = None
    return {name: tuple(versions) for name, versions in found.items()}


def with_several(versions: Versions) -> Versions:
    """Keep what has more than one version."""
    return {name: known for name, known in versions.items() if len(known) > 1}


def contents_of_results(connection: sqlite3.Connection) -> list[Mapping[str, Any]]:
    """Read the circumstances of all starts of a driver that finished, or pruned, a trial or made an encoder."""
    of_trials = "SELECT provenance FROM attempts WHERE state IN ('finished', 'pruned')"
    of_stages = "SELECT provenance FROM stage_attempts WHERE state = 'finished'"
    query = f"SELECT content FROM provenance WHERE id IN ({of_trials} UNION {of_stages}) ORDER BY id"
    return [json.loads(row[0]) for row in connection.execute(query)]


def caution_of(versions: Versions) -> str:
    """Say that there is more than one version of something; empty where there is not.

    >>> caution_of({"torch": ("2.12.0", "2.13.0"), "numpy": ("2.3",)})
    'results were computed under several versions (torch 2.12.0, 2.13.0): cells may differ by that, too'
    """
    told = "; ".join(f"{name} {', '.join(known)}" for name, known in with_several(versions).items())
    return f"results were computed under several versions ({told}): cells may differ by that, too" if told else ""


def caution_about(connection: sqlite3.Connection, *under_way: Mapping[str, Any]) -> str:
    """Return the caution on a study's results and on those to come: ``under_way`` are the circumstances of a start."""
    return caution_of(versions_in([*contents_of_results(connection), *under_way]))
