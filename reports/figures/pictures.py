"""All figures of a page, in reading order; those that have nothing to show are left out."""

from collections.abc import Mapping, Sequence

from reports.figures.curves import curves_picture
from reports.figures.figure import Picture, Response
from reports.figures.from_effects import effect_points, factor_means
from reports.figures.from_interactions import interaction_panels
from reports.figures.from_study import (
    dev_run_sd,
    grid_cells,
    grid_factors,
    response_on,
    study_curves,
    timed_cells,
)
from reports.figures.half_normal import half_normal_picture
from reports.figures.heat_map import heat_map_picture
from reports.figures.interactions import interactions_picture
from reports.figures.main_effects import main_effects_picture
from reports.figures.quality_time import quality_time_picture
from reports.statistics.results import EffectAnalysis, Factor
from reports.study.view import StudyRows


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
) -> tuple[Picture, ...]:
    """Draw the heat map, quality against time, and the learning curves.

    ``epochs`` has, for each trial, the metric on dev after every epoch; the heat map shows ``on_heat_map`` where given.
    """
    shown = on_heat_map or study
    on_dev = response_on(study, None if study.is_imported else "dev")
    result = response_on(shown, None if study.is_imported else shown.split)
    pictures = (
        heat_map_picture(grid_factors(shown), grid_cells(shown), result),
        quality_time_picture(timed_cells(study), on_dev, dev_run_sd(study)),
        curves_picture(study_curves(study, epochs or {}), on_dev),
    )
    return tuple(picture for picture in pictures if picture is not None)
