"""The comparison table in HTML: plain rows for everyone, with what page.js needs to sort and filter them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from reports.formats.markdown import NOT_LEARNED_MARK, one_line
from reports.formats.table import Cell, Table, part_header, result_first, train_column
from reports.language.say import say
from reports.study.parts import splits_of_parts
from reports.study.published_value import published_value
from reports.study.view import StudyRows

PAPER = 80
"""So many letters stand beside each other on a printed page, the gaps between columns not counted."""


def spelled(text: str) -> str:
    """Make a text mean itself in HTML, in attributes too.

    >>> spelled('<a href="x">')
    '&lt;a href=&quot;x&quot;&gt;'
    """
    return escape(one_line(text))


@dataclass(frozen=True)
class Column:
    """A column: its name, the levels to filter by (none but of a factor), and what each row is sorted by."""

    name: str
    levels: tuple[str, ...]
    keys: tuple[float | None, ...]
    is_number: bool = False


def table_html(study: StudyRows) -> str:
    """Return the comparison table with its controls, which stay hidden until page.js shows them."""
    table = result_first(study)
    columns = _columns(study, table)
    marks = _marks(study, table)
    # page.js fills the places.
    count = say("{shown} of {total} rows", shown="{shown}", total="{total}")
    rows = [_row(cells, columns, place, marks.get(place, {})) for place, cells in enumerate(table.rows)]
    return "\n".join(
        [
            f'<div id="comparison"{" class=wide" if _is_wide(table) else ""} data-count="{spelled(count)}">',
            _controls(),
            f'<div class="box" tabindex="0" role="group" aria-label="{spelled(say("Comparison table"))}">',
            "<table>",
            f"<thead>\n{_header(columns)}\n{_filters(columns)}\n</thead>",
            "<tbody>",
            *rows,
            "</tbody>\n</table>\n</div>\n</div>",
        ]
    )


def _is_wide(table: Table) -> bool:
    """Whether paper is too narrow for it, if only names with underscores and cells with blanks may break."""
    columns = zip(table.header, *([cell.text for cell in row] for row in table.rows), strict=True)
    return sum(max(len(word) for text in column for word in re.split(r"[_\s]", text)) for column in columns) > PAPER


def _controls() -> str:
    find, reset = spelled(say("Find in rows")), spelled(say("Reset"))
    return (
        '<div class="controls" hidden>\n'
        f'<label>{find} <input type="search" autocomplete="off" spellcheck="false"></label>\n'
        f'<output></output>\n<button type="button" class="reset">{reset}</button>\n</div>'
    )


def _header(columns: Sequence[Column]) -> str:
    # A long name may break behind an underscore: columns of short numbers stay narrow.
    names = [spelled(column.name).replace("_", "_<wbr>") for column in columns]
    cells = [f'<th scope="col">{name}</th>' for name in names]
    return f"<tr>{''.join(cells)}</tr>"


def _filters(columns: Sequence[Column]) -> str:
    return f'<tr class="filters" hidden>{"".join(_filter(column) for column in columns)}</tr>'


def _filter(column: Column) -> str:
    if not column.levels:
        return "<td></td>"
    label = spelled(say("Rows with this level of {column}", column=column.name))
    options = [f'<option value="">{spelled(say("all"))}</option>']
    options += [f'<option value="{place}">{spelled(level)}</option>' for place, level in enumerate(column.levels)]
    return f'<td><select aria-label="{label}" autocomplete="off">{"".join(options)}</select></td>'


def _row(cells: Sequence[Cell], columns: Sequence[Column], place: int, marks: Mapping[str, str]) -> str:
    badges = "".join(f' <span class="badge {name}">{spelled(word)}</span>' for name, word in marks.items())
    shown = []
    for number, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        value = _value(column.keys[place])
        if number == 0:
            shown.append(f'<th scope="row"{value}>{_content(cell)}{badges}</th>')
        else:
            number_class = ' class="number"' if column.is_number else ""
            shown.append(f"<td{number_class}{value}>{_content(cell)}</td>")
    classes = f' class="{" ".join(marks)}"' if marks else ""
    return f"<tr{classes}>{''.join(shown)}</tr>"


def _value(key: float | None) -> str:
    known = key is not None and math.isfinite(key)
    return f' data-value="{repr(key).removesuffix(".0")}"' if known else ""


def _content(cell: Cell) -> str:
    text = spelled(cell.text)
    text = f"<strong>{text}</strong>" if cell.best else text
    return f'{text} <span class="mark">{NOT_LEARNED_MARK}</span>' if cell.marked else text


def _marks(study: StudyRows, table: Table) -> dict[int, dict[str, str]]:
    """What is said of a row, by its place: a style class and a word for each thing."""
    if study.is_imported:
        best = [place for place, row in enumerate(table.rows) if any(cell.best for cell in row)]
        return {place: {"best": say("best")} for place in best}
    first, baseline = next(iter(study.ranking), None), study.baseline
    found: dict[int, dict[str, str]] = {}
    for place, cell in enumerate(study.cells):
        said = {
            "best": (say("best on dev") if study.has_test else say("best")) if cell is first else "",
            "baseline": say("baseline") if cell is baseline else "",
            "not-learned": say("did not learn") if cell.not_learned else "",
        }
        found[place] = {name: word for name, word in said.items() if word}
    return found


def _columns(study: StudyRows, table: Table) -> list[Column]:
    levels = {factor.column: tuple(factor.levels) for factor in study.factors}
    values = _values(study)
    columns = []
    for number, name in enumerate(table.header):
        texts = [row[number].text for row in table.rows]
        if name in levels:
            columns.append(Column(name, levels[name], tuple(_ranks(texts, levels[name]))))
            continue
        numbers = values[name] if name in values else [_finite(text) for text in texts]
        if name in values or any(number is not None for number in numbers):
            columns.append(Column(name, (), tuple(numbers), is_number=True))
        else:
            columns.append(Column(name, (), tuple(_ranks(texts, sorted(texts)))))
    return columns


def _values(study: StudyRows) -> dict[str, Sequence[float | None]]:
    """Numbers behind the columns that show them rounded: rows that look alike still sort as the page ranks them."""
    if study.is_imported:
        scores = {
            name: [published_value(row.scores[name]).number for row in study.observations]
            for name in (study.published.scores if study.is_imported else ())
        }
        return {study.metric: [row.value for row in study.observations], **scores}
    return {
        train_column(study): [cell.train.mean for cell in study.cells],
        say("dev"): [cell.dev.mean for cell in study.cells],
        say("result"): [cell.result.mean for cell in study.cells],
        say("sd"): [cell.result.sd for cell in study.cells],
        say("fold mean"): [cell.folds.mean for cell in study.cells],
        say("fold sd"): [cell.folds.sd for cell in study.cells],
        **{
            name: [cell.of_part(one, split).mean for cell in study.cells]
            for name, (one, split) in zip(part_header(study), splits_of_parts(study), strict=True)
        },
    }


def _ranks(texts: Sequence[str], order: Sequence[str]) -> list[float | None]:
    places = {text: float(place) for place, text in enumerate(dict.fromkeys(order))}
    return [places.get(text) for text in texts]


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
