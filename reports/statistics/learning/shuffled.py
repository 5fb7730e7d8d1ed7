"""Whether runs that did not learn lie together: an exact test of all blocks of runs at a few given levels.

The statistic of a block is Fisher's exact p of its two by two table, times the number of blocks of as many levels: the
many of three would drown the few of one. The smallest of all is held against the smallest under outcomes that are
shuffled within each seed (single-step: Westfall & Young 1993, Resampling-Based Multiple Testing; with drawn shuffles,
Phipson & Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9, 39). Where no factor matters
shuffled outcomes are as likely as those seen, whatever share of runs fails and however a seed fares in all cells.
Where others matter, what is balanced against them scatters less, and the test is cautious.

With shared seeds, runs that differ in a factor that changes next to nothing fail together: one failure told twice, and
shuffled as two they make it look rare. So outcomes are shuffled in several ways: run by run, and, for each factor, in
groups of runs that differ in it alone. A block counts as it does in the way that is least sure of it, those along its
own factors aside: copies along them make its counts more even, not less. That holds for copies, near or exact, along
any one factor. Several at once have to be named: of pages of noise with two of which nothing is told here, up to 31 %
name a place where each cell has one seed.
"""

import math
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from reports.statistics.results import Array, Factor, Run

N_DRAWS = 1999
MOST_BLOCKS = 3000
"""If there were more, blocks of as many levels are not tried."""
_AT_A_TIME = 500

_Groups = list[list[int]]
_Outcomes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TestedBlock:
    """A block of runs; ``adjusted_p`` is for all of them. More of it failed than of all runs: ``holds_more``.

    The ``statistic`` of several levels is of as many failures inside; of a single one, of as many or of as few.
    """

    levels: Mapping[str, str]
    statistic: float
    adjusted_p: float
    holds_more: bool


def tested_blocks(
    factors: Sequence[Factor], runs: Sequence[Run], most_levels: int, alike: Collection[str]
) -> list[TestedBlock]:
    """Test every block of one level and more; empty where all runs learned, or none did.

    ``alike`` names factors that are known to make copies.
    """
    failed = np.array([not run.learned for run in runs], dtype=np.float32)
    n_failed = int(failed.sum())
    blocks, inside = _blocks(factors, runs, most_levels)
    if not blocks or not 0 < n_failed < len(runs):
        return []
    n_levels = np.array([len(levels) for levels in blocks])
    table = np.bincount(n_levels)[n_levels][:, None] * _chances(n_levels == 1, inside, n_failed)
    seen = _looked_up(failed[None], inside, table)[0]
    adjusted = np.zeros(len(blocks))
    singles = [frozenset([factor.name]) for factor in factors]
    for along in dict.fromkeys([frozenset[str](), *singles, *(one | frozenset(alike) for one in singles)]):
        counted = np.array([along.isdisjoint(levels) for levels in blocks])
        groups = _grouped(runs, along)
        if not counted.any() or (along and len(groups) == len(runs)):
            continue
        smallest = np.concatenate(
            [
                _looked_up(draws, inside[counted], table[counted]).min(axis=1)
                for draws in _shuffled(failed, _strata(runs, groups, along))
            ]
        )
        # Equal chances may differ in their last digits.
        n_as_small = np.searchsorted(np.sort(smallest), seen[counted] * (1 + 1e-9), side="right")
        adjusted[counted] = np.maximum(adjusted[counted], (n_as_small + 1) / (N_DRAWS + 1))
    shares = inside @ failed / inside.sum(axis=1)
    return [
        TestedBlock(levels, float(statistic), float(adjusted_p), bool(share > n_failed / len(runs)))
        for levels, statistic, adjusted_p, share in zip(blocks, seen, adjusted, shares, strict=True)
    ]


