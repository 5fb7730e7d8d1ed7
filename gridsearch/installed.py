"""Installed packages, and those that a sweep runs without."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from gridsearch.errors import RequestError

NOT_NEEDED: Final = {"ray": "'ray[tune]'", "optuna": "optuna"}
"""Packages that the core and a sweep in processes run without -> how a shell asks pip for each."""


def installed_version(name: str) -> str:
    """Return the version of an installed package; empty where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def needed(module: str, what: str, package: str = "") -> Any:
    """Import a package that only some need. Raises RequestError where it is not installed.

    ``what`` needs it, in the words of a sentence; ``package`` is how a shell asks pip for it, where that is not the
    module's name.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise RequestError(f"{what} is a package of its own: pip install {package or module}") from None
