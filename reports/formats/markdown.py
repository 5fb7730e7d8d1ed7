"""Bricks of a page: text that survives Markdown, wrapped prose, tables, and the section that holds them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import wcwidth

from reports.language.say import enumerated, language, say

WIDTH = 80
"""Prose is wrapped to so many columns: a page is also read in a terminal."""
NOT_LEARNED_MARK = "†"

# An underscore between letters never starts emphasis; names such as weight_decay stay readable as plain text.
_SPECIAL = r"[\\|*`<\[&~]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)#(?!\d)"
# GitHub looks for these in what Markdown leaves, and no backslash keeps them from it: formulas, emoji, mentions and
# numbers of issues. An element of its own does. (Addresses become links and stay what they are.)
_EMOJI = r":(?=(?:100|1234|[+-]1|[0-9_+-]*[a-z][a-z0-9_+-]*):)"
_READ_BY_GITHUB = rf"\$|{_EMOJI}|(?<![^\W_])@(?=[^\W_])|\#(?=\d)|(?<=\bGH)-(?=\d)"
_READ = re.compile(f"(?P<apart>{_READ_BY_GITHUB})|{_SPECIAL}")
APART = re.compile(r"<span>(.)</span>")
_ESCAPED = re.compile(rf"{APART.pattern}|\\([!-/:-@\[-`{{-~])")
_CODE_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
# What begins another block than a paragraph; and what may interrupt one: of numbered lists, those that begin with 1.
_OTHER_BLOCK = re.compile(r"^(?:[-+](?= |$)|#{1,6}(?= |$)|>|-+$|\d{1,9}(?=[.)](?: |$)))")
_BLOCK_START = re.compile(r"^(?:[-+](?= )|#{1,6}(?= |$)|>|=+$|-+$|1(?=[.)] ))")
# Chinese has no blanks to break lines at. Behind its punctuation a line break, which many readers show as a blank, is
# seen least; only what is nearly as long as a line may break between any two characters.
_CLAUSE_END = re.compile(r"(?<=[，。；：、！？）》」』”])(?![，。；：、！？）》」』”)\]*\s]|$)")
_LONG_CLAUSE = re.compile(f"[\u3400-\u9fff\U00020000-\U0003ffff]{{{WIDTH // 2 - 4},}}")
_MAY_BREAK, _BLANK_OF_CODE = "\f", "\ufdd0"


class Block(Protocol):
    """A part of a page."""

    def format(self) -> str:
        """Return its Markdown, without blank lines around it; empty when it has nothing to say."""


@dataclass(frozen=True)
class Section:
    """A heading with blocks of finished Markdown below it. Empty blocks vanish, and so does a section without any."""

    title: str
    blocks: tuple[str, ...]
    level: int = 2

    def format(self) -> str:
        """Return the heading and the blocks, with a blank line between each."""
        body = paragraphs(self.blocks)
        return f"{'#' * self.level} {self.title}\n\n{body}" if body else ""


def paragraphs(blocks: Iterable[str]) -> str:
    """Join what is not empty, with a blank line between.

    >>> paragraphs(["a", "", "b"])
    'a\\n\\nb'
    """
    return "\n\n".join(block for block in blocks if block)


def one_line(text: str) -> str:
    """Replace line breaks and control characters by spaces.

    >>> one_line("a\\nb")
    'a b'
    """
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)


def escape(text: str) -> str:
    r"""Make a text mean itself in Markdown, table cells included, and in what GitHub makes of it.

    >>> escape("weight_decay | *x*"), escape("$5")
    ('weight_decay \\| \\*x\\*', '<span>$</span>5')
    """
    # Both at once: what one of them writes is nothing for the other.
    return _READ.sub(lambda found: f"<span>{found[0]}</span>" if found["apart"] else "\\" + found[0], one_line(text))


def unescape(text: str) -> str:
    r"""Undo :func:`escape`.

    >>> unescape("a \\| b")
    'a | b'
    """
    return _ESCAPED.sub(lambda found: found[1] or found[2], text)


def code(text: str) -> str:
    """Spell a text as code, whatever backticks it holds.

    >>> code("a = 1"), code("a`b")
    ('`a = 1`', '`` a`b ``')
    """
    text = one_line(text)
    if "`" not in text:
        return f"`{text}`"
    fence = "`" * (1 + max(len(run) for run in re.findall("`+", text)))
    return f"{fence} {text} {fence}"


def wrap(text: str, indent: str = "") -> str:
    """Wrap prose to the width of a page; code spans stay in one piece, and no line turns into a list or a heading."""
    marked = _CLAUSE_END.sub(_MAY_BREAK, _LONG_CLAUSE.sub(lambda found: _MAY_BREAK.join(found[0]), text))
    held = _CODE_SPAN.sub(lambda found: found[0].replace(_MAY_BREAK, "").replace(" ", _BLANK_OF_CODE), marked)
    lines = wcwidth.wrap(
        held, WIDTH - len(indent), replace_whitespace=False, break_long_words=False, break_on_hyphens=False
    ) or [""]
    guarded = [_OTHER_BLOCK.sub(_guard, lines[0]), *(_BLOCK_START.sub(_guard, line) for line in lines[1:])]
    return f"\n{indent}".join(guarded).replace(_MAY_BREAK, "").replace(_BLANK_OF_CODE, " ")


def _guard(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def bullets(items: Iterable[str]) -> str:
    """List finished Markdown texts.

    >>> bullets(["a", "b"])
    '- a\\n- b'
    """
    return "\n".join(f"- {wrap(item, '  ')}" for item in items)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align cells of finished Markdown as a GitHub table."""
    from tabulate import tabulate

    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def details(summary: str, body: str) -> str:
    """Fold a body away; without a renderer it is simply there."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def fenced(lines: Iterable[str], language: str = "sh") -> str:
    """Show lines as they are, to be copied."""
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def plural(count: int, noun: str) -> str:
    """Count things; where nouns have no plural, the catalogue has their measure word.

    >>> plural(1, "cell"), plural(2, "cell")
    ('1 cell', '2 cells')
    """
    return say("{n} " + noun, n=count) + _ending(count)


def listed(noun: str, numbers: Sequence[int], most: int = 12) -> str:
    """Name a few things by their number.

    >>> listed("cell", [7]), listed("cell", [1, 2, 3], most=2)
    ('cell 7', 'cells 1, 2 and 1 more')
    """
    return f"{say(noun)}{_ending(len(numbers))} {first_of(numbers, most)}"


def first_of(names: Sequence[object], most: int) -> str:
    """Enumerate the first ones, and count the others.

    >>> first_of(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = enumerated(names[:most])
    return say("{names} and {n} more", names=shown, n=len(names) - most) if len(names) > most else shown


def _ending(count: int) -> str:
    return "s" if count != 1 and language() == "en" else ""


def seconds_text(seconds: float) -> str:
    """Spell a duration with its unit.

    >>> seconds_text(1.234), seconds_text(600), seconds_text(9000)
    ('1.23 s', '10.0 min', '2.5 h')
    """
    if seconds < 100:
        return say("{n} s", n=f"{seconds:.3g}" if seconds < 10 else f"{seconds:.1f}")
    if seconds < 6000:
        return say("{n} min", n=f"{seconds / 60:.1f}")
    return say("{n} h", n=f"{seconds / 3600:.1f}")
