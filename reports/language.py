"""The language of a page: its sentences stand in the code in English, and `reports/chinese.py` has each in Chinese.

A sentence is a template with named places. Whoever makes a page chooses the language around it:

>>> with speaking("zh"):
...     say("No attempt failed.")
'没有失败的尝试。'
"""

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

from gridsearch.errors import RequestError, one_of
from reports.chinese import SENTENCES

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": {}, "zh": SENTENCES}
"""A language to its catalogue: an English template to its own, with the same places."""

_spoken: ContextVar[str] = ContextVar("language of the page", default="en")


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Make a page in this language; RequestError for one that is not known."""
    if language not in LANGUAGES:
        raise RequestError(f"--lang: {one_of('language', language, list(LANGUAGES))}")
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def language() -> str:
    """Return the code of the language that is being spoken."""
    return _spoken.get()


def say(template: str, /, **values: object) -> str:
    """Fill a sentence's places, in the language spoken; English where the catalogue lacks it (a test refuses that).

    >>> say("{n} of {total} runs", n=1, total=2)
    '1 of 2 runs'
    """
    return LANGUAGES[_spoken.get()].get(template, template).format(**values)
