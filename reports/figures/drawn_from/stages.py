"""From the pretrainings of a study to what their figure is drawn from."""

from collections.abc import Mapping
from typing import Any

from gridsearch.recipe.pretraining.knobs import PREFIX
from reports.figures.figure import LossCurve
from reports.language.say import enumerated, say
from reports.study.stage_rows import StageRow, by_measure, told_apart
from reports.study.view import StudyRows


def stage_names(study: StudyRows) -> list[str]:
    """Name each pretraining in a figure: by its short id, and by what tells it from the others."""
    settings = told_apart(study.stages, study.about.starts) if study.stages else []
    return [_name(row, one) for row, one in zip(study.stages, settings, strict=True)]


def _name(row: StageRow, settings: Mapping[str, Any]) -> str:
    details = [say("{n} steps", n=row.stage.last_step)]
    details += [f"{name.removeprefix(PREFIX)} {value}" for name, value in settings.items()]
    return row.stage.short_id + say(" ({details})", details=enumerated(details))


def stage_curves(study: StudyRows, *, by_epoch: bool = False) -> tuple[LossCurve, ...]:
    """Gather the losses of all pretrainings over their steps, or over their passes."""
    return tuple(
        LossCurve(name, tuple((point.epoch if by_epoch else point.step, point.loss) for point in row.log))
        for name, row in zip(stage_names(study), study.stages, strict=True)
    )


def comparable_curves(study: StudyRows) -> list[tuple[LossCurve, ...]]:
    """Gather the losses over steps, apart where they are different measures."""
    curves = {row.stage.id: curve for row, curve in zip(study.stages, stage_curves(study), strict=True)}
    return [tuple(curves[row.stage.id] for row in several) for several in by_measure(study.stages)]
