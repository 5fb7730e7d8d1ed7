"""Sweeps whose truth is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from reports.statistics.power import chance_to_find
from reports.statistics.results import EffectAnalysis, Factor, PlannedTests, Run


def full_factorial(level_counts: Sequence[int]) -> tuple[tuple[Factor, ...], tuple[dict[str, str], ...]]:
    """Make up factors with so many levels each, and all their cells."""
    factors = tuple(
        Factor(f"factor {number}", tuple(map(str, range(count))), "0") for number, count in enumerate(level_counts, 1)
    )
    names = [factor.name for factor in factors]
    cells = product(*(factor.labels for factor in factors))
    return factors, tuple(dict(zip(names, labels, strict=True)) for labels in cells)


def chance_to_see(plan: PlannedTests, effect_in_sd: float) -> float:
    """The chance that a main effect of this size is found, the least well estimated one's."""
    worst = max((term for term in plan.terms if len(term.factors) == 1), key=lambda one: one.smallest_effect_in_sd)
    assert plan.error is not None
    return chance_to_find(effect_in_sd / worst.standard_error_in_sd, plan.error, plan.n_contrasts)


def simulated(
    counts: Sequence[int],
    n_seeds: int = 1,
    effect: Callable[[Mapping[str, str]], float] = lambda _: 0.0,
    *,
    sd: float = 1.0,
    seed: int = 0,
    shift: float = 0.0,
) -> tuple[tuple[Factor, ...], list[Run]]:
    """Make up a full factorial; ``shift`` is what each seed adds to all cells."""
    factors, cells = full_factorial(counts)
    noise = np.random.default_rng(seed)
    blocks = {number: shift * noise.standard_normal() for number in range(n_seeds)}
    return factors, [
        Run(cell, block, effect(cell) + blocks[block] + sd * noise.standard_normal())
        for cell in cells
        for block in blocks
    ]


def named(analysis: EffectAnalysis) -> dict[str, float]:
    return {effect.name: effect.estimate or 0.0 for effect in analysis.found}


def with_copies(factor: str, runs: Sequence[Run], jitter: float, *, seed: int = 0, equal: float = 0.0) -> list[Run]:
    """Let runs that differ in a factor alone repeat the first of them, a share exactly, else but for some noise."""
    noise = np.random.default_rng([seed, 1])
    first: dict[object, float] = {}
    copied = []
    for run in runs:
        key = run.block, frozenset(item for item in run.levels.items() if item[0] != factor)
        assert run.value is not None
        is_copy = key in first
        value = first.setdefault(key, run.value)
        differs = is_copy and noise.random() >= equal
        copied.append(replace(run, value=value + jitter * noise.standard_normal() if differs else value))
    return copied
