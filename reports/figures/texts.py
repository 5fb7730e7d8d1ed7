"""How wide a text is, how numbers are spelled, and what XML can hold."""

import math
import re
import unicodedata
from functools import lru_cache
from itertools import accumulate, takewhile
from pathlib import Path

FONT_SIZE = 12.0
"""Pixels, at the full width of a figure."""
SMALL = 11.0

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MEASURED = 100


def text_width(text: str, size: float = FONT_SIZE, *, bold: bool = False) -> float:
    """Estimate pixels on the safe side: in DejaVu Sans, wider than what browsers put in its place.

    Chinese is measured as what every font makes it, one em a character: whether this machine could draw it does not
    matter.
    """
    return sum(_letter_width(letter, bold) for letter in text) * size


@lru_cache(maxsize=4096)
def _letter_width(letter: str, bold: bool) -> float:
    import matplotlib as mpl
    from matplotlib.font_manager import get_font
    from matplotlib.ft2font import LoadFlags

    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if unicodedata.combining(letter):
        return 0.0
    font = get_font(Path(mpl.get_data_path(), "fonts", "ttf", f"DejaVuSans{'-Bold' if bold else ''}.ttf"))
    font.set_size(_MEASURED, 72)
    if not font.get_char_index(ord(letter)):
        return 1.0
    return font.load_char(ord(letter), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / _MEASURED


def shortened(text: str, width: float, size: float = FONT_SIZE, *, bold: bool = False) -> str:
    """Cut a text that is wider than ``width`` pixels, and show that it was cut."""
    if text_width(text, size, bold=bold) <= width:
        return text
    ends = accumulate(_letter_width(letter, bold) for letter in text)
    fits = takewhile(lambda end: (end + _letter_width("…", bold)) * size <= width, ends)  # a text may be a whole book
    return text[: sum(1 for _ in fits)].rstrip() + "…"


def xml_safe(text: str) -> str:
    r"""Replace what no XML file may hold.

    >>> xml_safe("a\x00b")
    'a\ufffdb'
    """
    return _NOT_IN_XML.sub("\ufffd", text)


def number(value: float, decimals: int) -> str:
    """Spell a number with a real minus sign.

    >>> number(-0.5, 2), number(-0.001, 2)
    ('−0.50', '0.00')
    """
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def signed(value: float, decimals: int) -> str:
    """Spell a difference.

    >>> signed(0.5, 2), signed(-0.5, 2)
    ('+0.50', '−0.50')
    """
    text = number(value, decimals)
    return text if text.startswith("−") else f"+{text}"


def decimals_for(span: float) -> int:
    """Count the decimals that tell a fiftieth of a span.

    >>> decimals_for(0.0158), decimals_for(0.3), decimals_for(40.0), decimals_for(0.0)
    (4, 3, 1, 4)
    """
    if not span > 0 or not math.isfinite(span):
        return 4
    return min(8, max(0, math.ceil(math.log10(50 / span))))
