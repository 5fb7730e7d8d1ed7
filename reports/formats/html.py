"""``page.html``: the sections of the Markdown page in one file that needs nothing else, least of all a network."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from reports.formats.html_table import spelled, table_html
from reports.formats.markdown import Block
from reports.formats.markdown_to_html import Rendering
from reports.formats.table import comparison_table
from reports.language.say import language, say
from reports.study.view import StudyRows

_TAGS = {"en": "en", "zh": "zh-Hans"}
"""What HTML calls the languages."""


class Figure(NamedTuple):
    """A picture: texts are plain text, ``svg`` the file's content. Where it stands is told by one of the last two.

    ``file`` is the name by which the Markdown page shows it, with its caption there; else it stands at the end of the
    section with the title ``section``, or of the results where the page has none of that title.
    """

    title: str
    alt: str
    caption: str
    svg: str
    section: str = ""
    file: str = ""

    @property
    def source(self) -> str:
        """As an image it cannot run scripts, load anything or restyle the page, and its ids are its own."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode("ascii")

    def format(self) -> str:
        """Return it as HTML with its caption."""
        title = f"<strong>{spelled(self.title)}</strong> " if self.title else ""
        return (
            f'<figure>\n<img alt="{spelled(self.alt)}" src="{self.source}">\n'
            f"<figcaption>{title}{spelled(self.caption)}</figcaption>\n</figure>"
        )


def html_text(study: StudyRows, sections: Sequence[Block], figures: Sequence[Figure] = ()) -> str:
    """Return the HTML of a study's page; ``sections`` are those of its Markdown."""
    rendering = Rendering({figure.file: (figure.source, figure.alt) for figure in figures if figure.file})
    plain_table = comparison_table(study).format()
    parts: list[str] = []
    places: dict[str, int] = {}
    for section in sections:
        n_headings = len(rendering.headings)
        before, found, after = section.format().partition(plain_table)
        shown = [rendering.html(before), table_html(study) if found else "", rendering.html(after)]
        for _, title in rendering.headings[n_headings:]:
            places[title] = len(parts)
        parts.append("\n".join(part for part in shown if part))
    for figure in figures:
        if figure.file not in rendering.shown:
            parts[places.get(figure.section, places.get(say("Results"), -1))] += f"\n{figure.format()}"
    return _document(study, [part for part in parts if part], rendering.headings)


def title_of(study: StudyRows) -> str:
    """Return the heading of a page: what the study asks, and the part that it is answered for."""
    title = study.manifest.title
    return say("{title} (part {part})", title=title, part=study.part) if study.part else title


def _document(study: StudyRows, parts: Sequence[str], headings: Sequence[tuple[str, str]]) -> str:
    style, script = _resource("page.css"), _resource("page.js")
    title = spelled(title_of(study))
    links = "\n".join(f'<li><a href="#{anchor}">{spelled(text)}</a></li>' for anchor, text in headings)
    body = "\n".join(f"<section>\n{part}\n</section>" for part in parts[1:])
    return f"""<!DOCTYPE html>
<html lang="{_TAGS[language()]}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
{"".join(parts[:1])}
</header>
<nav aria-label="{spelled(say("Contents"))}">
<ul>
{links}
</ul>
</nav>
{body}
</main>
<script>{script}</script>
</body>
</html>
"""


def _policy(style: str, script: str) -> str:
    """Allow this style, this script and pictures inside the file; nothing else, and nothing from anywhere else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _resource(name: str) -> str:
    return files("reports.formats").joinpath(name).read_text(encoding="utf-8")
