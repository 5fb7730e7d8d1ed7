"""Values and bytes on which readers of files have failed."""

import datetime
from random import Random
from typing import Any, Final

HUGE: Final = 10**30
TEXTS: Final = (
    *("", " ", "\t", "none", "nan", "inf", "true", "0", "-1", "1e999", "50%", "-5%", "p95", "p0", "p101", "*"),
    *("\0", "a\0b", "\x1b[31m", "line\nbreak", "\r", "\u2028", "\ufeff", "\u202eright", "e\u0301", "中文", "𝔘", "ﷺ"),
    *("=1+1", "@x", "<script>alert(1)</script>", "'\"`", "{0}", "%s", "${HOME}", "../..", "/", "/dev/null", "~", "."),
    *("a" * 300, "x" * 70_000, "__class__", "factor.x", "9**9**9", "not not not", "(" * 300),
)
VALUES: Final[tuple[Any, ...]] = (
    *(0, 1, -1, 2, 3, 7, 255, 2**31, 2**63, -(2**63), HUGE, 0.0, -0.0, 0.5, 1.5, -0.1, 1e-320, 1e308),
    *(float("nan"), float("inf"), float("-inf"), True, False, [], {}, [[]], [{}], {"": ""}, [0], ["a", "a"]),
    *(datetime.date(2026, 1, 1), datetime.time(1, 2), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
    *TEXTS,
)
BYTES: Final = (
    *(b"\0", b"\r", b"\n", b"\r\n", b"\t", b'"', b"'", b"''", b'"""', b",", b";", b"|", b"#", b"=", b"[", b"]", b"{"),
    *(b"\xff", b"\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff\0", b"\x1a"),
    *(
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\x1b[2J",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"PAR1",
        b"\x80\x04.",
        b"nan",
        b"1e999",
    ),
    *(b"\\u0000", b"\\ud800", b"\\", b"-", b"9" * 400, b"9" * 5000, b"[" * 3000, b"{" * 3000, b"x" * 200_000),
)


def nested(random: Random, value: Any) -> Any:
    """Wrap a value in lists or tables, once or very often."""
    for _ in range(random.choice((1, 2, 30, 150))):
        value = [value] if random.random() < 0.7 else {random.choice(("a", "", "levels")): value}
    return value


def value(random: Random) -> Any:
    """Return a value of any type."""
    found = random.choice(VALUES)
    return nested(random, found) if random.random() < 0.08 else found
