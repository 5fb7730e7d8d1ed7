"""What names of columns say, and some values: two texts are a pair; a column holds ids, dates, languages, splits."""

import re
from collections.abc import Sequence
from typing import Final

_DATES: Final = re.compile(r"(.*[_ .])?(date|time|timestamp|datetime|created(_at)?|updated(_at)?)|日期|时间")
_IDS: Final = re.compile(r"(.*[_ .])?(id|uid|uuid|guid|idx|index)|(user|item|row|order)id|编号|序号")
_LANGUAGES: Final = re.compile(r"(.*[_ .])?(lang|language|locale)|语言|语种")
_LANGUAGE_CODES: Final = re.compile(
    "(ar|b[gn]|c[as]|d[ae]|e[lnst]|f[air]|h[eiru]|i[dt]|ja|ko|l[tv]|ms|nl|p[lt]|r[ou]|s[klrvw]|t[ahlr]|u[kr]|vi|zh)"
    "([-_][a-z]{2,4})?"
)
_SPLITS: Final = re.compile("train(ing)?|dev(el)?|val(id(ation)?)?|test(ing)?|eval")
_ENDS: Final = (
    ("1", "2"),
    ("a", "b"),
    ("left", "right"),
    ("first", "second"),
    ("one", "two"),
    ("x", "y"),
    ("甲", "乙"),
)
"""By what the names of a pair's texts differ."""
_COUNTERPARTS: Final = {
    "premise": {"hypothesis"},
    "query": {
        "title",
        "doc",
        "document",
        "passage",
        "answer",
        "response",
        "item",
        "product",
        "candidate",
        "text",
        "reply",
    },
    "question": {"answer", "passage", "context", "sentence", "response", "reply", "candidate", "document"},
    "term": {"title", "product", "description"},
    "keyword": {"title", "product", "document"},
    "context": {"response", "reply", "answer"},
    "post": {"response", "reply", "comment"},
    "claim": {"evidence"},
    "source": {"target", "translation"},
    "前提": {"假设"},
    "查询": {"标题", "文档", "正文"},
    "搜索词": {"标题", "商品", "文档"},
    "问题": {"答案", "回答"},
}
"""By the last word of a name: that of the text beside it."""


def are_called_a_pair(one: str, other: str) -> bool:
    """Tell whether two names, in small letters, are those of two texts that are read together.

    >>> names = [("query", "product_title"), ("q1", "q2"), ("sentence_a", "sentence_b"), ("title", "text"), ("", "")]
    >>> [are_called_a_pair(*several) for several in names]
    [True, True, True, False, False]
    """
    words = [re.split(r"[^\w]|_", name)[-1] for name in (one, other)]
    beside = words[1] in _COUNTERPARTS.get(words[0], ()) or words[0] in _COUNTERPARTS.get(words[1], ())
    return beside or any(_differ_by(*names, *ends) for names in ((one, other), (other, one)) for ends in _ENDS)


def _differ_by(one: str, other: str, first: str, second: str) -> bool:
    places = (found.start() for found in re.finditer(re.escape(first), one))
    return any(f"{one[:place]}{second}{one[place + len(first) :]}" == other for place in places)


def told_of_column(name: str, values: Sequence[str]) -> str:
    """Say what a column is that is no label, by its name in small letters and its distinct values; empty otherwise.

    >>> columns = [("part", ["train", "dev"]), ("place", ["en", "zh-CN"]), ("user_id", ["7"])]
    >>> tuple(told_of_column(*column) for column in columns)
    ('says which rows are train, dev or test', 'languages: en, zh-CN', 'an id')
    """
    if is_split(values):
        return "says which rows are train, dev or test"
    if _LANGUAGES.fullmatch(name) or _are_all(_LANGUAGE_CODES, values):
        return f"languages: {', '.join(sorted(values)[:5])}" + (" and others" if len(values) > 5 else "")
    if _DATES.fullmatch(name):
        return "dates"
    return "an id" if _IDS.fullmatch(name) else ""


def is_split(values: Sequence[str]) -> bool:
    """Tell whether the distinct values of a column say which rows are train, dev or test."""
    return _are_all(_SPLITS, values)


def _are_all(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    """Tell whether there are two values or more, and all of them are spelled so."""
    return len(values) > 1 and all(pattern.fullmatch(value.lower()) for value in values)
