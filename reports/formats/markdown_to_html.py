"""From the page's Markdown to HTML, with nothing let through: raw HTML in a text stays the text that it is."""

import functools
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from reports.formats.markdown import APART
from reports.formats.stacked_tables import stack_wide_tables

_DETAILS_OPEN, _DETAILS_CLOSE = "<details>", "</details>"
_SUMMARY = re.compile(r"<summary>(.*)</summary>")
# Between Chinese characters, and behind their punctuation, a line break of the source is no blank; browsers show one.
_NO_BLANK = re.compile(r"(?<=[，。；：、！？）])\n|(?<=[\u2e80-\U0003ffff”])\n(?=\**[\u2e80-\U0003ffff“])")


class Rendering:
    """Turns the sections of one page into HTML. ``images`` maps file names of pictures to what stands in for them: an
    address, and what a reader who cannot see it hears.

    What it has met is gathered: ``headings``, the id and the text of each; ``shown``, the file names.
    """

    def __init__(self, images: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.headings: list[tuple[str, str]] = []
        self.shown: set[str] = set()
        self._images = images or {}
        self._taken: set[str] = set()

    def html(self, text: str) -> str:
        """Render Markdown. A table is named after the heading above it, for those who cannot see it."""
        parser = _parser()
        tokens = parser.parse(text)
        for place, token in enumerate(tokens):
            if token.type == "heading_open" and token.tag == "h2":
                token.attrSet("id", self._heading(plain_text(tokens[place + 1])))
            elif token.type == "table_open" and self.headings:
                token.attrSet("aria-label", self.headings[-1][1])
        stack_wide_tables(tokens)
        return str(parser.renderer.render(tokens, parser.options, {"image": self._image}))

    def _image(self, source: str) -> tuple[str, str] | None:
        name = source.rpartition("/")[2]
        self.shown.add(name)
        return self._images.get(name)

    def _heading(self, title: str) -> str:
        name = "-".join(re.findall(r"\w+", title.casefold())) or "section"
        number, anchor = 1, name
        while anchor in self._taken:
            number += 1
            anchor = f"{name}-{number}"
        self._taken.add(anchor)
        self.headings.append((anchor, title))
        return anchor


def plain_text(inline: Token) -> str:
    """Return what a reader sees of an inline token."""
    return "".join("\n" if child.type == "softbreak" else child.content for child in inline.children or ())


@functools.cache
def _parser() -> MarkdownIt:
    """CommonMark with tables and without HTML, but for the fold, and the signs set apart, that a page uses."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.block.ruler.before("paragraph", "details", _details)
    parser.inline.ruler.before("autolink", "apart", _apart)
    parser.core.ruler.before("inline", "no blanks", _without_blanks)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    parser.add_render_rule("image", _image)
    return parser


def _without_blanks(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline":
            token.content = _NO_BLANK.sub("", token.content)


def _apart(state: StateInline, silent: bool) -> bool:
    """Read what ``escape`` of markdown.py sets apart for GitHub's sake: a sign like any other."""
    found = APART.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.pending += found[1]
    state.pos = found.end()
    return True


def _details(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    """Read what ``details`` of markdown.py writes. In a fence or in a sentence it is text like any other."""
    words = _line(state, line)
    if words == _DETAILS_CLOSE:
        state.push("details_close", "details", -1).block = True
        state.line = line + 1
        return True
    summary = _SUMMARY.fullmatch(_line(state, line + 1)) if words == _DETAILS_OPEN and line + 1 < end else None
    if summary is None:
        return False
    state.push("details_open", "details", 1).block = True
    state.push("summary_open", "summary", 1)
    inline = state.push("inline", "", 0)
    inline.content, inline.children = summary[1], []
    state.push("summary_close", "summary", -1).block = True
    state.line = line + 2
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _table_open(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    """A table wider than the screen scrolls in a box of its own, which the keyboard must reach too."""
    box = Token("div_open", "div", 1, {"class": "box", "tabindex": "0", "role": "group", **tokens[place].attrs})
    table = '<table class="stacked" role="table">' if tokens[place].meta.get("stacked") else "<table>"
    return f"{renderer.renderToken([box], 0, options, env)}\n{table}\n"


def _table_close(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    return "</table>\n</div>\n"


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    """A page of one file loads no other: a picture is in it, or only its description is."""
    image = env["image"](unquote(str(tokens[place].attrGet("src"))))
    if image is None:
        return escape(plain_text(tokens[place]))
    source, alt = image
    return f'<img alt="{escape(alt)}" src="{escape(source)}">'
