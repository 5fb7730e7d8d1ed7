"""The HTML page in a real browser: what a reader can do with it, and what it never does."""

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gridsearch.study.study import Study
from reports.formats.html import Figure, html_text
from reports.page import make_page, write_page, write_reports
from tests.reports.browser import Browser, Tab, find_chromium
from tests.reports.pages import HOSTILE, hostile_study, import_table, page_html, read, sixty_four_cells

SHOWN = (
    "Array.from(document.querySelectorAll('#comparison tbody tr')).filter((row) => row.getClientRects().length)"
    ".map((row) => row.cells[{column}].firstChild?.textContent.trim() ?? '')"
)
COUNT = "document.querySelector('output').textContent"
SORTS = "Array.from(document.querySelectorAll('#comparison thead tr:first-child th'), (th) => th.ariaSort)"
IN_SIGHT = "document.querySelector({selector}).getClientRects().length > 0"

CUT = (
    "Array.from(document.querySelectorAll('.box')).filter((box) => box.scrollWidth > box.clientWidth + 1 || "
    "getComputedStyle(box).overflowY !== 'visible').length"
)


pytestmark = pytest.mark.slow  # they need Chromium: `apt-get install chromium` on Debian


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(find_chromium(), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    tab = Tab(browser)
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def sixty_four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 64 cells with a picture, in a file."""
    folder = tmp_path_factory.mktemp("sixty four")
    rows = read(sixty_four_cells(Study(folder / "study")))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="900" height="90">'
        '<script>window.hit = 1</script><image xlink:href="https://example.com/x.png" width="9" height="9"/>'
        '<style>@import "https://example.com/x.css"; * { fill: #333 }</style><text x="9" y="50">text</text></svg>'
    )
    file = folder / "page #1.html"
    figures = [Figure("A figure.", "some text", "It says text.", svg)]
    file.write_text(html_text(rows, make_page(rows).sections, figures), encoding="utf-8", newline="")
    return file


def shown(tab: Tab, column: int = 0) -> list[str]:
    """The texts of a column, in the rows that are in sight."""
    return list(tab.evaluate(SHOWN.replace("{column}", str(column))))


def in_sight(tab: Tab, selector: str) -> bool:
    return bool(tab.evaluate(IN_SIGHT.replace("{selector}", json.dumps(selector))))


def header(column: int) -> str:
    return f"#comparison thead tr:first-child th:nth-child({column + 1}) button"


def choose(tab: Tab, column: int, label: str) -> None:
    """Choose a level as the keyboard does: with the focus on it, by arrows, which no slow machine mistakes."""
    select = f"document.querySelector('.filters').cells[{column}].firstChild"
    labels = json.loads(tab.evaluate(f"JSON.stringify(Array.from({select}.options, (one) => one.text))"))
    tab.evaluate(f"{select}.focus()")
    for _ in range(labels.index(label)):
        tab.key("ArrowDown", 40)


def quiet(tab: Tab, path: Path) -> bool:
    """Whether the page asked for nothing but itself and nothing went to the console."""
    return (tab.requests, tab.complaints) == ([path.resolve().as_uri()], [])


def test_sorting_by_numbers(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    in_table_order = [str(number) for number in range(1, 65)]
    assert shown(tab) == in_table_order
    assert tab.evaluate(SORTS) == ["none"] * 9
    tab.click(header(8))
    assert tab.evaluate(SORTS) == ["none"] * 8 + ["ascending"]
    values = shown(tab, 8)
    assert values == sorted(values, key=lambda text: float(text or "inf"))
    assert shown(tab)[0] == "12"
    tab.click(header(8))
    assert tab.evaluate(SORTS)[8] == "descending"
    values = shown(tab, 8)
    assert values == sorted(values, key=lambda text: -float(text or "-inf"))
    assert (shown(tab)[-1], shown(tab, 1)[-1]) == ("23", "failed")
    assert tab.evaluate("document.querySelector('#comparison tbody tr').className") == "best"
    tab.click(header(8))
    assert tab.evaluate(SORTS) == ["none"] * 9
    assert shown(tab) == in_table_order
    assert quiet(tab, sixty_four)


def test_sorting_by_levels_is_stable(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    tab.click(header(7))
    assert shown(tab) == [str(number) for number in [*range(1, 65, 2), *range(2, 65, 2)]]
    tab.click(header(2))
    assert tab.evaluate(SORTS) == ["none", "none", "ascending"] + ["none"] * 6
    tab.click(header(2))
    assert shown(tab) == [str(number) for number in [*range(33, 65), *range(1, 33)]]


def test_levels_sort_as_declared_and_numbers_as_numbers(tab: Tab, tmp_path: Path) -> None:
    table = [["trick", "F1"], ["2e-5", "9.5"], ["1e-4", "10.25"], ["off", "-1"], ["2e-5", "0.5"]]
    with (tmp_path / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows(table)
    study = Study(tmp_path / "study")
    import_table(tmp_path / "table.csv", None, study)
    page = tmp_path / "page.html"
    page.write_text(page_html(read(study)))
    tab.open(page)
    tab.click(header(2))
    assert shown(tab) == ["1", "4", "2", "3"]
    tab.click(header(1))
    assert shown(tab, 1) == ["-1", "0.5", "9.5", "10.25"]
    tab.click(header(0))
    tab.click(header(0))
    assert shown(tab) == ["4", "3", "2", "1"]


def test_the_keyboard_alone(tab: Tab, sixty_four: Path) -> None:
    """From the text field: the count is no stop; reset, the box, the first headers."""
    tab.open(sixty_four)
    tab.evaluate("document.querySelector('input').focus()")
    for _ in range(3):
        tab.key("Tab", 9)
    assert tab.evaluate("document.activeElement.textContent") == "index"
    tab.key("Enter", 13, "\r")
    tab.key(" ", 32, " ")
    assert tab.evaluate(SORTS)[0] == "descending"
    assert shown(tab)[:2] == ["64", "63"]
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_filters_and_reset(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    assert tab.evaluate(COUNT) == "64 of 64 rows"
    choose(tab, 6, "1/2")
    choose(tab, 7, "0.1")
    assert tab.evaluate(COUNT) == "16 of 64 rows"
    assert shown(tab)[:3] == ["4", "8", "12"]
    tab.click(header(0))
    tab.click(header(0))
    assert shown(tab)[:3] == ["64", "60", "56"]
    tab.click("input")
    tab.type("DID NOT LEARN  0.5")
    assert (tab.evaluate(COUNT), shown(tab)) == ("1 of 64 rows", ["12"])
    tab.type("x")
    assert (tab.evaluate(COUNT), shown(tab)) == ("0 of 64 rows", [])
    tab.click(".reset")
    assert tab.evaluate(COUNT) == "64 of 64 rows"
    assert shown(tab) == [str(number) for number in range(1, 65)]
    assert tab.evaluate("document.activeElement.value") == ""
    assert quiet(tab, sixty_four)


def test_every_control_has_a_name(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
    controls = [
        (node["role"]["value"], node["name"]["value"].strip())
        for node in nodes
        if node.get("role", {}).get("value") in ("button", "combobox", "searchbox", "group", "image", "columnheader")
    ]
    # A fold is a group without a name: its summary has one.
    assert [control for control in controls if control[0] != "group" and not control[1]] == []
    assert {
        ("searchbox", "Find in rows"),
        ("combobox", "Rows with this level of bertadam"),
        ("button", "reinit_pooler"),
        ("columnheader", "reinit_pooler"),
        ("group", "Comparison table"),
        ("group", "Yardstick"),
        ("image", "some text"),
    } <= set(controls)


def test_hostile_texts_do_nothing(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(page_html(read(hostile_study(tmp_path))), encoding="utf-8")
    tab.open(page)
    assert tab.evaluate("typeof window.hit") == "undefined"
    assert tab.evaluate("document.title") == HOSTILE[0]
    assert [text.strip() for text in shown(tab, 2)] == list(HOSTILE)
    for number, label in enumerate(HOSTILE, start=1):
        tab.evaluate("document.querySelector('.reset').click()")
        tab.type(label)
        assert str(number) in shown(tab)
        assert tab.evaluate(COUNT).endswith(" of 9 rows")
    tab.click(header(1))
    assert quiet(tab, page)


def test_pictures_are_shown_and_can_do_nothing(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    assert tab.evaluate("document.querySelector('img').decode().then(() => document.querySelector('img').naturalWidth)")
    assert tab.evaluate("typeof window.hit") == "undefined"
    assert quiet(tab, sixty_four)


def test_without_scripts_the_table_is_there(tab: Tab, sixty_four: Path) -> None:
    tab.scripts(allowed=False)
    tab.open(sixty_four)
    assert shown(tab) == [str(number) for number in range(1, 65)]
    assert not in_sight(tab, ".controls")
    assert not in_sight(tab, ".filters")
    assert tab.evaluate("document.querySelectorAll('thead button').length") == 0
    assert quiet(tab, sixty_four)


def test_the_header_stays_in_sight(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    box = "document.querySelector('#comparison .box')"
    tab.evaluate(f"{box}.scrollTop = 700")
    assert tab.evaluate(f"{box}.scrollTop") == 700
    gap = f"{box}.querySelector('thead').getBoundingClientRect().top - {box}.getBoundingClientRect().top"
    assert 0 <= tab.evaluate(gap) <= 1
    tab.click(header(1))
    assert tab.evaluate(f"{box}.scrollTop") == 0


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_a_narrow_screen_scrolls_tables_in_their_boxes(tab: Tab, sixty_four: Path, width: int) -> None:
    tab.resize(width, 640)
    tab.open(sixty_four)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    if width == 320:
        box = "document.querySelector('#comparison .box')"
        assert tab.evaluate(f"{box}.scrollWidth - {box}.clientWidth") > 100


RECTANGLES = "Array.from(document.querySelectorAll('{selector}'), (one) => one.getBoundingClientRect().toJSON())"


def test_a_phone_shows_the_result_beside_the_index(tab: Tab, sixty_four: Path) -> None:
    tab.resize(390, 844)
    tab.open(sixty_four)
    assert tab.evaluate("document.querySelector('#comparison thead th:nth-child(2)').textContent") == "result"
    cells = tab.evaluate(RECTANGLES.replace("{selector}", "#comparison tr > :nth-child(2)"))
    assert len(cells) == 66
    assert all(0 < cell["left"] < cell["right"] <= 390 for cell in cells)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_shows_every_cell_of_the_effects(tab: Tab, sixty_four: Path, scripts: bool) -> None:
    """Whether an effect was found, and its p, are not to the right of the screen."""
    tab.scripts(allowed=scripts)
    tab.resize(390, 844)
    tab.open(sixty_four)
    for name in ("adjusted p", "found"):
        cells = tab.evaluate(RECTANGLES.replace("{selector}", f'td[data-label="{name}"]'))
        assert len(cells) >= 3
        assert all(0 <= cell["left"] < cell["right"] <= 390 for cell in cells)
    label = "getComputedStyle(document.querySelector('td[data-label=found]'), '::before').content"
    assert "found" in tab.evaluate(label)
    boxes = "Array.from(document.querySelectorAll('.box:has(> .stacked)'), (box) => box.scrollWidth - box.clientWidth)"
    assert set(tab.evaluate(boxes)) == {0}


def test_cards_are_still_a_table_for_those_who_hear_them(tab: Tab, sixty_four: Path) -> None:
    tab.resize(390, 844)
    tab.open(sixty_four)
    nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
    heard = [(node["role"]["value"], node.get("name", {}).get("value", "").strip()) for node in nodes if "role" in node]
    assert {("columnheader", "adjusted p"), ("columnheader", "found"), ("cell", "no")} <= set(heard)


def test_a_wide_screen_shows_tables(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    assert tab.evaluate("getComputedStyle(document.querySelector('.stacked tr')).display") == "table-row"
    assert tab.evaluate("getComputedStyle(document.querySelector('.stacked td'), '::before').content") == "none"


CONTRAST = Path(__file__).with_name("contrast.js")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(tab: Tab, sixty_four: Path, scheme: str) -> None:
    """WCAG AA for every text that is in sight, and 3:1 for the edges of controls."""
    tab.media(scheme=scheme)
    tab.open(sixty_four)
    tab.click(header(8))
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]
    assert tab.evaluate(CONTRAST.read_text(encoding="utf-8")) == []


@pytest.fixture(scope="module")
def illustrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a page as the command writes it, its own pictures in it and beside it."""
    folder = tmp_path_factory.mktemp("illustrated")
    write_page(sixty_four_cells(Study(folder / "study")))
    return folder / "study"


def pixels(tab: Tab, selector: str) -> np.ndarray:
    """The pixels of an element as they are on the screen: height x width x red, green, blue from 0 to 1."""
    from matplotlib.image import imread

    place = tab.evaluate(RECTANGLES.replace("{selector}", selector) + "[0]")
    top, left = round(place["top"]), round(place["left"])
    screen = imread(io.BytesIO(tab.picture(whole=True)), format="png")[..., :3]
    return np.asarray(screen[top : top + int(place["height"]), left : left + int(place["width"])])


def contrasts(found: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """WCAG's contrast of every pixel to one."""
    light = [
        np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722] + 0.05
        for rgb in (found, ground)
    ]
    return np.asarray(np.maximum(light[0] / light[1], light[1] / light[0]))


@pytest.mark.parametrize(
    ("media", "scheme", "ground"),
    [("", "light", (255, 255, 255)), ("", "dark", (20, 23, 26)), ("print", "dark", (255, 255, 255))],
)
@pytest.mark.parametrize("width", [390, 1200])
def test_pictures_follow_the_scheme(
    tab: Tab, illustrated: Path, media: str, scheme: str, ground: tuple[int, int, int], width: int
) -> None:
    tab.resize(width, 900)
    tab.media(media, scheme=scheme)
    tab.open(illustrated / "page.html")
    assert media == "print" or tab.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("Half-normal", "Level means", "Heat map", "Cells", "Learning curves"):
        picture = pixels(tab, f'img[alt^="{name}"]')
        assert tuple(np.rint(255 * picture[1, picture.shape[1] // 2]).astype(int)) == ground
    # The key above the plot is nothing but small letters and samples.
    key = pixels(tab, 'img[alt^="Half-normal"]')[4:20, 60:150]
    assert contrasts(key, key[0, 0]).max() >= 4.5


def test_a_picture_beside_the_markdown_follows_it_too(tab: Tab, illustrated: Path) -> None:
    tab.media(scheme="dark")
    tab.open(illustrated / "figures" / "heat-map.svg")
    assert tab.evaluate("getComputedStyle(document.querySelector('text')).fill") == "rgb(227, 230, 234)"


def test_print(tab: Tab, sixty_four: Path) -> None:
    """No controls, all rows, nothing cut at the width of A4 paper; folded parts are open."""
    tab.open(sixty_four)
    tab.resize(670, 900)
    tab.media("print", scheme="dark")
    for selector in ("nav", ".controls", ".filters"):
        assert not in_sight(tab, selector)
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(shown(tab)) == 64
    assert tab.evaluate(CUT) == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= 670
    assert in_sight(tab, "details pre")
    assert tab.pdf().startswith(b"%PDF")
    # The header is repeated on every sheet, and in repeated ones Chromium paints no buttons.
    assert tab.evaluate("getComputedStyle(document.querySelector('thead button')).display") == "contents"
    assert quiet(tab, sixty_four)


@pytest.mark.parametrize("n_columns", [3, 9, 30])
def test_a_print_is_not_cut(tab: Tab, tmp_path: Path, n_columns: int) -> None:
    """However many columns there are, and however long the labels."""
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"reinit_{number}_layers" for number in range(n_columns)), "result"])
        writer.writerows([*(f"level{'l' * (60 // n_columns)}" for _ in range(n_columns)), 0.5 + n] for n in range(9))
    study = Study(tmp_path / "study")
    import_table(tmp_path / "table.csv", None, study)
    page = tmp_path / "page.html"
    page.write_text(page_html(read(study)))
    tab.open(page)
    tab.resize(670, 900)
    tab.media("print")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 670
    assert tab.evaluate(CUT) == 0


def test_a_print_of_some_rows_says_so(tab: Tab, sixty_four: Path) -> None:
    tab.open(sixty_four)
    choose(tab, 2, "1")
    tab.media("print")
    assert in_sight(tab, "output")
    assert not in_sight(tab, ".reset")


def test_a_thousand_rows(tab: Tab, tmp_path: Path) -> None:
    """Sorting and typing work on a table that long."""
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*"abcdefgh", "result"])
        writer.writerows([*f"{number:08o}", (number * 7919 % 1000) / 1000] for number in range(1000))
    study = Study(tmp_path / "study")
    import_table(tmp_path / "table.csv", None, study)
    page = tmp_path / "page.html"
    page.write_text(page_html(read(study)))
    assert page.stat().st_size < 400_000
    tab.open(page)
    tab.evaluate(f"document.querySelector({json.dumps(header(1))}).click()")
    tab.evaluate(
        "(() => { const i = document.querySelector('input'); i.value = '0.9'; i.dispatchEvent(new Event('input')) })()"
    )
    assert tab.evaluate(COUNT) == "100 of 1000 rows"


