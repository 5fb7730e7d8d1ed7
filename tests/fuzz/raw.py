"""Mutation of bytes, lines and words, whatever they mean."""

import re
from random import Random

from tests.fuzz import odd

_WORD = re.compile(rb"[A-Za-z0-9_.]+|[^A-Za-z0-9_.\s]|\s+")


def mutated(random: Random, raw: bytes, n_most: int = 4) -> bytes:
    """Return bytes of which one to ``n_most`` places are changed."""
    for _ in range(random.randint(1, n_most)):
        raw = random.choice((_byte, _insert, _cut, _repeat, _line, _line, _word, _word, _end, _whole))(random, raw)
    return raw


def _byte(random: Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(random.choice((1, 1, 8))):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _span(random: Random, raw: bytes) -> tuple[int, int]:
    first = random.randint(0, len(raw))
    return first, min(len(raw), first + random.choice((1, 2, 5, 40, 1000)))


def _insert(random: Random, raw: bytes) -> bytes:
    place = random.choice((0, random.randint(0, len(raw)), len(raw)))
    return raw[:place] + random.choice(odd.BYTES) + raw[place:]


def _cut(random: Random, raw: bytes) -> bytes:
    first, last = _span(random, raw)
    return raw[:first] + raw[last:]


def _repeat(random: Random, raw: bytes) -> bytes:
    first, last = _span(random, raw)
    return raw[:last] + raw[first:last] * random.choice((1, 2, 50)) + raw[last:]


def _line(random: Random, raw: bytes) -> bytes:
    lines = raw.splitlines(keepends=True)
    if not lines:
        return raw
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case _:
            lines[one] = lines[one].rstrip(b"\r\n")
    return b"".join(lines)


def _word(random: Random, raw: bytes) -> bytes:
    words = _WORD.findall(raw)
    if words:
        others = words if random.random() < 0.4 else [*odd.BYTES, *(text.encode() for text in odd.TEXTS)]
        words[random.randrange(len(words))] = random.choice(others)
    return b"".join(words)


def _end(random: Random, raw: bytes) -> bytes:
    return raw[: random.randint(0, len(raw))]


def _whole(random: Random, raw: bytes) -> bytes:
    if random.random() < 0.8:
        return raw
    text = raw.decode("utf-8", "replace")
    return random.choice((b"", b"\n", b"\0" * 100, text.encode("utf-16"), text.encode("utf-32"), raw * 3))
