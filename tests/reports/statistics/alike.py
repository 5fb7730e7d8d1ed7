"""Simulated sweeps whose runs are alike: noise that is separable over factors, and what else happens to tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import product

import numpy as np

from reports.statistics.results import Factor, Run
from tests.reports.simulated import full_factorial

Sweep = tuple[tuple[Factor, ...], list[Run]]


def alike(
    counts: Sequence[int],
    n_seeds: int,
    likeness: Sequence[float],
    *,
    seed: int,
    shift: float = 1.0,
    effect: Callable[[Mapping[str, str]], float] = lambda _: 0.0,
    scale: Callable[[Mapping[str, str]], float] = lambda _: 1.0,
) -> Sweep:
    """Make up a full factorial in which runs of a seed that differ in a factor alone have its correlation.

    ``shift`` is the standard deviation of what a seed does to all cells, ``scale`` multiplies the noise of a cell.
    """
    factors, cells = full_factorial(counts)
    random = np.random.default_rng(seed)
    alikes = [(1 - rho) * np.eye(k) + rho for k, rho in zip(counts, likeness, strict=True)]
    root = reduce(np.kron, map(np.linalg.cholesky, alikes))
    runs = []
    for number in range(n_seeds):
        noise, seed_effect = root @ random.standard_normal(len(cells)), shift * random.standard_normal()
        runs += [
            Run(cell, number, effect(cell) + seed_effect + scale(cell) * one)
            for cell, one in zip(cells, noise.tolist(), strict=True)
        ]
    return factors, runs


def standard_error(counts: Sequence[int], n_seeds: int, likeness: Sequence[float], *term: int) -> float:
    """The true one of a term of two-level factors, by their positions."""
    variance = float(np.prod([1 - rho if place in term else 1 + rho for place, rho in enumerate(likeness)]))
    return 2 * (variance / (2 ** len(counts) * n_seeds)) ** 0.5


def failed(table: Sweep, share: float, *, seed: int) -> Sweep:
    """Lose a share of the runs."""
    random = np.random.default_rng([seed, 2])
    lost = set(random.choice(len(table[1]), round(share * len(table[1])), replace=False).tolist())
    return table[0], [replace(run, value=None) if place in lost else run for place, run in enumerate(table[1])]


def not_learned(table: Sweep, share: float, *, seed: int, flagged: bool) -> Sweep:
    """Let a share of the runs, each for itself, end 20 standard deviations lower."""
    random = np.random.default_rng([seed, 3])
    return table[0], [
        replace(run, value=(run.value or 0.0) - 20, learned=not flagged) if random.random() < share else run
        for run in table[1]
    ]


def half_of(cells: Mapping[str, str], factor: str = "factor 1") -> float:
    """A scale of noise that is fivefold at one level of a factor."""
    return 5.0 if cells[factor] == "1" else 1.0


def all_cells(counts: Sequence[int]) -> list[tuple[int, ...]]:
    """Levels of all cells by number."""
    return list(product(*map(range, counts)))
