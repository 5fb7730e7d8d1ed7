"""The figures of a study's page: drawn from its analysis and its rows, and shown in Markdown by the names of files."""

from dataclasses import dataclass

from reports.figures.figure import Picture
from reports.figures.from_study import response_on
from reports.figures.pictures import effect_pictures, study_pictures
from reports.formats.markdown import Section, escape, paragraphs, wrap
from reports.language.say import say
from reports.sections.log_curve_text import curve_picture
from reports.sections.observational import is_observational
from reports.study.first_rung import at_first_rung
from reports.study.measured import analysed, measured
from reports.study.view import StudyRows

FOLDER = "figures"
"""Where the pictures of a Markdown page lie, beside it."""


def pictures_of(study: StudyRows) -> tuple[Picture, ...]:
    """Draw all figures that have something to show, in reading order."""
    if study.is_curve:
        return (curve_picture(study),)
    epochs = {one.trial: one.dev_by_epoch for cell in study.cells for one in cell.finished}
    seen = at_first_rung(study)
    return (() if is_observational(study) else _of_effects(seen)) + study_pictures(study, epochs, seen)


def _of_effects(study: StudyRows) -> tuple[Picture, ...]:
    response = response_on(study, None if study.is_imported else study.split)
    about = measured(study, study.split)
    columns = {factor.name: factor.column for factor in study.factors}
    return effect_pictures(analysed(about), about.factors, response, columns)


@dataclass(frozen=True)
class Figures:
    """The pictures with their captions."""

    pictures: tuple[Picture, ...]

    def format(self) -> str:
        """Return the section; empty without pictures."""
        return Section(say("Figures"), tuple(self._figure(picture) for picture in self.pictures)).format()

    def _figure(self, picture: Picture) -> str:
        image = f"![{escape(picture.alt)}]({FOLDER}/{picture.name}.svg)"
        return paragraphs([wrap(image), wrap(escape(picture.title))])
