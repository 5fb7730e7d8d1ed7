"""An error of gridsearch's own: its traceback goes to a file, and the user is told how to report it."""

import contextlib
import os
import platform
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import gridsearch
from gridsearch.errors import first_line
from gridsearch.whole_file import whole_file
from gridsearch.withheld import without_secrets


def told_internal_error(error: BaseException, study: Path | None) -> str:
    """Write the traceback beside the study, or where temporary files go; return one sentence that names the file."""
    what = f"an error in gridsearch itself: {type(error).__name__}: {first_line(error)}"
    file = _write(_report(error), study)
    if file is None:
        *_, last = traceback.extract_tb(error.__traceback__)
        return f"{what} ({last.filename}:{last.lineno}); its traceback could not be written anywhere: please report it"
    return f"{what}; please report it with {shlex.quote(str(file))} and what `gridsearch doctor --json` prints"


def _report(error: BaseException) -> str:
    lines = [
        f"gridsearch {gridsearch.__version__}, Python {platform.python_version()}, {platform.platform()}",
        time.strftime("%Y-%m-%d %H:%M:%S %z"),
        shlex.join(sys.argv),
        "",
        *traceback.format_exception(error),
    ]
    return without_secrets("\n".join(lines))


def _write(text: str, study: Path | None) -> Path | None:
    """Write a file in the first folder that takes one; None where none does."""
    name = f"gridsearch-error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in _folders(study):
        with contextlib.suppress(OSError):
            file = folder / name
            with whole_file(file) as draft:
                draft.write_text(text, encoding="utf-8", errors="backslashreplace")
            return file
    return None


def _folders(study: Path | None) -> Iterator[Path]:
    if study is not None and study.is_dir():
        yield study
    with contextlib.suppress(OSError):  # none can be written
        yield Path(tempfile.gettempdir())