def _blocks(
    factors: Sequence[Factor], runs: Sequence[Run], most_levels: int
) -> tuple[list[Mapping[str, str]], _Outcomes]:
    """List blocks, those of few levels first, and which runs each holds: some, and not all of them."""
    at = {
        factor.name: {
            level: here
            for level in factor.labels
            if 0 < (here := np.array([run.levels[factor.name] == level for run in runs], dtype=bool)).sum() < len(runs)
        }
        for factor in factors
    }
    blocks: list[Mapping[str, str]] = []
    inside: list[npt.NDArray[np.bool_]] = []
    for n_levels in range(1, most_levels + 1):
        sets = list(combinations(at, n_levels))
        if len(blocks) + sum(math.prod(len(at[name]) for name in names) for names in sets) > MOST_BLOCKS and blocks:
            break
        for names in sets:
            for levels in product(*(at[name] for name in names)):
                here = np.logical_and.reduce([at[name][level] for name, level in zip(names, levels, strict=True)])
                if here.any():
                    blocks.append(dict(zip(names, levels, strict=True)))
                    inside.append(here)
    return blocks, np.array(inside, dtype=np.float32)


def _chances(is_single: npt.NDArray[np.bool_], inside: _Outcomes, n_failed: int) -> Array:
    """Return Fisher's p of each block, shape (blocks, failures inside)."""
    from scipy.stats import hypergeom

    held, sizes = np.arange(n_failed + 1), inside.sum(axis=1)[:, None]
    many = hypergeom.sf(held - 1, inside.shape[1], n_failed, sizes)
    few = hypergeom.cdf(held, inside.shape[1], n_failed, sizes)
    return np.asarray(np.where(is_single[:, None], np.minimum(many, few), many))


def _looked_up(outcomes: _Outcomes, inside: _Outcomes, table: Array) -> Array:
    """Return the statistic of each block under outcomes of shape (draws, runs)."""
    held = np.rint(outcomes @ inside.T).astype(np.intp)
    return np.asarray(table[np.arange(len(table)), held])


def _grouped(runs: Sequence[Run], along: Collection[str]) -> _Groups:
    """Put together the places of runs that differ in these factors alone, in the order of their levels."""
    groups: dict[Hashable, list[int]] = {}
    for place in sorted(range(len(runs)), key=lambda place: _levels(runs[place], along)):
        run = runs[place]
        others = frozenset(item for item in run.levels.items() if item[0] not in along)
        groups.setdefault((run.block, others) if along else place, []).append(place)
    return list(groups.values())


def _levels(run: Run, names: Collection[str]) -> tuple[str, ...]:
    return tuple(level for name, level in sorted(run.levels.items()) if name in names)


def _strata(runs: Sequence[Run], groups: _Groups, along: Collection[str]) -> list[npt.NDArray[np.intp]]:
    """Put together the groups that may change places, each of shape (groups, runs of one): of one seed, and alike.

    Those that are the only one of their seed change places with each other: so do all where no seed is shared.
    """
    by_seed: dict[tuple[Hashable, Hashable], _Groups] = {}
    for group in groups:
        alike = tuple(_levels(runs[place], along) for place in group)
        by_seed.setdefault((alike, runs[group[0]].block), []).append(group)
    strata: dict[Hashable, _Groups] = {}
    for (levels, block), members in by_seed.items():
        strata.setdefault((levels, block) if len(members) > 1 else levels, []).extend(members)
    return [np.array(members) for members in strata.values()]


def _shuffled(failed: _Outcomes, strata: Sequence[npt.NDArray[np.intp]]) -> Iterator[_Outcomes]:
    """Yield outcomes with the groups of each stratum in another order, from a fixed seed."""
    stream = np.random.default_rng(0)
    for start in range(0, N_DRAWS, _AT_A_TIME):
        n_draws = min(_AT_A_TIME, N_DRAWS - start)
        draws = np.tile(failed, (n_draws, 1))
        for groups in strata:
            order = stream.permuted(np.tile(np.arange(len(groups)), (n_draws, 1)), axis=1)
            draws[:, groups] = failed[groups[order]]
        yield draws
