"""``page.latex``: the comparison table for a paper, with booktabs and longtable."""

import re

from reports.formats.markdown import one_line
from reports.formats.table import Cell, comparison_table
from reports.language.say import say
from reports.study.view import StudyRows

_NAMES = {"\\": "backslash", "~": "asciitilde", "^": "asciicircum", "|": "bar", "<": "less", ">": "greater"}
_NAMES |= {'"': "quotedbl", "'": "quotesingle", "`": "asciigrave"}
_SPELLED: dict[str, str | int | None] = {letter: f"\\{letter}" for letter in "&%$#_{}"}
_SPELLED |= {sign: f"\\text{name}{{}}" for sign, name in _NAMES.items()}
# What stands first in a row would be read as an option of the row's end before it.
_SPELLED |= {"[": "{[}", "*": "{*}"}
# Two of them would become another sign.
_PAIR = re.compile(r"([-,])(?=\1)")


def latex(text: str) -> str:
    r"""Make a text mean itself in LaTeX (T1 encoding; Chinese needs XeLaTeX or LuaLaTeX and a font that has it).

    >>> latex("weight_decay & 50%")
    'weight\\_decay \\& 50\\%'
    """
    return _PAIR.sub(r"\1{}", one_line(text).translate(str.maketrans(_SPELLED)))


def latex_text(study: StudyRows) -> str:
    """Return the comparison table; the best of a column is bold, and a dagger marks what did not learn."""
    table = comparison_table(study)
    header = " & ".join(latex(name) for name in table.header)
    rows = [" & ".join(_cell(cell) for cell in row) for row in table.rows]
    return "\n".join(
        [
            say(r"% \usepackage[T1]{{fontenc}} \usepackage{{booktabs,longtable}}"),
            rf"\begin{{longtable}}{{{'l' * len(table.header)}}}",
            rf"\toprule {header} \\ \midrule \endhead",
            r"\bottomrule \endfoot",
            *(rf"{row} \\" for row in rows),
            r"\end{longtable}",
            "",
        ]
    )


def _cell(cell: Cell) -> str:
    text = latex(cell.text)
    return (rf"\textbf{{{text}}}" if cell.best else text) + (r"\textsuperscript{\dag}" if cell.marked else "")
