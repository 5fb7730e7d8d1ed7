"""Numbers as people publish them: ``0.9405``, ``0.78?``, ``0。901``, ``0.8849; 0.2 better``."""

import math
import re
from dataclasses import dataclass

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*|[。．][0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_POINT = str.maketrans("。．", "..")
# What makes it another number, or one of two: 12abc, 1_0, 90 %, 1.2.3, 0,95, 0.9/0.8, 0.9-0.95. Brackets and a
# plus-minus set off what belongs to it: 0.9 (0.8), 0.9 ± 0.1.
_CONTINUED = re.compile(r"[0-9A-Za-z_]|\s*[%％‰]|\s*[^\w\s(（\[±]*\s*[0-9]")
_DOUBT = re.compile("[?？]")


@dataclass(frozen=True)
class PublishedValue:
    """A result: the text as it was published, its number (None without any), and what its author wrote beside it."""

    text: str
    number: float | None
    remark: str

    @property
    def is_uncertain(self) -> bool:
        """Whether the author put a question mark behind it."""
        return bool(_DOUBT.search(self.remark))


def published_value(text: str) -> PublishedValue:
    """Read a text that begins with a number; one without any digit has none.

    A full-width or ideographic full stop between digits is a decimal point. Whatever follows the number is the author's
    remark. Raises ValueError where it is not clear which number is meant, and for one that is not finite.

    >>> published_value("0。901 ?")
    PublishedValue(text='0。901 ?', number=0.901, remark='?')
    >>> published_value("-").number is None
    True
    """
    found = _NUMBER.match(text)
    if found is None:
        if any(letter.isdigit() for letter in text):
            raise ValueError(text)
        return PublishedValue(text, None, "")
    number, rest = float(found[0].translate(_POINT)), text[found.end() :]
    if _CONTINUED.match(rest) or not math.isfinite(number):
        raise ValueError(text)
    return PublishedValue(text, number, rest.strip())
