"""The time that a trial may take: looked at between its steps, and spelled for people."""

import math
import re
import time

from gridsearch.errors import GridSearchError


class TimeLimitError(GridSearchError):
    """A trial has taken longer than it may."""


class Deadline:
    """When the time of a trial is up, counted from now; None is no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._at = math.inf if seconds is None else time.monotonic() + seconds

    def check(self) -> None:
        """Raise TimeLimitError when the time is up."""
        if self._seconds is not None and time.monotonic() >= self._at:
            raise TimeLimitError(over_the_limit(self._seconds))


def over_the_limit(seconds: float) -> str:
    """Say what is wrong with a trial that takes longer.

    >>> over_the_limit(5400)
    'not finished within 1.5h, its --time-limit'
    """
    return f"not finished within {spell_duration(seconds)}, its --time-limit"


def parse_duration(text: str) -> float:
    """Read a duration as people write it; return seconds. Raises ValueError.

    >>> parse_duration("90"), parse_duration("30m"), parse_duration("1.5h"), parse_duration("2d")
    (90.0, 1800.0, 5400.0, 172800.0)
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([smhd]?)", text.strip())
    seconds = float(found[1]) * UNITS[found[2] or "s"] if found else 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"a duration is a number of seconds, or one with s, m, h or d behind it, but got {text!r}")
    return seconds


UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MOST_SECONDS = 1000 * UNITS["d"]


def spell_duration(seconds: float) -> str:
    """Spell a duration in the largest unit that it fills.

    >>> spell_duration(45), spell_duration(1800), spell_duration(7200), spell_duration(172800)
    ('45s', '30m', '2h', '2d')
    """
    unit = max((name for name in UNITS if seconds >= UNITS[name]), key=UNITS.__getitem__, default="s")
    return f"{seconds / UNITS[unit]:.6g}{unit}"
