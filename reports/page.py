"""The page of a study: its sections, and as the last act the files."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError, one_of
from gridsearch.study.manifest import CurveManifest, Manifest, TableManifest, TrialsManifest
from gridsearch.study.study import Study
from gridsearch.whole_file import whole_file
from reports.figures.figure import Picture
from reports.formats import trainer_log, trials_table
from reports.formats.html import Figure, html_text, title_of
from reports.formats.html_table import spelled
from reports.formats.latex import latex_text
from reports.formats.markdown import escape, paragraphs
from reports.formats.markdown_to_html import Rendering
from reports.formats.table import csv_text, terminal_table
from reports.language.say import speaking
from reports.page_json import numbers_of, numbers_text
from reports.sections.added_pairs import AddedPairs
from reports.sections.answer import Answer
from reports.sections.attempts import DivergedRuns, Failures, NotLearnedRuns, ProvenanceSection, Repeat
from reports.sections.best_vs_baseline import BestAgainstBaseline
from reports.sections.context import PageContext, PageSection
from reports.sections.cost import Cost
from reports.sections.design import DeadKnobs, FixedRecipe, LeftOut, Levels, SameRows
from reports.sections.effects.effects import Effects
from reports.sections.ensembles import EnsembleSection
from reports.sections.figures import Figures, folder_of, pictures_of
from reports.sections.halving import HalvingSection
from reports.sections.learning import NotLearnedBySetting
from reports.sections.log_curve import CurvePoints, CurveSummary, LogFindings
from reports.sections.observational import Observational
from reports.sections.parts.by_label import ByLabel
from reports.sections.parts.how_far_off import HowFarOff
from reports.sections.parts.parts import Parts
from reports.sections.published import PublishedExtremes, PublishedLevels, PublishedResults, PublishedSummary
from reports.sections.results import Cautions, Results, Summary, Yardsticks
from reports.sections.search import SearchSection
from reports.sections.stages import Pretrainings
from reports.study.members import read_members
from reports.study.read import read_study
from reports.study.told import read_told
from reports.study.view import StudyRows

__all__ = ["FOR_READERS", "make_page", "terminal_table", "write_page", "write_reports"]


SECTIONS: Mapping[type[Manifest], tuple[type[PageSection], ...]] = {
    TrialsManifest: (
        Answer,
        Summary,
        NotLearnedBySetting,
        SearchSection,
        HalvingSection,
        Effects,
        Observational,
        Results,
        Parts,
        ByLabel,
        HowFarOff,
        BestAgainstBaseline,
        EnsembleSection,
        Yardsticks,
        Cost,
        AddedPairs,
        Pretrainings,
        Figures,
        Cautions,
        Levels,
        FixedRecipe,
        LeftOut,
        SameRows,
        DeadKnobs,
        NotLearnedRuns,
        DivergedRuns,
        Failures,
        Repeat,
        ProvenanceSection,
    ),
    TableManifest: (
        Answer,
        PublishedSummary,
        Effects,
        Observational,
        PublishedResults,
        PublishedExtremes,
        Figures,
        PublishedLevels,
    ),
    CurveManifest: (CurveSummary, LogFindings, Figures, CurvePoints),
}
"""The sections of each kind of study in reading order: what was found, what was asked, how to do it again."""


@dataclass(frozen=True)
class Page:
    """A study and its sections, in reading order, with the pictures that are shown in one of them."""

    study: StudyRows
    sections: tuple[PageSection, ...]
    pictures: tuple[Picture, ...] = ()

    def format(self) -> str:
        """Return the Markdown of the whole page; what has nothing to say is left out."""
        title = escape(title_of(self.study))
        return paragraphs([f"# {title}", *(section.format() for section in self.sections)]) + "\n"

    def numbers(self) -> dict[str, Any]:
        """Return every number on the page: see page_json.py."""
        return numbers_of(self.study, self.sections)

    @property
    def figures(self) -> list[Figure]:
        """The pictures as HTML shows them."""
        return [Figure("", one.alt, one.title, one.svg, file=f"{one.name}.svg") for one in self.pictures]

    def html(self) -> str:
        """Return one file that holds the page, its pictures, and what sorts and filters its table."""
        return html_text(self.study, self.sections, self.figures)

    def first_screen(self) -> str:
        """Return what a reader sees first, as HTML without a frame: the title, the answer, the pictures in it."""
        rendering = Rendering({one.file: (one.source, one.alt) for one in self.figures})
        return f"<h3>{spelled(title_of(self.study))}</h3>\n{rendering.html(self.sections[0].format())}"


def make_page(study: StudyRows, *, illustrated: bool = False) -> Page:
    """Put the sections of a study's page together; pictures are drawn in the language that is spoken."""
    context = PageContext(study)
    pictures = pictures_of(context) if illustrated else ()
    sections = (
        section(context, pictures) if section in (Answer, Figures) else section(context)
        for section in SECTIONS[type(study.manifest)]
    )
    return Page(study, tuple(sections), pictures)


