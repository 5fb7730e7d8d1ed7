"""How alike runs are that differ in one factor alone: the pairs behind what an analysis assumes of the noise."""

from collections.abc import Hashable, Sequence

import numpy as np

from reports.statistics.design_table import Table
from reports.statistics.noise.noise import Noise
from reports.statistics.results import Array, Factor, Likeness, Run


def likeness_of(table: Table, runs: Sequence[Run], noise: Noise) -> tuple[Likeness, ...]:
    """Compare every run with the one of the same seed that differs from it in one factor alone, for each factor."""
    correlations = noise.likeness
    return tuple(
        _pairs(factor, runs, None if correlations is None else float(correlations[position]))
        for position, factor in enumerate(table.factors)
    )


def _pairs(factor: Factor, runs: Sequence[Run], correlation: float | None) -> Likeness:
    groups: dict[Hashable, list[Run]] = {}
    for run in runs:
        others = frozenset(item for item in run.levels.items() if item[0] != factor.name)
        groups.setdefault((run.block, others), []).append(run)
    differences = np.array(
        [
            (run.value or 0.0) - (base.value or 0.0)
            for group in groups.values()
            for base in group
            if base.levels[factor.name] == factor.baseline
            for run in group
            if run.levels[factor.name] != factor.baseline
        ]
    )
    return Likeness(factor.name, correlation, *_summary(differences))


def _summary(differences: Array) -> tuple[int, int, float, float]:
    if not len(differences):
        return 0, 0, 0.0, 0.0
    sizes = np.abs(differences)
    return len(differences), int((differences == 0).sum()), float(differences.mean()), float(sizes.max())
