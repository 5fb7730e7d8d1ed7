"""Where results come from: versions, machine, commit, command."""

import os
import platform
import socket
import subprocess
from pathlib import Path

import gridsearch
from gridsearch.installed import installed_version
from gridsearch.withheld import without_secrets
from runners.machine import gpu_names, processor

LIBRARIES = ("torch", "transformers", "ray", "optuna", "pandas", "numpy", "scikit-learn")

ONLY_FOLDS = "only_folds"
"""What the folds are kept under that a sweep was asked for, where it was not all of them."""


def describe_run(command: list[str], runner: str) -> dict[str, object]:
    """Gather what a page has to tell about the circumstances of its numbers."""
    return {
        "gridsearch": gridsearch.__version__,
        "commit": code_commit(),
        "python": platform.python_version(),
        "versions": versions(),
        "host": socket.gethostname(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpus": list(gpu_names()),
        "runner": runner,
        "command": [without_secrets(word) for word in command],
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are installed: a sweep runs without Ray and Optuna."""
    return {name: found for name in LIBRARIES if (found := installed_version(name))}


def code_commit() -> str:
    """Return the git commit of this code, with "+" behind it when files differ; empty when it is not a checkout."""
    folder = Path(gridsearch.__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        # A virtual environment inside somebody else's repository is not this code's history.
        if not commit or not git("ls-files", "__init__.py"):
            return ""
        return commit + ("+" if git("status", "--porcelain", "--", ".") else "")
    except FileNotFoundError:
        return ""
