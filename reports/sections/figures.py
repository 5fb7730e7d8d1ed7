"""The figures of a study's page: drawn from its analysis and its rows, and shown in Markdown by the names of files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.figures.curves import curves_picture
from reports.figures.drawn_from.effects import effect_points, factor_means
from reports.figures.drawn_from.interactions import interaction_panels
from reports.figures.drawn_from.stages import comparable_curves
from reports.figures.drawn_from.study import (
    dev_run_sd,
    grid_cells,
    grid_factors,
    response_on,
    study_curves,
    timed_cells,
)
from reports.figures.figure import Picture, Response
from reports.figures.half_normal import half_normal_picture
from reports.figures.heat_map import NAME as HEAT_MAP
from reports.figures.heat_map import heat_map_picture
from reports.figures.interactions import interactions_picture
from reports.figures.loss_curves import loss_curves_picture
from reports.figures.main_effects import main_effects_picture
from reports.figures.quality_time import quality_time_picture
from reports.formats.markdown import Section, escape, paragraphs, wrap
from reports.language.say import say
from reports.sections.context import PageContext, PageSection
from reports.sections.log_curve import curve_picture
from reports.statistics.results import EffectAnalysis, Factor
from reports.study.view import StudyRows

PRETRAINING = "pretraining"
MOST_MEASURES = 6
FOLDER = "figures"
"""Where the pictures of a Markdown page lie, beside it."""


def pictures_of(page: PageContext) -> tuple[Picture, ...]:
    """Draw all figures that have something to show, in reading order."""
    study = page.study
    if study.is_curve:
        return (curve_picture(study),)
    epochs = {one.trial: one.dev_by_epoch for cell in study.cells for one in cell.finished}
    effects = () if page.is_observational else _of_effects(page)
    return effects + study_pictures(study, epochs, page.seen, page.leader) + pretraining_pictures(study)


def _of_effects(page: PageContext) -> tuple[Picture, ...]:
    columns = {factor.name: factor.column for factor in page.study.factors}
    response = response_on(page.seen, page.seen.split, of_single_runs=True)
    return effect_pictures(page.analysis, page.measured.factors, response, columns)


def effect_pictures(
    analysis: EffectAnalysis,
    factors: Sequence[Factor],
    response: Response,
    columns: Mapping[str, str] | None = None,
) -> tuple[Picture, ...]:
    """Draw the half-normal plot, the main effects and the interactions found.

    ``factors`` are those that were analysed: their order and their levels' is kept. ``columns`` renames them.
    """
    points = effect_points(analysis, columns)
    means = factor_means(analysis, factors, columns)
    pictures = (
        half_normal_picture(points, response) if points else None,
        main_effects_picture(means, analysis.mean, response) if analysis.mean is not None else None,
        interactions_picture(interaction_panels(analysis, factors, columns), response),
    )
    return tuple(picture for picture in pictures if picture is not None)


def study_pictures(
    study: StudyRows,
    epochs: Mapping[str, Sequence[float | None]] | None = None,
    on_heat_map: StudyRows | None = None,
    best: int | None = None,
) -> tuple[Picture, ...]:
    """Draw the heat map, quality against time, and the learning curves.

    ``epochs`` has, for each trial, the metric on dev after every epoch; the heat map shows ``on_heat_map`` where given,
    and frames the cell (or row) that is said to have come out ``best``.
    """
    shown = on_heat_map or study
    on_dev, of_runs = response_on(study, "dev"), response_on(study, "dev", of_single_runs=True)
    result = response_on(shown, shown.split)
    pictures = (
        heat_map_picture(grid_factors(shown), grid_cells(shown, best), result),
        quality_time_picture(timed_cells(study), on_dev, dev_run_sd(study)),
        curves_picture(study_curves(study, epochs or {}), of_runs),
    )
    return tuple(picture for picture in pictures if picture is not None)


def pretraining_pictures(study: StudyRows) -> tuple[Picture, ...]:
    """Draw the losses of the study's pretrainings, in a picture for each measure that they are: the first few."""
    loss = Response(say("loss"), lower_is_better=True)
    measures = [curves for curves in comparable_curves(study) if any(curve.points for curve in curves)]
    title = say("Loss of each pretraining over its steps.")
    if len(measures) > 1:
        title = say("Loss of pretrainings over their steps: those that answer the same question.")
    pictures = [
        loss_curves_picture(PRETRAINING + (f"-{number}" if number > 1 else ""), title, curves, say("step"), loss)
        for number, curves in enumerate(measures[:MOST_MEASURES], start=1)
    ]
    return tuple(picture for picture in pictures if picture is not None)


@dataclass(frozen=True)
class Figures(PageSection):
    """The pictures with their captions, but for the one that the answer shows."""

    pictures: tuple[Picture, ...] = ()

    def format(self) -> str:
        """Return the section; empty without pictures."""
        folder = folder_of(self.study)
        return Section(
            say("Figures"), tuple(figure_text(one, folder) for one in self.pictures if one.name != HEAT_MAP)
        ).format()


BRIEFLY = {
    "half-normal": "Half-normal plot",
    "main-effects": "Level means",
    "interactions": "Interaction plot",
    HEAT_MAP: "Heat map",
    "quality-time": "Quality and time",
    "curves": "Learning curves",
    "curve": "Curve",
    PRETRAINING: "Losses of pretrainings",
}
"""What stands in Markdown for a picture that cannot be seen; page.html and the file itself say what is in it."""


def folder_of(study: StudyRows) -> str:
    """Name the folder of the pictures of a page."""
    return FOLDER + study.suffix


def figure_text(picture: Picture, folder: str) -> str:
    """Show a picture by the name of its file, with its caption."""
    # There may be several of pretrainings, with a number behind their name.
    image = f"![{say(BRIEFLY.get(picture.name, BRIEFLY[PRETRAINING]))}]({folder}/{picture.name}.svg)"
    return paragraphs([wrap(image), wrap(escape(picture.title))])
