"""One command under watch: it must end by itself, with an exit code and a sentence, and leave nothing half done."""

import contextlib
import hashlib
import io
import os
import re
import resource
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from runners.cli import main
from runners.endings.codes import EXIT_DONE, EXIT_INCOMPLETE, EXIT_WRONG_REQUEST
from runners.endings.reasons import NO_MEMORY

LIMIT_SECONDS = 60
"""Of a command that takes a fraction of a second: on a busy machine, too, this is no slowness."""
LIMIT_BYTES = 6 * 2**30
"""Of address space, beyond what the process has by now."""
LONGEST_SENTENCE = 3000
"""The names of all knobs are 1,800 letters."""
_OF_PYTHON = re.compile(
    r"Traceback|<class '|<[\w.]+ object at 0x|NoneType|unhashable|has no attribute|unexpected keyword|positional arg"
    r"|subscriptable|KeyError|ValueError|TypeError|list index|could not convert|codec can't|invalid literal"
)
"""Words of an exception, which say nothing to whoever wrote a file."""


class Endless(BaseException):
    """A command that did not end."""


def wrong_of(words: Sequence[str]) -> str:
    """Run a command in the working folder; return what is wrong about how it ended, empty where nothing is."""
    before = _files()
    try:
        code, told = _ended(words)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"raised {type(error).__name__}: {error}"
    if code in (EXIT_DONE, *([EXIT_INCOMPLETE] if words[0] == "verify" else [])):
        return "a traceback on stderr" if "Traceback" in told else ""
    if code != EXIT_WRONG_REQUEST:
        return f"exit code {code}: {told[-600:]}"
    return _wrong_sentence(words[0], told) or _wrong_files(before)


def _ended(words: Sequence[str]) -> tuple[int, str]:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _limits():
        try:
            code = main(words)
        except SystemExit as said:  # the parser's
            code = int(said.code or 0)
    err.flush()
    told = err.buffer.getvalue().decode("utf-8")
    return code, told


@contextlib.contextmanager
def _limits() -> Iterator[None]:
    def end(number: int, frame: object) -> None:
        raise Endless(f"no end after {LIMIT_SECONDS} s")

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, hard = before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + LIMIT_BYTES, hard))
    known = signal.signal(signal.SIGALRM, end)
    signal.alarm(LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, known)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _wrong_sentence(command: str, told: str) -> str:
    lines = told.splitlines()
    if told.startswith("usage: "):  # the parser shows how the command is called first
        lines = [line for line in lines if line.startswith("gridsearch")]
    elif command in ("predict", "ensemble"):  # their remarks go there, too
        lines = lines[-1:]
    if len(lines) != 1 or not re.match(rf"gridsearch( {re.escape(command)})?: .", lines[0]):
        return f"not one sentence: {told[:800]!r}"
    (line,) = lines
    if NO_MEMORY in line:
        return "all memory taken"
    if len(line) > LONGEST_SENTENCE:
        return f"a sentence of {len(line)} letters: {line[:200]!r}"
    if not line.isprintable():
        return f"letters that a terminal does not show: {line[:400]!r}"
    if found := _OF_PYTHON.search(line):
        return f"{found[0]!r} in the sentence: {line[:400]!r}"
    return ""


def _files() -> dict[str, str]:
    found = {}
    for folder, _, names in os.walk("."):
        found[folder] = ""
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                if name == "driver.lock":  # it says who looked last
                    continue
                found[str(path)] = hashlib.sha256(_held(path)).hexdigest()
    return found


def _held(path: Path) -> bytes:
    """Return what a file holds; of a ledger all rows, for whoever only asks to write leaves other bytes."""
    if path.suffix == ".sqlite":
        with contextlib.suppress(sqlite3.Error, UnicodeError), contextlib.closing(sqlite3.connect(path)) as connection:
            return "\n".join(connection.iterdump()).encode("utf-8", "surrogatepass")
    return path.read_bytes()


def _wrong_files(before: dict[str, str]) -> str:
    after = _files()
    if before == after:
        return ""
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return f"exit code 2, but other files than before: {changed[:5]}"


if __name__ == "__main__":
    sys.exit(wrong_of(sys.argv[1:]))
