"""Installed packages, and those that a sweep runs without."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

NOT_NEEDED: Final = {"ray": "'ray[tune]'", "optuna": "optuna"}
"""Packages that the core and a sweep in processes run without -> how a shell asks pip for each."""


def installed_version(name: str) -> str:
    """Return the version of an installed package; empty where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
