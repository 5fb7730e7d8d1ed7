"""Standard output of a command: for people what is printed, for programs (``--json``) one object and nothing else."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runners.programs.answer import Answer

FORMAT: Final = 1
"""Version of what ``--json`` prints: it is raised when a key gets another meaning, or goes. Others may come."""
OPTION: Final = "--json"


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether the words of a command, which may not be understood otherwise, ask for one object."""
    return OPTION in words


def show(command: str | None, answer: Answer, *, as_json: bool) -> None:
    """Print what a command has to say, in the one way or the other."""
    if as_json:
        print(json_text(command, answer.exit_code, answer.facts))
    elif answer.text:
        print(answer.text)


def json_text(command: str | None, exit_code: int, facts: Mapping[str, Any]) -> str:
    """Spell the object, in letters that every terminal has."""
    from reports.formats.json_values import json_value

    head = {"format": FORMAT, "command": command, "exit_code": exit_code}
    return json.dumps(head | json_value(facts), indent=1, allow_nan=False)


@contextlib.contextmanager
def kept_for_one_object(asked: bool) -> Iterator[None]:
    """Where ``--json`` is ``asked`` for, send to standard error what is printed meanwhile, also by other processes."""
    if not asked:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
