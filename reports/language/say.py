"""The language of a page: its sentences stand in the code in English, and `chinese/` has each in Chinese.

A sentence is a template with named places. Whoever makes a page chooses the language around it:

>>> with speaking("zh"):
...     say("Runs that did not learn")
'未学到的运行'
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from string import Formatter

from gridsearch.errors import RequestError, one_of
from reports.language.chinese import SENTENCES, TEXTS

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": {}, "zh": SENTENCES}
"""A language to its catalogue: an English template to its own, with the same places."""
_RETOLD: Mapping[str, Mapping[str, str]] = {"en": {}, "zh": TEXTS}
_NUMBER, _ANY_TEXT = r"\d+", ".+?"

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


def sentences(texts: Iterable[str]) -> str:
    """Put sentences one behind the other; those that are empty are left out.

    >>> sentences(["One.", "", "Two."])
    'One. Two.'
    """
    return say(" ").join(text for text in texts if text)


def enumerated(texts: Iterable[object]) -> str:
    """Put the members of an enumeration one behind the other.

    >>> enumerated([1, 2])
    '1, 2'
    """
    return say(", ").join(map(str, texts))


def retold(text: str) -> str:
    """Say what the core wrote (a reason, a note, a knob's meaning) by the template that it was filled from.

    What no template fits stays as it is: a user wrote it, or an older version.

    >>> with speaking("zh"):
    ...     retold("head = 'linear' has no hidden layer")
    "head = 'linear' 时没有隐藏层"
    """
    for pattern, template in _patterns(_spoken.get()):
        if found := pattern.fullmatch(text):
            return template.format(**{name: retold(value) for name, value in found.groupdict().items()})
    return text


@cache
def _patterns(spoken: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """A place takes any text; one called ``n`` or ``n_...`` takes a whole number."""
    return tuple((re.compile(_pattern(text)), template) for text, template in _RETOLD[spoken].items())


def _pattern(template: str) -> str:
    return "".join(
        re.escape(literal) + (f"(?P<{name}>{_NUMBER if name.split('_')[0] == 'n' else _ANY_TEXT})" if name else "")
        for literal, name, *_ in Formatter().parse(template)
    )
