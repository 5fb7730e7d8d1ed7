"""What a text becomes on GitHub: Markdown, and what is looked for in the texts that Markdown leaves."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reports.formats import markdown
from reports.formats.markdown_to_html import Rendering
from reports.formats.table import Cell, Table
from tests.reports.conftest import LABELS

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
LOOKED_FOR = {
    "a formula": re.compile(r"\$.|.\$"),
    "the code of an emoji": re.compile(r":(?:100|1234|[+-]1|smile|e_mail|t-rex|8ball):"),
    "a mention": re.compile(r"(?<![A-Za-z0-9])@[A-Za-z0-9]"),
    "the number of an issue": re.compile(r"#\d|\bGH-\d"),
}
"""As GitHub does it, in each text by itself: one that ends where an element begins is no longer read on."""

_SIGNS = r"ab1 09.)#-+=>|*_~`<>[]()!\&$:@^/{}"
SIGNS = st.lists(st.sampled_from([*_SIGNS, ":smile:", "GH-1", "中", "<b>", "&amp;"])).map("".join)
TEXTS = st.one_of(LABELS, SIGNS.map(str.strip), SIGNS.map(str.strip).map(lambda text: re.sub(" +", " ", text)))
KINDS = (
    *("$a$ and $b$", "US$5", "1:100:1", ":smile:", "a:b:c", "@somebody", "a@b.org", "#12", "GH-7", "user/repo#3"),
    *("~a~", "~~a~~", "*a*", "_a_", "**a**", "a_b_c", "<b>", "<!-- a -->", "a|b", "`a`", "``", "[^1]", "[a](b)"),
    *("![a](b)", "https://example.org/a_b", "www.example.org", "\\", "\\$", "a\\|b", "&lt;", "&", "[ ] a"),
    *("> [!NOTE]", "<span>$</span>", "# a", "#", "a #", "a ##", "- a", "+ a", "1. a", "12) a", "> a", "---", "==="),
    *("=", "+", "-", "~~~", "```", "a  b"),
)


def inline(text: str) -> Iterator[Token]:
    """Yield the parts of all that a text is made of, as far as a reader sees them."""
    for token in GITHUB.parse(text):
        yield from (child for child in token.children or () if child.type != "html_inline")


def seen(text: str) -> str:
    return "".join("\n" if part.type == "softbreak" else part.content for part in inline(text))


def nothing_is_read(text: str) -> None:
    assert {part.type for part in inline(text)} <= {"text", "softbreak", "strong_open", "strong_close"}
    for part in inline(text):
        assert [what for what, pattern in LOOKED_FOR.items() if pattern.search(part.content)] == [], part.content


def examples(test):  # type: ignore[no-untyped-def]
    for text in KINDS:
        test = example(text)(test)
    return test


@examples
@given(TEXTS)
def test_a_text_in_a_cell_of_a_table(text: str) -> None:
    table = Table(("index", text or "x"), ((Cell("1"), Cell(text)), (Cell("2"), Cell(text, best=bool(text)))))
    spelled = table.format()
    assert [token.type for token in GITHUB.parse(spelled)].count("td_open") == 4
    assert seen(spelled) == f"index{text or 'x'}1{text}2{text}"
    nothing_is_read(spelled)


@examples
@given(TEXTS)
def test_a_text_at_the_begin_of_a_paragraph_of_an_item_and_in_a_heading(text: str) -> None:
    text = " ".join(text.split())
    paragraph, item = markdown.wrap(markdown.escape(text)), markdown.bullets([markdown.escape(text)])
    heading = markdown.Section(markdown.escape(text), ("a",)).format()
    for spelled, kinds in (
        (paragraph, ["paragraph_open"]),
        (item, ["bullet_list_open", "list_item_open", "paragraph_open"]),
    ):
        assert seen(spelled).split() == text.split()
        opened = [token.type for token in GITHUB.parse(spelled) if token.nesting == 1]
        assert opened == (kinds if text else kinds[:-1]), spelled
        nothing_is_read(spelled)
    assert [token.type for token in GITHUB.parse(heading) if token.nesting == 1] == ["heading_open", "paragraph_open"]
    assert seen(heading) == f"{text}a"


@examples
@given(TEXTS)
def test_the_html_page_has_the_text(text: str) -> None:
    html = Rendering().html(f"x {markdown.escape(text)} y")
    body = html.removeprefix("<p>").removesuffix("</p>\n")
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        body = body.replace(entity, sign)
    assert body == f"x {text} y"


@pytest.mark.parametrize("text", KINDS)
def test_it_comes_back_from_markdown(text: str) -> None:
    assert markdown.unescape(markdown.escape(text)) == text


def test_names_with_colons_stay_plain() -> None:
    for text in ("1:1.3", "1.0:100.0", "12:30:45", "a: b", "C#", "user@host", "2^6", "-0.0123"):
        assert markdown.escape(text) == text
