"""The page of a study: a tree of sections, and as the last act the files."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from reports.figures.figure import Picture
from reports.formats import trials_table
from reports.formats.html import Figure, html_text
from reports.formats.latex import latex_text
from reports.formats.markdown import Block, escape, paragraphs
from reports.formats.table import csv_text, terminal_table
from reports.language.say import speaking
from reports.page_json import numbers_text
from reports.sections.attempts import DivergedRuns, Failures, NotLearnedRuns, ProvenanceSection, Repeat
from reports.sections.best_vs_baseline import BestAgainstBaseline
from reports.sections.cost import Cost
from reports.sections.design import DeadKnobs, FixedRecipe, LeftOut, Levels, SameRows
from reports.sections.effects import Effects
from reports.sections.figures import FOLDER, Figures, pictures_of
from reports.sections.halving import Halving
from reports.sections.log_curve import CurvePoints, CurveSummary, LogFindings
from reports.sections.observational import Observational, is_observational
from reports.sections.published import PublishedExtremes, PublishedLevels, PublishedResults, PublishedSummary
from reports.sections.results import Cautions, Extremes, Results, Summary, Yardsticks, best_sentence
from reports.sections.search import Search
from reports.study.first_rung import at_first_rung
from reports.study.read import read_study
from reports.study.view import StudyRows

__all__ = ["best_line", "make_page", "terminal_table", "write_reports"]


@dataclass(frozen=True)
class Page:
    """A title and its sections, in reading order."""

    title: str
    sections: tuple[Block, ...]

    def format(self) -> str:
        """Return the Markdown of the whole page; what has nothing to say is left out."""
        return paragraphs([f"# {escape(self.title)}", *(section.format() for section in self.sections)]) + "\n"


def make_page(study: StudyRows, pictures: tuple[Picture, ...] = ()) -> Page:
    """Put the sections of a study's page together: what was found, what was asked, how to do it again."""
    title = study.manifest.title
    if study.is_curve:
        return Page(title, (CurveSummary(study), LogFindings(study), Figures(pictures), CurvePoints(study)))
    answer = Observational(at_first_rung(study)) if is_observational(study) else Effects(study)
    if study.is_imported:
        sections: tuple[Block, ...] = (
            PublishedSummary(study),
            answer,
            PublishedResults(study),
            PublishedExtremes(study),
            Figures(pictures),
            PublishedLevels(study),
        )
        return Page(title, sections)
    return Page(
        title,
        (
            Summary(study),
            Search(study),
            Halving(study),
            answer,
            Results(study),
            Extremes(study),
            BestAgainstBaseline(study),
            Yardsticks(study),
            Cost(study),
            Figures(pictures),
            Cautions(study),
            Levels(study),
            FixedRecipe(study),
            LeftOut(study),
            SameRows(study),
            DeadKnobs(study),
            NotLearnedRuns(study),
            DivergedRuns(study),
            Failures(study),
            Repeat(study),
            ProvenanceSection(study),
        ),
    )


def best_line(ledger: Ledger) -> str:
    """Name the best cell so far in one line; empty when nothing has finished."""
    study = read_study(ledger)
    return "" if study.is_imported else best_sentence(study)


def _html(study: StudyRows, pictures: tuple[Picture, ...]) -> str:
    figures = [Figure("", one.alt, one.title, one.svg, file=f"{one.name}.svg") for one in pictures]
    return html_text(study, make_page(study, pictures).sections, figures)


FORMATS: dict[str, Callable[[StudyRows, tuple[Picture, ...]], str]] = {
    "md": lambda study, pictures: make_page(study, pictures).format(),
    "csv": lambda study, pictures: csv_text(study),
    "json": lambda study, pictures: numbers_text(study),
    "html": _html,
    "latex": lambda study, pictures: latex_text(study),
}
"""Format name, which is also the file's suffix, to the text of its file."""
ILLUSTRATED = {"md", "html"}
FOR_PROGRAMS = {"csv", "json"}
"""What programs read is English, whatever the language of the page."""


def write_reports(study: Study, out: Path | None, formats: Sequence[str], language: str = "en") -> list[Path]:
    """Write page.md, page.csv, page.json into ``out`` (default: the study's folder); return the files in that order.

    The pictures of page.md lie in a folder beside it; page.html holds its own. trials.csv goes with page.csv.
    Raises RequestError for an unknown format or language, for a study that does not exist or is empty, and for a folder
    that cannot be written; each file is replaced as a whole or not at all.
    """
    for name in formats:
        if name not in FORMATS:
            raise RequestError(f"--format: {one_of('format', name, list(FORMATS))}")
    with study.open() as ledger:
        rows = read_study(ledger)
    texts = {}
    with speaking(language):
        pictures = pictures_of(rows) if ILLUSTRATED & set(formats) else ()
        for name in formats:
            with speaking("en" if name in FOR_PROGRAMS else language):
                texts[name] = FORMATS[name](rows, pictures)
    folder = study.folder if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if "md" in formats and pictures:
            (folder / FOLDER).mkdir(exist_ok=True)
            for picture in pictures:
                _write(folder / FOLDER / f"{picture.name}.svg", picture.svg)
        files = {study.page_path.with_suffix(f".{name}").name: text for name, text in texts.items()}
        if "csv" in formats:
            files[trials_table.FILE] = trials_table.trials_text(rows)
        return [_write(folder / name, text) for name, text in files.items()]
    except OSError as error:
        raise RequestError(f"the report cannot be written to {folder}: {error.strerror}") from None


def _write(path: Path, text: str) -> Path:
    half_made = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        half_made.write_text(text, encoding="utf-8", newline="")
        os.replace(half_made, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            half_made.unlink()
    return path
