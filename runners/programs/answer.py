"""What a command has to say when it has ended: to people a text, to programs the same as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.endings.codes import EXIT_DONE


@dataclass(frozen=True)
class Answer:
    """``facts`` are what ``--json`` prints as one object (docs/json.md), and ``text`` what is printed else.

    What a command tells on its way, such as the epochs of a run, is printed at once, and is no part of it.
    """

    facts: Mapping[str, Any]
    text: str = ""
    exit_code: int = EXIT_DONE


def lines(*several: str | None) -> str:
    """Put lines together, without those that there is no need for."""
    return "\n".join(line for line in several if line)
