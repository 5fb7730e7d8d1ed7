"""The forecast of a sweep, made before it ran (``plan --measure``), beside what it took."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.formats.markdown import escape, plural, seconds_text, table, wrap
from reports.language.say import enumerated, say, sentences
from reports.study.view import Provenance, StudyRows


@dataclass(frozen=True)
class GroupForecast:
    """Finished trials that were predicted to cost the same: mean seconds of one, as predicted and as they were.

    ``settings`` tell the group from the others; they are empty where it was the only one.
    """

    settings: Mapping[str, str]
    n_trials: int
    predicted_seconds: float
    seconds: float


@dataclass(frozen=True)
class SweepForecast:
    """One start of a sweep that finished all it had predicted: seconds from its first start to its last end, and held.

    ``core_seconds`` and ``gpu_seconds`` are pairs: predicted, and actual.
    """

    n_trials: int
    n_workers: int
    wall_seconds: tuple[float, float]
    core_seconds: tuple[float, float]
    gpu_seconds: tuple[float, float]


@dataclass(frozen=True)
class Forecast:
    """Predictions that met a result; ``n_open`` trials were predicted and are not finished."""

    measured: tuple[str, ...]
    groups: tuple[GroupForecast, ...]
    sweeps: tuple[SweepForecast, ...]
    n_open: int


def forecast(study: StudyRows) -> Forecast | None:
    """Compare every prediction with what came of it; None where there was none, or nothing has come of it yet."""
    starts = [start for start in study.provenance if "predicted" in start.content]
    if not any(start.seconds for start in starts):
        return None
    pairs: dict[str, tuple[Mapping[str, str], list[tuple[float, float]]]] = {}
    for settings, predicted, seconds in (pair for start in starts for pair in _pairs(start)):
        pairs.setdefault(repr(settings), (settings, []))[1].append((predicted, seconds))
    groups = [
        GroupForecast(
            settings,
            len(several),
            sum(predicted for predicted, _ in several) / len(several),
            sum(seconds for _, seconds in several) / len(several),
        )
        for settings, several in pairs.values()
    ]
    whole = [start for start in starts if len(start.seconds) == start.content["predicted"]["trials"]]
    finished = {trial for start in study.provenance for trial in start.seconds}
    return Forecast(
        measured=tuple(sorted({day for start in starts for day in start.content["predicted"]["measured"]})),
        groups=tuple(groups),
        sweeps=tuple(_sweep(start) for start in whole),
        n_open=len({trial for start in starts for trial in _trials(start)} - finished),
    )


def _pairs(start: Provenance) -> Iterator[tuple[Mapping[str, str], float, float]]:
    for group in start.content["predicted"]["groups"]:
        for trial in group["trials"]:
            if trial in start.seconds:
                yield group["settings"], group["seconds"], start.seconds[trial]


def _trials(start: Provenance) -> list[str]:
    return [trial for group in start.content["predicted"]["groups"] for trial in group["trials"]]


def _sweep(start: Provenance) -> SweepForecast:
    predicted: Mapping[str, Any] = start.content["predicted"]
    assert start.started is not None, "it has finished trials"
    assert start.ended is not None
    return SweepForecast(
        n_trials=predicted["trials"],
        n_workers=predicted["workers"],
        wall_seconds=(predicted["wall_seconds"], start.ended - start.started),
        core_seconds=(predicted["core_seconds"], start.core_seconds),
        gpu_seconds=(predicted["gpu_seconds"], start.gpu_seconds),
    )


def forecast_blocks(study: StudyRows) -> tuple[str, ...]:
    """Return what the page says of it: a sentence, a table of the groups, and the hours of whole sweeps."""
    found = forecast(study)
    if found is None:
        return ()
    above = say(
        "Mean seconds of a trial over `n` finished ones: as predicted from steps measured on {days}, and actual.",
        days=enumerated(found.measured),
    )
    columns = list(dict.fromkeys(column for group in found.groups for column in group.settings))
    header = [*map(escape, columns), say("predicted"), say("actual"), say("actual / predicted"), "n"]
    rows = [
        [
            *(escape(group.settings.get(column, "-")) for column in columns),
            f"{group.predicted_seconds:.3g}",
            f"{group.seconds:.3g}",
            f"{group.seconds / group.predicted_seconds:.2f}",
            str(group.n_trials),
        ]
        for group in found.groups
    ]
    texts = [_hours(sweep) for sweep in found.sweeps]
    if found.n_open:
        texts.append(say("Predicted, and not finished: {trials}.", trials=plural(found.n_open, "trial")))
    return wrap(above), table(header, rows), wrap(sentences(texts))


def _hours(sweep: SweepForecast) -> str:
    wall, core, gpu = sweep.wall_seconds, sweep.core_seconds, sweep.gpu_seconds
    text = say(
        "For {trials} by {workers}, {wall} and {core} core-hours were predicted; it was {actual_wall} and "
        "{actual_core} core-hours.",
        trials=plural(sweep.n_trials, "trial"),
        workers=plural(sweep.n_workers, "worker"),
        wall=seconds_text(wall[0]),
        core=f"{core[0] / 3600:.3g}",
        actual_wall=seconds_text(wall[1]),
        actual_core=f"{core[1] / 3600:.3g}",
    )
    if not gpu[0]:
        return text
    hours = {"predicted": f"{gpu[0] / 3600:.3g}", "actual": f"{gpu[1] / 3600:.3g}"}
    return sentences([text, say("It was {actual} GPU-hours, and {predicted} were predicted.", **hours)])
