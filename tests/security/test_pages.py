"""Names that a stranger chose, all the way from a task and a space to the page: they stay words."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from runners.cli import main
from tests.reports.formats.test_html import Reader

NAMES = (
    "<script>hit()</script>",
    '" onload="hit()',
    "[x](javascript:hit())",
    "![x](//example.com/x.png)",
    "=1+cmd|'/C'",
)


class Found(HTMLParser):
    """All elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.values: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.values += [(name, value or "") for name, value in attrs]


def test_hostile_names_stay_words(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    script, onload, link, image, formula = NAMES
    with Path("data.csv").open("w", newline="") as file:
        rows = [[f"{image} words of row {number}", (script, formula)[number % 2]] for number in range(40)]
        csv.writer(file).writerows([[link, onload], *rows])
    Path("task.toml").write_text(
        f"name = {json.dumps('x' + link)}\nkind = 'single'\nmetric = 'f1_binary'\n"
        f"[files]\ntrain = 'data.csv'\ndev = 0.25\n"
        f"[columns]\ntext = {json.dumps(link)}\nlabel = {json.dumps(onload)}\n"
        f"[labels]\npositive = {json.dumps(script)}\n"
    )
    factor = f"factors.{json.dumps('a' + onload)}"
    Path("space.toml").write_text(
        f"title = {json.dumps(' '.join(NAMES))}\n[recipe]\nepochs = 1\nmax_length = 16\n"
        f"[{factor}]\nlabel = {json.dumps(image)}\n[{factor}.levels]\n"
        f"{json.dumps(script)} = {{ frozen_layers = 0 }}\n{json.dumps(link)} = {{ frozen_layers = 1 }}\n"
    )
    words = ["--task", "task.toml", "--model", f"{begun}/encoder", "--study", "study", "--runner", "serial"]
    code = main(["sweep", "space.toml", *words])
    assert code == 0, capsys.readouterr().err
    assert main(["report", "study", "--format", "html,md,csv,latex,json"]) == 0
    html = Path("study/page.html").read_text(encoding="utf-8")
    page = Reader(html)
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert not [value for _, found in page.elements for name, value in found.items() if name in ("src", "href") and
                not (value or "").startswith(("data:", "#"))]  # fmt: skip
    assert any(script in text for _, text in page.texts)
    rendered = Found(MarkdownIt("commonmark", {"html": True}).enable("table").render(Path("study/page.md").read_text()))
    assert not rendered.tags & {"script", "iframe", "object", "form", "input"}
    assert not [
        one for one in rendered.values if one[0].startswith("on") or "javascript" in one[1] or "example" in one[1]
    ]
    assert script in Path("study/page.csv").read_text(), "tables are written as they are: docs/security.md"
