"""The cost of each level: training time of its epochs beside those of its factor's baseline."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from gridsearch.study.manifest import FactorEntry
from reports.figures.drawn_from.study import timed_cells
from reports.figures.quality_time import pareto_set
from reports.formats.markdown import Section, escape, plural, seconds_text, wrap
from reports.language.say import enumerated, say, sentences
from reports.sections.context import PageSection
from reports.sections.cost_forecast import forecast, forecast_blocks
from reports.sections.stages import pretraining_time
from reports.statistics.paired.ratios import p_of_ratios
from reports.statistics.results import ALPHA
from reports.study.view import CellRow, StudyRows

Pair = tuple[float, float]
"""Seconds of an epoch with a level and with the baseline level, by trials that differ in nothing else."""


@dataclass(frozen=True)
class LevelCost:
    """Median seconds of a training epoch over ``n`` trials; ``ratio`` is the median of theirs to the baseline's.

    A level that has a pair is measured on its pairs alone; ``ratio`` is None without any. ``p`` is the chance of such
    ratios if the level changes nothing, adjusted for all levels; None below two pairs.
    """

    factor: str
    column: str
    level: str
    is_baseline: bool
    seconds: float | None
    ratio: float | None
    n: int
    p: float | None = None

    @property
    def is_told(self) -> bool:
        """Whether the level's time differs from that of the baseline level by more than chance does."""
        return self.p is not None and self.p < ALPHA


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
    costs = [one for factor in study.factors if factor.range is None for one in _costs(study, factor, alike)]
    chances = p_of_ratios([ratios for _, ratios in costs])
    levels = (replace(cost, p=p) for (cost, _), p in zip(costs, chances, strict=True))
    return StudyCost(tuple(levels), len(terms) - n_alike)


def _costs(study: StudyRows, factor: FactorEntry, alike: set[str]) -> list[tuple[LevelCost, list[float]]]:
    """Measure the levels of a factor, each with the ratios of its pairs."""
    pairs = {label: _pairs(study, factor, label, alike) for label in factor.levels if label != factor.baseline}
    costs = []
    for label in factor.levels:
        is_baseline = label == factor.baseline
        seconds = {trial: a for level in pairs.values() for (_, trial), (_, a) in level.items()}
        if not is_baseline:
            seconds = {trial: a for (trial, _), (a, _) in pairs[label].items()}
        seconds = seconds or _seconds(study.cells, factor, label, alike)
        ratios = [] if is_baseline else [a / b for a, b in pairs[label].values()]
        cost = LevelCost(
            factor.name,
            factor.column,
            label,
            is_baseline,
            statistics.median(seconds.values()) if seconds else None,
            statistics.median(ratios or [1.0]) if seconds and (ratios or is_baseline) else None,
            len(seconds),
        )
        costs.append((cost, ratios))
    return costs


def _pairs(study: StudyRows, factor: FactorEntry, label: str, alike: set[str]) -> dict[tuple[str, str], Pair]:
    """Pair the trials of a level with those of the baseline level in the cells that differ in nothing else."""
    pairs = {}
    for cell, partner in study.pairs_with_baseline(factor):
        if cell.levels[factor.name] != label:
            continue
        # By their places: seeds may differ, and in number too, and what an epoch takes hardly depends on the seed.
        for mine, other in zip(cell.replicates, partner.replicates, strict=False):
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
    """The levels that take more or less time than the baseline level, and what the study took."""

    def format(self) -> str:
        """Return the section; empty before anything has finished."""
        found = self.cost
        if found is None:
            return ""
        text = sentences(
            [self._levels(found), self._total(), pretraining_time(self.study.stages), self._fast_and_good()]
        )
        return Section(say("Cost"), (wrap(text), *forecast_blocks(self.study))).format()

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

    def _levels(self, found: StudyCost) -> str:
        """Name the levels that change the time of an epoch; empty where no two pairs of trials tell."""
        if all(cost.p is None for cost in found.levels):
            return ""
        told = [
            say(
                "{ratio} times with {column} {level}",
                column=escape(cost.column),
                level=escape(cost.level),
                ratio=f"{cost.ratio:.2f}",
            )
            for cost in found.levels
            if cost.is_told
        ]
        if told:
            text = say(
                "Training time of an epoch beside the baseline level's: {levels}. Other levels differ by no more than "
                "chance.",
                levels=say("; ").join(told),
            )
        else:
            text = say("No level changes the training time of an epoch by more than chance.")
        others = say(
            "Not counted in this: {trials} on another machine or device, or with other threads or smaller batches.",
            trials=plural(found.n_other_terms, "trial"),
        )
        return sentences([text, others if found.n_other_terms else ""])

    def _total(self) -> str:
        """Say what the study took, and which share of it failures wasted."""
        timing = self.study.timing
        took = say(
            "All finished trials together took {seconds} ({workers})",
            seconds=seconds_text(timing.finished_seconds),
            workers=plural(timing.n_workers, "worker"),
        )
        if timing.core_seconds < 1:
            return say("{note}.", note=took)
        held = [say("{hours} core-hours", hours=_hours(timing.core_seconds))]
        held += [say("{hours} GPU-hours", hours=_hours(timing.gpu_seconds))] if timing.gpu_seconds else []
        all_ = say("{took}, all attempts {held}", took=took, held=enumerated(held))
        if not timing.failed_seconds:
            return say("{note}.", note=all_)
        share = f"{timing.failed_seconds / timing.held_seconds:.1%}"
        return say("{text}; failures took {share} of the time.", text=all_, share=share)

    def _fast_and_good(self) -> str:
        sound = [cell for cell in timed_cells(self.study) if not cell.not_learned]
        best = pareto_set(sound, lower_is_better=self.study.lower_is_better)
        if not best:
            return ""
        cells = enumerated(cell.name for cell in best)
        return say("No cell is both faster and better on dev than these, from fast to slow: {cells}.", cells=cells)
