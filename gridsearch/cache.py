"""Where things lie outside of a study: the cache for what is made once per machine."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return ``$GRIDSEARCH_CACHE``, or ``gridsearch`` below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if chosen := os.environ.get("GRIDSEARCH_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gridsearch"
