"""The HTML page without a browser: the same words as the Markdown, nothing let through, nothing from elsewhere."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.formats.html import Figure, html_text
from reports.formats.html_table import spelled, table_html
from reports.formats.markdown_to_html import Rendering
from reports.formats.table import comparison_table, result_first
from reports.language.say import speaking
from reports.page import make_page, write_reports
from reports.study.members import read_members
from reports.study.read import read_study
from reports.study.view import StudyRows
from tests.reports.conftest import LABELS, SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import HOSTILE, filled, hostile_study, import_table, page_html, read, sixty_four_cells

VOID = {"meta", "link", "img", "input", "br", "hr", "wbr"}
ATTRIBUTES = {
    "id", "class", "lang", "charset", "http-equiv", "content", "name", "rel", "href", "aria-label", "tabindex", "role",
    "hidden", "type", "autocomplete", "spellcheck", "scope", "value", "data-count", "data-value", "data-label", "src",
    "alt",
}  # fmt: skip
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><text>损失</text></svg>'


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed where it must be, and what is found is kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert {name for name, _ in attrs} <= ATTRIBUTES
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def text(self) -> str:
        return "".join(data for tag, data in self.texts if tag not in ("style", "script"))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def small(study: Study) -> Writer:
    """Four cells: one did not learn, one that failed at first."""
    writer = Writer(study, small_plan())
    writer.yardstick(0.7, 0.71)
    failure = Failure("out_of_memory", "MemoryError: no `room` | left")
    writer.run(lambda ledger, attempt: ledger.fail(attempt, failure, final=False), 4)
    for cell, (dev, test) in enumerate([(0.8, 0.79), (0.5, 0.5), (0.85, 0.83), (0.84, 0.86)], start=1):
        writer.finish(cell, outcome(dev, test, not_learned="every row gets the same label" if cell == 2 else ""))
    return writer


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_the_page_says_what_the_markdown_says(small: Writer) -> None:
    found = read(small.study)
    reader = Reader(page_html(found))
    markdown = make_page(found).format()
    headings = [line.removeprefix("## ") for line in markdown.split("\n") if line.startswith("## ")]
    assert [data for tag, data in reader.texts if tag == "h2"] == headings
    assert [link["href"] for link in reader.all("a")] == [
        f"#{title.casefold().replace(' ', '-')}" for title in headings
    ]
    said = set(words_of(" ".join(data for _, data in reader.texts)))
    assert [
        word for word in words_of(re.sub(r"```(toml|sh)|</?(details|summary)>", "", markdown)) if word not in said
    ] == []


def test_one_file_that_needs_no_other(small: Writer) -> None:
    text = page_html(read(small.study))
    assert len(text.encode()) < 40_000
    reader = Reader(text)
    assert [element for element in reader.elements if element[1].get("src") or element[0] in ("iframe", "object")] == []
    assert [link["href"] for link in reader.all("link")] == ["data:,"]
    assert "@import" not in text
    assert "url(" not in text


def test_the_policy_allows_this_style_and_this_script_alone(small: Writer) -> None:
    text = page_html(read(small.study))
    policy = next(meta["content"] for meta in Reader(text).all("meta") if meta.get("http-equiv"))
    assert policy is not None
    hashes = []
    for tag in ("style", "script"):
        content = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        hashes.append("sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode())
    assert policy == (
        f"default-src 'none'; style-src '{hashes[0]}'; script-src '{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_rows_and_their_marks(small: Writer) -> None:
    text = table_html(read(small.study))
    body = text.split("<tbody>\n")[1].split("\n</tbody>")[0]
    assert body.split("\n") == [
        '<tr class="baseline"><th scope="row" data-value="1">1 <span class="badge baseline">baseline</span></th>'
        '<td class="number" data-value="0.79">0.7900</td>'
        '<td data-value="0">0</td><td data-value="0">0</td><td class="number" data-value="0.8">0.8000</td></tr>',
        '<tr class="not-learned"><th scope="row" data-value="2">2 '
        '<span class="badge not-learned">did not learn</span></th>'
        '<td class="number" data-value="0.5">0.5000 <span class="mark">†</span></td>'
        '<td data-value="0">0</td><td data-value="1">6</td><td class="number" data-value="0.5">0.5000</td></tr>',
        '<tr class="best"><th scope="row" data-value="3">3 <span class="badge best">best on dev</span></th>'
        '<td class="number" data-value="0.83">0.8300</td>'
        '<td data-value="1">1</td><td data-value="0">0</td><td class="number" data-value="0.85">'
        "<strong>0.8500</strong></td></tr>",
        '<tr><th scope="row" data-value="4">4</th><td class="number" data-value="0.86"><strong>0.8600</strong></td>'
        '<td data-value="1">1</td><td data-value="1">6</td><td class="number" data-value="0.84">0.8400</td></tr>',
    ]


def test_controls_are_hidden_until_a_script_shows_them(small: Writer) -> None:
    text = table_html(read(small.study))
    assert '<div class="controls" hidden>' in text
    assert (
        '<tr class="filters" hidden><td></td><td></td><td><select aria-label="Rows with this level of bertadam"' in text
    )
    assert '<th scope="col">frozen_<wbr>layers</th>' in text
    assert text.count("<button") == 1


def test_rows_sort_by_unrounded_numbers_and_declared_levels(study: Study) -> None:
    space = '[factors.attack]\nbaseline = "b"\n[factors.attack.levels]\nz = {epochs = 4}\nb = {epochs = 3}\n'
    writer = Writer(study, small_plan(space + "a = {epochs = 2}\n", has_test=False))
    writer.finish(1, outcome(0.80001))
    writer.finish(2, outcome(0.80002))
    text = table_html(read(study))
    assert re.findall(r'<td data-value="(\d)">(\w)</td>', text) == [("0", "z"), ("1", "b"), ("2", "a")]
    assert re.findall(r'data-value="([\d.]{5,})">', text) == ["0.80001", "0.80002"]
    assert text.count("pending</td>") == 1
    assert '<option value="">all</option><option value="0">z</option><option value="1">b</option>' in text


def test_names_of_listed_rows_sort_as_words(study: Study) -> None:
    writer = Writer(study, small_plan(
        '[factors]\nepochs = [1, 2]\n[design]\nkind = "list"\n'
        '[[design.rows]]\nrow = "b"\nepochs = 1\n[[design.rows]]\nrow = "a"\nepochs = 2\n', has_test=False,
    ))  # fmt: skip
    writer.finish(1, outcome(0.8))
    text = table_html(read(study))
    assert '<td data-value="1">b</td>' in text
    assert '<td data-value="0">a</td>' in text


def test_a_published_table(study: Study, reference: Path) -> None:
    import_table(reference / "seed64.csv", "result", study)
    text = page_html(read(study))
    assert text.count('<tr class="best">') == 1
    assert '<tr class="best"><th scope="row" data-value="50">50 <span class="badge best">best</span></th>' in text
    assert table_html(read(study)).count("<tr") == 2 + 64
    assert len(text.encode()) < 60_000


def test_columns_of_a_published_table_that_are_no_numbers(study: Study, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("no,trick,F1\nx,,0.5\nw,<b>,nan0\n".replace("nan0", "0.25"))
    import_table(tmp_path / "table.csv", None, study)
    body = table_html(read(study)).split("<tbody>\n")[1]
    assert '<th scope="row" data-value="1">x <span class="badge best">best</span></th><td class="number"' in body
    assert '<strong>0.5</strong></td><td data-value="0"></td>' in body
    assert 'data-value="0.25">0.25</td><td data-value="1">&lt;b&gt;</td>' in body


@pytest.mark.slow  # 1.4 s
def test_64_rows_are_small_and_quick(sixty_four: StudyRows) -> None:
    text = page_html(sixty_four)
    assert len(text.encode()) < 120_000
    Reader(text)


@pytest.fixture(scope="module")
def sixty_four(tmp_path_factory: pytest.TempPathFactory) -> StudyRows:
    return read(sixty_four_cells(Study(tmp_path_factory.mktemp("sixty_four") / "study")))


def test_hostile_texts_stay_text(tmp_path: Path) -> None:
    """Titles, names, labels, rules, messages, paths, commands, notes: all of them can hold anything."""
    found = read(hostile_study(tmp_path))
    text = page_html(found)
    reader = Reader(text)
    assert len(reader.all("script")) == len(reader.all("style")) == len(reader.all("h1")) == 1
    assert not reader.all("img")
    assert not reader.all("b")
    assert len(reader.all("details")) == 1
    assert {str(link["href"])[0] for link in reader.all("a")} == {"#"}
    cells = [data for tag, data in reader.texts if tag in ("td", "option")]
    for label in HOSTILE:
        assert label in cells
    assert reader.text.count(HOSTILE[0]) > 5


@given(st.lists(LABELS, min_size=1, max_size=3), LABELS)
def test_any_text_survives_markdown_and_html(labels: list[str], title: str) -> None:
    from reports.formats import markdown

    text = f"## {markdown.escape(title) or 'x'}\n\n" + markdown.table(["a"], [[markdown.escape(x)] for x in labels])
    text += "\n\n" + markdown.bullets([f"a {markdown.code(x)}" for x in labels if x.strip()])
    reader = Reader(Rendering().html(text))
    texts = [label for label in labels if label.strip()]
    assert [data for tag, data in reader.texts if tag == "td"] == texts
    # Blanks in a line of code count once.
    assert ["".join(data.split()) for tag, data in reader.texts if tag == "code"] == ["".join(x.split()) for x in texts]


@given(st.text())
def test_spelled_texts_are_read_as_they_were(text: str) -> None:
    reader = Reader(f'<p id="{spelled(text)}">{spelled(text)}</p>')
    assert reader.all("p")[0]["id"] == "".join(
        " " if re.match(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", c) else c for c in text
    )


def test_a_fold_in_a_fence_is_text() -> None:
    shown = "```sh\n<details>\n<summary>x</summary>\n</details>\n```"
    assert "details" not in [name for name, _ in Reader(Rendering().html(shown)).elements]
    folded = Rendering().html(f"<details>\n<summary>The *space* <b></summary>\n\n{shown}\n\n</details>")
    assert folded.startswith("<details>\n<summary>The <em>space</em> &lt;b&gt;</summary>\n<pre>")
    assert folded.endswith("</pre>\n</details>\n")
    assert Rendering().html("<details>\nno summary") == "<p>&lt;details&gt;\nno summary</p>\n"


def _table(*columns: str) -> str:
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n| {' | '.join('x' for _ in columns)} |"


def test_tables_that_a_phone_cannot_show_have_labelled_cells() -> None:
    wide = Rendering().html(_table("effect", "levels", "estimate", "95 % `interval`", "adjusted p", "found"))
    assert '<table class="stacked" role="table">' in wide
    labels = [cell["data-label"] for cell in Reader(wide).all("td")]
    assert labels == ["effect", "levels", "estimate", "95 % interval", "adjusted p", "found"]
    assert {cell["role"] for tag, cell in Reader(wide).elements if tag not in ("div", "table", "code")} == {
        *("rowgroup", "row", "columnheader", "cell"),
    }
    for narrow in (_table("knob", "value"), _table("a long name of a column", "b"), _table("很长的中文列名" * 9, "值")):
        assert "<table>" in Rendering().html(narrow)
        assert "data-label" not in Rendering().html(narrow)


@pytest.mark.parametrize("n_seeds", [1, 2])
def test_the_result_stands_behind_the_index(study: Study, n_seeds: int) -> None:
    """With its sd and n; everything else stays in the order of the Markdown table."""
    rows = filled(study, lambda levels: 0.8, f"{SMALL_SPACE}[design]\nseeds = {list(range(n_seeds))}\n")
    plain, shown = comparison_table(rows), result_first(rows)
    measured = ["result", "sd", "n"] if n_seeds > 1 else ["result"]
    assert list(shown.header[: 1 + len(measured)]) == ["index", *measured]
    assert [name for name in plain.header if name not in measured] == [
        name for name in shown.header if name not in measured
    ]
    for row, other in zip(plain.rows, shown.rows, strict=True):
        assert dict(zip(plain.header, row, strict=True)) == dict(zip(shown.header, other, strict=True))


def test_headings_get_ids_that_differ() -> None:
    rendering = Rendering()
    shown = rendering.html("## Same `x`\n\n## Same x\n\n## 结果\n\n## !\n\n### below")
    assert re.findall(r"<h\d[^>]*>", shown) == [
        '<h2 id="same-x">', '<h2 id="same-x-2">', '<h2 id="结果">', '<h2 id="section">', "<h3>",
    ]  # fmt: skip
    assert rendering.headings[0] == ("same-x", "Same x")


def figure(title: str, section: str = "", file: str = "") -> Figure:
    return Figure(title, f'alt "{title}"', "a < b", SVG, section, file)


def test_figures_stand_in_their_section(small: Writer) -> None:
    found = read(small.study)
    text = html_text(found, make_page(found).sections, [figure("One", "Cost"), figure("Two"), figure("Three", "Gone")])
    reader = Reader(text)
    places = [text.index(f"<strong>{title}</strong> a &lt; b") for title in ("Two", "Three", "One")]
    marks = [
        text.index(f'<h2 id="{anchor}">') for anchor in ("results", "best-against-baseline", "cost", "read-with-care")
    ]
    assert marks[0] < places[0] < places[1] < marks[1] < marks[2] < places[2] < marks[3]
    image = reader.all("img")[0]
    assert image["alt"] == 'alt "Two"'
    assert base64.b64decode(str(image["src"]).removeprefix("data:image/svg+xml;base64,")).decode() == SVG


def test_a_figure_that_the_markdown_shows_stands_there(small: Writer) -> None:
    class Block:
        def format(self) -> str:
            return "## Effects\n\n![a < b](figures/half%20normal.svg)\n\n![gone](http://x.example/y.svg)"

    found = read(small.study)
    reader = Reader(html_text(found, [Block()], [figure("One", file="half normal.svg")]))
    assert [image["alt"] for image in reader.all("img")] == ['alt "One"'], "here it is told in full"
    assert "gone" in reader.text
    assert not reader.all("figure")


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
def test_the_language_is_declared(small: Writer, language: str, tag: str) -> None:
    with speaking(language):
        text = page_html(read(small.study))
    assert f'<html lang="{tag}">' in text
    (count,) = re.findall('data-count="(.*?)"', text)
    assert {"{shown}", "{total}"} <= set(re.findall(r"{\w+}", count))


def test_a_study_with_nothing_finished(study: Study) -> None:
    Writer(study, small_plan(SMALL_SPACE))
    text = page_html(read(study))
    assert text.count("pending</td>") == 4
    assert 'class="badge best"' not in text


def test_the_command_writes_it(small: Writer) -> None:
    paths = write_reports(small.study, None, ["html", "latex"])
    assert [path.name for path in paths] == ["page.html", "page.latex"]
    with small.study.open() as ledger:
        rows = read_study(ledger)
        rows = replace(rows, members=read_members(ledger, rows))
    assert paths[0].read_text(encoding="utf-8") == make_page(rows, illustrated=True).html()
