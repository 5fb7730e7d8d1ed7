"""The cost of each level: training time of its epochs beside those of its factor's baseline."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from gridsearch.study.manifest import FactorEntry
from reports.figures.from_study import timed_cells
from reports.figures.quality_time import pareto_set
from reports.formats.markdown import Section, escape, plural, seconds_text, table, wrap
from reports.language.say import enumerated, say, sentences
from reports.sections.context import PageSection
from reports.sections.cost_forecast import forecast, forecast_blocks
from reports.study.view import CellRow, StudyRows

Pair = tuple[float, float]
"""Seconds of an epoch with a level and with the baseline level, by trials that differ in nothing else."""


@dataclass(frozen=True)
class LevelCost:
    """Median seconds of a training epoch over ``n`` trials; ``ratio`` is the median of theirs to the baseline's.

    A level that has a pair is measured on its pairs alone; ``ratio`` is None without any.
    """

    factor: str
    column: str
    level: str
    is_baseline: bool
    seconds: float | None
    ratio: float | None
    n: int


@dataclass(frozen=True)
class StudyCost:
    """The cost of every level, in table order. ``n_other_terms`` finished trials ran elsewhere and are not counted."""

    levels: tuple[LevelCost, ...]
    n_other_terms: int


def study_cost(study: StudyRows) -> StudyCost | None:
    """Measure every level on the finished trials that ran on like terms; None before any has finished."""
    terms = {replicate.trial: replicate.terms for cell in study.cells for replicate in cell.finished}
    if not terms:
        return None
    (common, n_alike), *_ = Counter(terms.values()).most_common(1)
    alike = {trial for trial, place in terms.items() if place == common}
    # A value of a range has hardly ever a second cell.
    levels = [cost for factor in study.factors if factor.range is None for cost in _costs(study, factor, alike)]
    return StudyCost(tuple(levels), len(terms) - n_alike)


def _costs(study: StudyRows, factor: FactorEntry, alike: set[str]) -> list[LevelCost]:
    pairs = {label: _pairs(study, factor, label, alike) for label in factor.levels if label != factor.baseline}
    costs = []
    for label in factor.levels:
        is_baseline = label == factor.baseline
        seconds = {trial: a for level in pairs.values() for (_, trial), (_, a) in level.items()}
        if not is_baseline:
            seconds = {trial: a for (trial, _), (a, _) in pairs[label].items()}
        seconds = seconds or _seconds(study.cells, factor, label, alike)
        ratios = [1.0] if is_baseline else [a / b for a, b in pairs[label].values()]
        costs.append(
            LevelCost(
                factor.name,
                factor.column,
                label,
                is_baseline,
                statistics.median(seconds.values()) if seconds else None,
                statistics.median(ratios) if ratios and seconds else None,
                len(seconds),
            )
        )
    return costs


def _pairs(study: StudyRows, factor: FactorEntry, label: str, alike: set[str]) -> dict[tuple[str, str], Pair]:
    """Pair the trials of a level with those of the baseline level in the cells that differ in nothing else."""
    pairs = {}
    for cell, partner in study.pairs_with_baseline(factor):
        if cell.levels[factor.name] != label:
            continue
        for mine, other in zip(cell.replicates, partner.replicates, strict=True):
            if {mine.trial, other.trial} <= alike and mine.trial != other.trial:
                a, b = mine.train_seconds_per_epoch, other.train_seconds_per_epoch
                if a and b:
                    pairs[mine.trial, other.trial] = (a, b)
    return pairs


def _seconds(cells: Sequence[CellRow], factor: FactorEntry, label: str, alike: set[str]) -> dict[str, float]:
    return {
        replicate.trial: replicate.train_seconds_per_epoch
        for cell in cells
        if cell.levels[factor.name] == label
        for replicate in cell.finished
        if replicate.trial in alike and replicate.train_seconds_per_epoch is not None
    }


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.3g}"


class Cost(PageSection):
    """Seconds per epoch of every level, and how many times those of the baseline level."""

    def format(self) -> str:
        """Return the section; empty before anything has finished."""
        found = self.cost
        if found is None:
            return ""
        above = say(
            "Median seconds of training per epoch, without the evaluation on dev, over `n` finished trials; and how "
            "many times those of the baseline level: the median over pairs of trials that differ in nothing else."
        )
        header = [say("column"), say("level"), say("seconds"), say("times"), "n"]
        shown = table(header, [self._row(cost) for cost in found.levels])
        below = sentences([self._below(found), self._total(), self._fast_and_good()])
        levels = (wrap(above), shown) if found.levels else ()
        return Section(say("Cost"), (*levels, wrap(below), *forecast_blocks(self.study))).format()

    @cached_property
    def cost(self) -> StudyCost | None:
        """The cost of every level; None before any trial has finished."""
        return study_cost(self.study)

    def numbers(self) -> dict[str, Any]:
        """Return the costs and the forecast; null before any trial has finished, or without a forecast."""
        expected = forecast(self.study)
        return {
            "cost": None if self.cost is None else asdict(self.cost),
            "predicted": None if expected is None else asdict(expected),
        }

    def _total(self) -> str:
        """Say what the study took, and which share of it failures wasted; empty where attempts left no time."""
        timing = self.study.timing
        if timing.core_seconds < 1:
            return ""
        text = say("All attempts together held {hours} core-hours", hours=_hours(timing.core_seconds))
        if timing.gpu_seconds:
            text = say(
                "All attempts together held {hours} core-hours and {gpu_hours} GPU-hours",
                hours=_hours(timing.core_seconds),
                gpu_hours=_hours(timing.gpu_seconds),
            )
        lost = timing.failed_seconds / timing.held_seconds
        return text + say("; {share} of their time was lost to failures.", share=f"{lost:.1%}")

    def _fast_and_good(self) -> str:
        sound = [cell for cell in timed_cells(self.study) if not cell.not_learned]
        best = pareto_set(sound, lower_is_better=self.study.lower_is_better)
        if not best:
            return ""
        cells = enumerated(cell.name for cell in best)
        return say("No cell is both faster and better on dev than these, from fast to slow: {cells}.", cells=cells)

    def _row(self, cost: LevelCost) -> list[str]:
        mark = say(" (baseline)") if cost.is_baseline else ""
        seconds = "-" if cost.seconds is None else f"{cost.seconds:.3g}"
        ratio = "-" if cost.ratio is None else f"{cost.ratio:.2f}"
        return [escape(cost.column), f"{escape(cost.level)}{mark}", seconds, ratio, str(cost.n)]

    def _below(self, found: StudyCost) -> str:
        timing = self.study.timing
        seconds, beside = seconds_text(timing.finished_seconds), ""
        if timing.n_workers > 1:
            beside = say(", by {workers} beside each other", workers=plural(timing.n_workers, "worker"))
        texts = [say("All finished trials together took {seconds}{beside}.", seconds=seconds, beside=beside)]
        if any(cost.ratio is None and cost.n for cost in found.levels):
            texts.append(say("Where no such pair is finished, the seconds are those of all trials with the level."))
        if found.n_other_terms:
            texts.append(
                say(
                    "Not counted above: {trials} on another machine or device, or with other threads or smaller "
                    "batches.",
                    trials=plural(found.n_other_terms, "trial"),
                )
            )
        return sentences(texts)
