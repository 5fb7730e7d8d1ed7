"""Which settings decide whether a run learns: factors, and blocks of runs at up to three given levels."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.statistics.learning.shuffled import TestedBlock, tested_blocks
from reports.statistics.results import ALPHA, Factor, Run
from reports.statistics.shares import share_interval

MOST_LEVELS = 3
"""A block of more levels holds few runs, and is hard to read."""


@dataclass(frozen=True)
class Count:
    """How many of ``n`` runs did not learn, and the 95 % interval of their share; None without a run."""

    n_not_learned: int
    n: int
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Place:
    """Runs at a few levels, and how others fare: all, and those ``next_to_it``, where one of the levels is another.

    More of them did not learn than of the others; at a single level it may be fewer.
    """

    levels: Mapping[str, str]
    inside: Count
    elsewhere: Count
    next_to_it: tuple[tuple[Mapping[str, str], Count], ...]
    adjusted_p: float


@dataclass(frozen=True)
class FactorCounts:
    """How many runs did not learn at each level of a factor, whatever the other factors are."""

    factor: str
    by_level: Mapping[str, Count]
    adjusted_p: float


@dataclass(frozen=True)
class Learning:
    """Which runs did not learn; ``place`` is None where no block of levels is told from the rest."""

    total: Count
    place: Place | None = None
    factors: tuple[FactorCounts, ...] = ()


def where_not_learned(factors: Sequence[Factor], runs: Iterable[Run], alike: Collection[str] = ()) -> Learning:
    """Say which few levels decide whether a run learns, if any are told from chance, and count by level.

    ``alike`` names factors of which it is known that runs that differ in them alone, with one seed, are near copies.
    Heeds ``learned`` of each run, whatever its value. Leave out runs of which it is not known, and factors that cannot
    act. shuffled.py says what holds of the p: of pages on which no factor decides, 5 % name a place at most.
    """
    known = list(runs)
    total = _count(known)
    if not 0 < total.n_not_learned < total.n:
        return Learning(total)
    tested = tested_blocks(factors, known, MOST_LEVELS, alike)
    counts = (_by_level(factor, known, tested) for factor in factors)
    return Learning(total, _place(factors, known, tested, alike), tuple(one for one in counts if len(one.by_level) > 1))


def _count(runs: Iterable[Run]) -> Count:
    learned = [run.learned for run in runs]
    n_not_learned, n = learned.count(False), len(learned)
    return Count(n_not_learned, n, share_interval(n_not_learned / n, n) if n else None)


def _by_level(factor: Factor, runs: Sequence[Run], tested: Iterable[TestedBlock]) -> FactorCounts:
    p = min((one.adjusted_p for one in tested if set(one.levels) == {factor.name}), default=1.0)
    counts = {level: _count(run for run in runs if run.levels[factor.name] == level) for level in factor.labels}
    return FactorCounts(factor.name, {level: count for level, count in counts.items() if count.n}, p)


def _place(
    factors: Sequence[Factor], runs: Sequence[Run], tested: Iterable[TestedBlock], alike: Collection[str]
) -> Place | None:
    """Choose the block that chance explains least, without those of its levels that it can spare.

    It can spare a level that is not told from the others of its factor among the runs at the rest of the block, if the
    rest is told from all other runs as well.
    """
    told = [one for one in tested if one.adjusted_p <= ALPHA]
    if not told:
        return None
    least = min(one.statistic for one in told)
    # Of two levels both are as clear, up to their last digits: the one with the failures is named.
    clearest = [one for one in told if one.statistic <= least * (1 + 1e-9)]
    chosen = min(clearest, key=lambda one: (not one.holds_more, len(one.levels)))
    while shorter := [one for one in told if one.holds_more and one.levels.items() < chosen.levels.items()]:
        rests = [one for one in shorter if len(one.levels) == len(chosen.levels) - 1]
        needed = [_p_of_last_level(factors, runs, one.levels, chosen.levels, alike) for one in rests]
        if max(needed, default=0.0) <= ALPHA:
            break
        chosen = rests[needed.index(max(needed))]
    levels = chosen.levels
    others = [
        {**levels, factor.name: level}
        for factor in factors
        if factor.name in levels
        for level in factor.labels
        if level != levels[factor.name]
    ]
    next_to_it = [(other, _count(run for run in runs if _is_at(run, other))) for other in others]
    return Place(
        levels,
        _count(run for run in runs if _is_at(run, levels)),
        _count(run for run in runs if not _is_at(run, levels)),
        tuple((other, count) for other, count in next_to_it if count.n),
        chosen.adjusted_p,
    )


def _is_at(run: Run, levels: Mapping[str, str]) -> bool:
    return all(run.levels[name] == level for name, level in levels.items())


def _p_of_last_level(
    factors: Sequence[Factor],
    runs: Sequence[Run],
    rest: Mapping[str, str],
    levels: Mapping[str, str],
    alike: Collection[str],
) -> float:
    """Return the adjusted p, among the runs at ``rest``, of the one of ``levels`` that it lacks."""
    free = [factor for factor in factors if factor.name not in rest]
    lacking = {name: level for name, level in levels.items() if name not in rest}
    tested = tested_blocks(free, [run for run in runs if _is_at(run, rest)], 1, alike)
    return next((one.adjusted_p for one in tested if one.levels == lacking and one.holds_more), 1.0)