def first_screen(study: StudyRows) -> str:
    """Return what a reader of a study's page sees first, as HTML without a frame."""
    return make_page(study, illustrated=True).first_screen()


FORMATS: dict[str, Callable[[Page], str]] = {
    "md": Page.format,
    "csv": lambda page: csv_text(page.study),
    "json": lambda page: numbers_text(page.numbers()),
    "html": Page.html,
    "latex": lambda page: latex_text(page.study),
}
"""Format name, which is also the file's suffix, to the text of its file."""
ILLUSTRATED = {"md", "html"}
FOR_READERS = ("html", "md")
"""What is written when nothing else is asked for: the page to look at, and the one for terminals and repositories."""
FOR_PROGRAMS = {"csv", "json"}
"""What programs read is English, whatever the language of the page."""


def write_page(study: Study, language: str = "en") -> str:
    """Write what people read into the study's folder; return the lines that say where, first the file to open.

    Raises what :func:`write_reports` does.
    """
    html, markdown = write_reports(study, None, FOR_READERS, language)
    return f"page: {shlex.quote(str(html))}\ntext: {shlex.quote(str(markdown))}"


def write_reports(
    study: Study, out: Path | None, formats: Sequence[str], language: str = "en", part: str = ""
) -> list[Path]:
    """Write page.md, page.csv, page.json into ``out`` (default: the study's folder); return the files in that order.

    The pictures of page.md lie in a folder beside it; page.html holds its own. trials.csv goes with page.csv, and
    so do the logs of pretrainings, in a folder of their own. Of a ``part`` of the task, files and the pictures' folder
    have its name, and stand beside those of the study.

    Raises RequestError for an unknown format, language or part, for a study that does not exist or is empty, and for a
    folder that cannot be written; each file is replaced as a whole or not at all.
    """
    for name in formats:
        if name not in FORMATS:
            raise RequestError(f"--format: {one_of('format', name, list(FORMATS))}")
    with study.open() as ledger:
        rows = read_study(ledger, part)
        rows = replace(rows, members=read_members(ledger, rows), told=read_told(ledger, rows))
    texts = {}
    with speaking(language):
        page = make_page(rows, illustrated=bool(ILLUSTRATED & set(formats)))
        for name in formats:
            with speaking("en" if name in FOR_PROGRAMS else language):
                texts[name] = FORMATS[name](page)
    folder = study.folder if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if "md" in formats and page.pictures:
            for picture in page.pictures:
                _write(folder / folder_of(rows) / f"{picture.name}.svg", picture.svg)
        files = {f"{study.page_path.stem}{rows.suffix}.{name}": text for name, text in texts.items()}
        if "csv" in formats:
            files |= {
                f"{trials_table.STEM}{rows.suffix}.csv": trials_table.trials_text(rows),
                **trainer_log.trainer_logs(rows),
            }
        return [_write(folder / name, text) for name, text in files.items()]
    except OSError as error:
        raise RequestError(f"the report cannot be written to {folder}: {error.strerror}") from None


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")
    return path
