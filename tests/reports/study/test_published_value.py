import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.study.published_value import published_value

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "number", "remark"),
    [
        ("0.9405", 0.9405, ""),
        ("1.", 1.0, ""),
        ("-.5e-3", -0.0005, ""),
        ("0.78?", 0.78, "?"),
        ("0.78 ？", 0.78, "？"),
        ("0.884897;提升0.00001", 0.884897, ";提升0.00001"),
        ("0。901", 0.901, ""),
        ("0．96", 0.96, ""),
        ("0。96 我觉得可以直接pass", 0.96, "我觉得可以直接pass"),
        ("0。", 0.0, "。"),
        ("0.96。", 0.96, "。"),
        ("0.96.", 0.96, "."),
        ("0.9 (0.8)", 0.9, "(0.8)"),
        ("0.9±.1", 0.9, "±.1"),
        ("0.9, seed 1", 0.9, ", seed 1"),
    ],
)
def test_a_number_and_what_is_remarked_of_it(text: str, number: float, remark: str) -> None:
    value = published_value(text)
    assert (value.text, value.number, value.remark) == (text, number, remark)


@pytest.mark.parametrize("text", ["", "-", "nan", "out of memory", "没有提交"])
def test_no_number(text: str) -> None:
    value = published_value(text)
    assert (value.number, value.text, value.remark) == (None, text, "")


@pytest.mark.parametrize(
    "text",
    [
        *("12abc", "1_0", "1.2.3", "0,95", "0，95", "90%", "90 ％", "1e5.2", "1e999"),
        *("0.9/0.8", "0.9-0.95", "0.9 - 0.95", "0.9 0.8", "0.9;0.8", "0.9 -> 0.95", "0.9..5"),
        *("~0.9", "epoch 3", "约0.9", "０.９"),
    ],
)
def test_it_must_be_clear_which_number_is_meant(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        published_value(text)


@pytest.mark.parametrize(
    ("text", "is_uncertain"), [("0.9", False), ("0.9?", True), ("0.9 (why？)", True), ("?", False)]
)
def test_a_question_mark_is_doubt(text: str, is_uncertain: bool) -> None:
    assert published_value(text).is_uncertain == is_uncertain


@given(FINITE, st.sampled_from(["", "?", " ?", " remark", "；备注"]))
def test_whatever_python_spells_is_read(number: float, remark: str) -> None:
    value = published_value(f"{number!r}{remark}")
    assert (value.number, value.remark) == (number, remark.strip())


@given(st.integers(0, 99), st.integers(0, 9999), st.sampled_from("。．"))
def test_a_full_width_point_is_a_point(whole: int, decimals: int, point: str) -> None:
    assert published_value(f"{whole}{point}{decimals}").number == float(f"{whole}.{decimals}")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = published_value(text)
    except ValueError:
        assert any(letter.isdigit() for letter in text)
    else:
        assert value.text == text