def test_a_page_in_chinese(tab: Tab, tmp_path: Path) -> None:
    """Its table filters as any other."""
    write_reports(sixty_four_cells(Study(tmp_path / "study")), tmp_path, ["html"], "zh")
    tab.open(tmp_path / "page.html")
    assert tab.evaluate("document.documentElement.lang") == "zh-Hans"
    assert tab.evaluate(COUNT) == "64 行中的 64 行"
    choose(tab, 2, "1")
    assert tab.evaluate(COUNT) == "64 行中的 32 行"
    tab.click(".reset")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
    assert quiet(tab, tmp_path / "page.html")


def test_chinese_words_have_glyphs_of_their_own(tab: Tab, tmp_path: Path) -> None:
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout:
        pytest.skip("this machine has no font for Chinese, such as Debian's fonts-wqy-microhei")
    write_reports(sixty_four_cells(Study(tmp_path / "study")), tmp_path, ["html"], "zh")
    tab.open(tmp_path / "page.html")
    for title in ("哪些因素起作用", "该用哪一个", "来源与环境"):
        assert len(set(_glyphs(tab, title))) == len(title)


def _glyphs(tab: Tab, text: str) -> list[str]:
    """Draw every letter on a canvas in the page's font: those that the font lacks would all be the same box."""
    return list(
        tab.evaluate(
            "(() => { const c = document.createElement('canvas'); const x = c.getContext('2d');"
            "const font = '32px ' + getComputedStyle(document.body).fontFamily;"
            f"return Array.from({json.dumps(text)}, (letter) => {{ c.width = c.height = 48; x.font = font;"
            "x.fillText(letter, 4, 36); return c.toDataURL(); }); })()"
        )
    )


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_browser_is_demanded_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="install one of chromium"):
        find_chromium()
