"""Tables of the page that a phone is too narrow for: there page.css shows each row as a card, a line for each cell.

Each cell carries the name of its column. Roles say what stays true of cards for those who hear the page: browsers
forget that a table is one when it is laid out as something else.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import wcwidth
from markdown_it.token import Token

PHONE = 36
"""So many letters stand beside each other on a screen 320 pixels wide."""
GAP = 2
"""Letters that the space between two columns takes."""
_ROLES = {"thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "th": "columnheader", "td": "cell"}
# Lines break at blanks, and beside any Chinese character.
_BREAK = re.compile(r"\s+|(?<=[\u2e80-\U0003ffff])|(?=[\u2e80-\U0003ffff])")


def stack_wide_tables(tokens: Sequence[Token]) -> None:
    """Label the cells of every table whose columns do not fit, and mark it with ``meta["stacked"]``."""
    start = 0
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            start = place
        elif token.type == "table_close":
            _stack_if_wide(tokens[start : place + 1])


def _stack_if_wide(table: Sequence[Token]) -> None:
    names, texts = (
        [_text(inner) for outer, inner in pairwise(table) if outer.type == kind] for kind in ("th_open", "td_open")
    )
    columns = [[name, *texts[place :: len(names)]] for place, name in enumerate(names)]
    if sum(GAP + max(map(_widest_word, column)) for column in columns) <= PHONE:
        return
    table[0].meta["stacked"] = True
    cells = (token for token in table if token.type == "td_open")
    for place, cell in enumerate(cells):
        cell.attrSet("data-label", names[place % len(names)])
    for token in table:
        if token.nesting == 1 and token.tag in _ROLES:
            token.attrSet("role", _ROLES[token.tag])


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _widest_word(text: str) -> int:
    return max(wcwidth.width(word) for word in _BREAK.split(text))
