import string

import pytest
from hypothesis import given

from reports.formats import markdown
from tests.reports.conftest import LABELS


@given(LABELS)
def test_escaped_text_comes_back(text: str) -> None:
    assert markdown.unescape(markdown.escape(text)) == text


def test_names_and_numbers_need_no_escape() -> None:
    for text in ("weight_decay", "1e-05", "0.0", "1:1.3", "first_last_avg", "学习率", "50%"):
        assert markdown.escape(text) == text


def test_what_would_format_is_escaped() -> None:
    assert markdown.escape("_a_ *b* `c` <d> [e] f|g \\h") == r"\_a\_ \*b\* \`c\` \<d> \[e] f\|g \\h"


@pytest.mark.parametrize("text", ["a", "a`b", "a``b", "`"])
def test_code_keeps_backticks(text: str) -> None:
    span = markdown.code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    assert fence not in text
    assert span.strip("`").strip() in (text, "")


def test_wrap_keeps_code_together_and_guards_line_starts() -> None:
    long_code = markdown.code("a b " * 30 + "c")
    assert long_code in markdown.wrap(f"See {long_code} there.").split("\n")
    text = markdown.wrap(("x" * 79) + " - y " + ("x" * 79) + " # z " + ("x" * 79) + " 1. w 12. 0.5")
    assert text.split("\n") == ["x" * 79, r"\- y", "x" * 79, r"\# z", "x" * 79, r"1\. w 12. 0.5"]


def test_wrapped_lines_fit_a_terminal() -> None:
    text = markdown.bullets([" ".join([string.ascii_lowercase] * 20)] * 2)
    assert max(map(len, text.split("\n"))) <= markdown.WIDTH
    assert text.count("\n- ") == 1


def test_an_empty_section_vanishes() -> None:
    assert markdown.Section("Title", ("",)).format() == ""
    assert markdown.Section("Title", ("a", "", "b")).format() == "## Title\n\na\n\nb"


def test_a_fence_is_longer_than_what_it_holds() -> None:
    assert markdown.fenced(["```"]).startswith("````sh\n```\n````")
