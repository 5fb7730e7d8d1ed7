"""Latin scripts beyond ASCII: by the letters that a text would have in an encoding, the encoding is found."""

import re
from collections.abc import Iterable

_WESTERN: tuple[str, ...] = (
    "àâæçéèêëîïôœùûüÿ",
    "äöüß",
    "áéíñóúü",
    "àáâãçéêíóôõú",
    "àèéìíîòóùú",
    "æøåéèêóòôü",
    "åäöéüà",
)
_WESTERN += ("áéíóúýþæöð", "àáèéíïòóúüç·", "áéëïóöüèê")
"""French, German, Spanish, Portuguese, Italian, Danish and Norwegian, Swedish, Icelandic, Catalan, Dutch."""
_CENTRAL = ("áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţșț")
"""Czech, Slovak, Polish, Hungarian, Croatian and Slovene, Romanian."""
_BALTIC = ("āčēģīķļņšūž", "ąčęėįšųūž", "äõöšüž")
"""Latvian, Lithuanian, Estonian."""
_TURKISH = ("âçğıîöşûü",)

_ENCODINGS: tuple[tuple[str, Iterable[str]], ...] = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("iso8859_2", _CENTRAL),
    ("cp1254", _TURKISH),
    ("cp1257", _BALTIC),
    ("mac_roman", _WESTERN),
    ("cp850", _WESTERN),
    ("cp852", _CENTRAL),
)
"""Where two fit equally well, the first one is meant."""
_SIGNS = set("\xa0¡¿«»‹›‘’‚“”„–—…•·°§€£©®™´`ªº½¼¾×")
SHARE_THAT_FITS = 0.8


def latin_encoding(raw: bytes) -> str | None:
    """Return the encoding in which nearly all that is not ASCII are letters of one language; None where there is none.

    Measured on prose of 17 languages, 8 to 60 lines of it: docs/decisions/0031.
    """
    fits = [(share, encoding) for encoding, languages in _ENCODINGS for share in _shares(raw, encoding, languages)]
    share, best = max(fits, key=lambda fit: fit[0])  # the first of those that are equal
    return best if share > SHARE_THAT_FITS else None


def _shares(raw: bytes, encoding: str, languages: Iterable[str]) -> list[float]:
    """Return the share of each language's letters and of common signs; a capital within a word is no letter of it."""
    try:
        found = re.findall(r"(.?)([^\x00-\x7f])", raw.decode(encoding), re.DOTALL)
    except UnicodeDecodeError:
        return [0.0]
    fitting = [letter for before, letter in found if not (letter.isupper() and before.islower())]
    known = [_SIGNS | set(letters + letters.upper()) for letters in languages]
    return [sum(map(letters.__contains__, fitting)) / len(found) for letters in known]
