"""How an unknown text table is written: separator, quotes, line ends. What a column means is not asked here."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from gridsearch.errors import RequestError
from gridsearch.tasks.columns.numbers import spells_number
from gridsearch.tasks.roles import shorten
from gridsearch.tasks.tables.delimited import (
    LooseQuoteError,
    Record,
    Rows,
    UnclosedQuoteError,
    UnevenError,
    even_rows,
    read_rows,
    records,
    refuse_unfit_separator,
    swallowed_rows,
)
from gridsearch.tasks.tables.layout import Layout, Likely, filled

SEPARATORS = ("\t", ",", ";", "|", "_!_")  # the last one is that of a well-known Chinese news corpus
N_CHARACTERS_READ = 1_000_000
N_LINES_ENOUGH = 50
SHARE_OF_ODD_ROWS = 0.05  # so many may lack fields, or have empty ones too many, in a table that nobody described
_ESCAPED_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*\\"')


@dataclass(frozen=True)
class Sample:
    """The beginning of a text, and where that has no quote the place of the first one. ``whole``: all of the text."""

    text: str
    whole: bool


@dataclass(frozen=True)
class Reading:
    """A layout, and the rows that a sample has in it."""

    layout: Layout
    rows: Rows


def sniff_table(path: Path, text: str, stated: Layout, likely: Likely) -> Layout:
    """Look at a text's beginning and return its layout, in which what is stated stands; the header is not looked for.

    Every separator that may be is tried. One by which the first row holds names that are likely comes first, then one
    by which all rows have equally many fields, then the likely one.

    Raises:
        RequestError: no separator gives the rows equally many columns, or too few columns.
    """
    if stated.separator is not None:
        refuse_unfit_separator(path, stated)
    sample = _sample(text)
    ends = ["\n"] if "\n" in text else ["\r"]
    if ends == ["\n"] and sample.text.count("\r") >= 2 * sample.text.count("\n") > 0:
        ends = ["\r", "\n"]
    for end in ends:
        sought = replace(stated, line_end=end)
        readings = list(_readings(sample, sought, likely))
        if end != ends[-1]:
            readings = [one for one in readings if _is_clean(one, sample)]
        if readings:
            return min(readings, key=lambda one: _doubts(one, likely)).layout
    stated = replace(stated, line_end=ends[-1])
    if stated.separator is None:
        _refuse(path, text, sample, stated, likely)
    return filled(stated, Layout(quoting=likely.layout.quoting))  # whoever reads all of it says what is wrong


def _sample(text: str) -> Sample:
    """Return whole lines. No quote encloses the line of one that comes later, so that it can be added."""
    size = N_CHARACTERS_READ
    while size < len(text) and text.count("\n", 0, size) + text.count("\r", 0, size) < N_LINES_ENOUGH:
        size *= 4
    if size >= len(text):
        return Sample(text, whole=True)
    beginning = _lines(text, 0, size)
    place = text.find('"', len(beginning)) if '"' not in beginning else -1
    if place >= 0:
        start = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1
        beginning += _lines(text, start, start + size)
    return Sample(beginning, whole=False)


def _lines(text: str, start: int, end: int) -> str:
    if end >= len(text):
        return text[start:]
    return text[start : max(text.rfind("\n", start, end), text.rfind("\r", start, end)) + 1]


def _readings(sample: Sample, stated: Layout, likely: Likely) -> Iterator[Reading]:
    for separator in _candidates(stated, likely):
        layout = replace(stated, separator=separator)
        reading = _with_quotes(sample, layout, likely)
        if reading is not None and _may_be(reading, stated, likely):
            yield reading


def _candidates(stated: Layout, likely: Likely) -> list[str]:
    if stated.separator is not None:
        return [stated.separator]
    first = [likely.layout.separator] if likely.layout.separator else []
    candidates = dict.fromkeys([*first, *SEPARATORS])
    return [one for one in candidates if len(one) == 1 or not stated.quoting]


def _may_be(reading: Reading, stated: Layout, likely: Likely) -> bool:
    """Tell whether a reading is a table: rows of one length, but for some that lack their end or have too much of it.

    Every file is a table of one column by a separator that it does not hold. It is one where that column is the one
    that is looked for, or the separator is the likely one.
    """
    rows = reading.rows
    if stated.separator is not None:
        return True
    if rows.width < likely.least_columns or not rows.rows:
        return False
    if rows.width == 1:
        return reading.layout.separator == likely.layout.separator or _names(reading) == {likely.text}
    return len(rows.padded) + len(rows.cut) <= max(1, SHARE_OF_ODD_ROWS * len(rows.rows)) or _is_cut_alike(rows)


def _is_cut_alike(rows: Rows) -> bool:
    """Tell whether all rows but the first end in separators that it has not."""
    return not rows.padded and len(rows.cut) == len(rows.rows) - 1


def _doubts(reading: Reading, likely: Likely) -> tuple[bool, ...]:
    """Return what speaks against a reading, the weightiest first; of two alike the earlier one is taken."""
    rows = reading.rows
    return (
        likely.text is not None and likely.text not in _names(reading),
        rows.width == 1,
        not rows.is_even,
        _cuts_quotes(reading),
        _splits_sentences(reading),
        reading.layout.separator != likely.layout.separator,
    )


def _names(reading: Reading) -> set[str]:
    return {name.strip() for name in reading.rows.rows[0]}


def _cuts_quotes(reading: Reading) -> bool:
    """Tell whether a field that begins with a quote goes on behind the separator, as far as the quotes go."""
    if reading.layout.quoting is not False:
        return False
    return any(field[:1] == '"' and field.count('"') % 2 for row in reading.rows.rows for field in row)


def _splits_sentences(reading: Reading) -> bool:
    """Tell whether commas of a language, or decimal ones, were taken for separators, or whether tabs are left over."""
    fields, separator = reading.rows.rows, reading.layout.separator
    behind = [row[place] for row in fields[1:] for place in range(1, len(row))]
    before = [row[place] for row in fields[1:] for place in range(len(row) - 1)]
    n_spaced = sum(field[:1] == " " for field in behind)
    n_decimal = sum(left[-1:].isdigit() and right[:1].isdigit() for left, right in zip(before, behind, strict=True))
    all_tabbed = separator != "\t" and len(fields) > 1 and all(any("\t" in field for field in row) for row in fields)
    n_rows = max(1, len(fields) - 1)
    return all_tabbed or n_spaced > 0.5 * n_rows or (separator == "," and n_decimal >= n_rows)


def _with_quotes(sample: Sample, layout: Layout, likely: Likely) -> Reading | None:
    """Return the reading in which quotes are what they are in the file, or None where none gives rows of one length."""
    if layout.quoting:
        found = _enclosing(sample, layout)
        return _loose(sample, layout) if found is None else Reading(replace(found.layout, loose=True), found.rows)
    has_quotes = '"' in sample.text
    plain = layout if layout.quoting is False or not has_quotes else replace(layout, quoting=False)
    rows = _rows(sample, replace(plain, quoting=False))
    as_text = None if rows is None else Reading(plain, rows)
    if layout.quoting is False or len(str(layout.separator)) > 1:
        return as_text
    found = _enclosing(sample, replace(layout, quoting=True))
    if found is None and has_quotes and likely.layout.quoting and layout.separator == likely.layout.separator:
        found = _loose(sample, replace(layout, quoting=True))
    return found if found and (as_text is None or _quotes_are_marks(as_text.rows, found, likely)) else as_text


def _enclosing(sample: Sample, layout: Layout) -> Reading | None:
    """Return the reading by the kind of quote by which every field that begins with one also ends with one."""
    doubled = _strict(sample, layout)
    if _ESCAPED_QUOTE.search(sample.text) and (doubled is None or _ends_in_backslash(doubled)):
        escaped = _strict(sample, replace(layout, escaped=True))
        return escaped if escaped and (doubled is None or escaped.rows.is_even) else doubled
    if layout.quote != '"' or doubled is not None:
        return doubled
    single = _strict(sample, replace(layout, quote="'"))
    return single if single and _are_enclosed(sample, single) else None


def _strict(sample: Sample, layout: Layout) -> Reading | None:
    rows = _rows(sample, layout, strict=True) if layout.quote in sample.text else None
    return None if rows is None or swallowed_rows(rows, layout) else Reading(layout, rows)


def _ends_in_backslash(reading: Reading) -> bool:
    return any(field.endswith("\\") and not field.endswith("\\\\") for row in reading.rows.rows for field in row)


def _loose(sample: Sample, layout: Layout) -> Reading | None:
    """Return the reading by quotes behind which, within a field, text may follow."""
    layout = replace(layout, loose=True)
    rows = _rows(sample, layout)
    return None if rows is None or swallowed_rows(rows, layout) else Reading(layout, rows)


def _are_enclosed(sample: Sample, reading: Reading) -> bool:
    """Tell whether single quotes enclose every field of a column, which apostrophes do not."""
    edge = rf"(?:^|(?<=[\n{re.escape(str(reading.layout.separator))}])){reading.layout.quote}"
    return len(re.findall(edge, sample.text)) >= len(reading.rows.rows) - 1 > 0


def _rows(sample: Sample, layout: Layout, *, strict: bool = False) -> Rows | None:
    """Read a sample. A field in which it is cut off is no reason against a layout."""
    found: list[Record] = []
    try:
        for record in records(sample.text, layout, strict=strict):
            found.append(record)
    except UnclosedQuoteError:
        if sample.whole:
            return None
    except LooseQuoteError:
        return None
    try:
        return even_rows(found)
    except UnevenError:
        return None


def _quotes_are_marks(plain: Rows, found: Reading, likely: Likely) -> bool:
    """Tell quotes that enclose fields from quotes that are text, where a table can be read either way.

    Where rows differ, an enclosed field holds line ends: they are its own, unless the lines are rows like all others.
    Else doubled quotes or a carriage return inside an enclosed field, or a column whose every field is enclosed, show
    that they enclose. (A task that says that quotes are text is believed of files that are separated alike, unless a
    column shows it.) Where nothing shows, what is likely decides, then the custom: quotes enclose between commas, and
    not between tabs.
    """
    enclosed = found.rows
    usual = found.layout.separator not in ("\t", "|") if likely.layout.quoting is None else likely.layout.quoting
    if plain.is_even != enclosed.is_even:
        return enclosed.is_even
    if enclosed.width != plain.width:
        return enclosed.width < plain.width
    if len(plain.rows) != len(enclosed.rows):
        return plain.width == 1 or _lines_are_no_rows(plain, enclosed, usual=usual)
    differing = [
        [(bare, field) for bare, field in zip(*columns, strict=True)]
        for columns in zip(plain.columns(), enclosed.columns(), strict=True)
    ]
    is_like_train = likely.layout.quoting is False and found.layout.separator == likely.layout.separator
    fields = [(bare, field) for column in differing for bare, field in column if bare != field]
    if any(bare[1:-1] != field or "\r" in field for bare, field in fields) and not is_like_train:
        return True
    if any(all(bare != field for bare, field in column[1:]) for column in differing if len(column) > 1):
        return True
    if plain.width == 1 and any(bare == '""' for bare, _ in differing[0]):
        return True
    return usual


def _lines_are_no_rows(plain: Rows, enclosed: Rows, *, usual: bool) -> bool:
    """Tell whether lines within quotes, read as rows, put values where there are none of their kind elsewhere."""
    for lines, fields in zip(plain.columns(), enclosed.columns(), strict=True):
        known = set(fields)
        if len(known) <= len(fields) / 2:
            return not set(lines) <= known
        if all(map(spells_number, fields[1:])):  # the first may be a name
            return not all(map(spells_number, lines[1:]))
    return usual


def _is_clean(reading: Reading, sample: Sample) -> bool:
    """Tell whether there are several columns, and no quote stands within a field and is not doubled."""
    separator = re.escape(str(reading.layout.separator))
    has_quotes = reading.layout.quoting and not reading.layout.escaped
    stray = has_quotes and re.search(rf'[^{separator}\r\n"]"(?=[^{separator}\r\n"])', sample.text)
    return reading.rows.width > 1 and reading.rows.is_even and not stray


def _refuse(path: Path, text: str, sample: Sample, stated: Layout, likely: Likely) -> NoReturn:
    """Say which row is against the separator that fits most rows, or what its quotes are."""
    lines = [line for line in sample.text.split(stated.line_end) if line.strip()]
    fitting = {one: _n_alike(lines, one) for one in _candidates(stated, likely)}
    separator = max(fitting, key=lambda one: fitting[one])
    if not any(one in lines[0] for one in fitting):
        tried = ", ".join("a tab" if one == "\t" else repr(one) for one in fitting)
        rule = "a table needs two columns or more, a text and its label"
        found = f"{path} has one, for its first row, {shorten(lines[0])!r}, holds none of {tried}"
        raise RequestError(f"{rule}; {found}; if it has another one, write it as separator into a task file")
    encloses = len(separator) == 1 and separator not in ("\t", "|") and stated.quoting is not False
    layout = replace(stated, separator=separator, quoting=encloses if '"' in text else stated.quoting)
    rows = read_rows(path, text, layout)
    row = (*rows.padded, *rows.cut, rows.numbers[0])[0]
    what = "more" if rows.cut and not rows.padded else "fewer"
    rule = f"every row must have the same number of columns; {path} row {row} has {what} than the first"
    raise RequestError(f"{rule} (separator {separator!r})")


def _n_alike(lines: Sequence[str], separator: str) -> int:
    """Count the lines that hold a separator as often as most of those do that hold it."""
    counts = Counter(line.count(separator) for line in lines)
    return max((n_lines for times, n_lines in counts.items() if times), default=0)
