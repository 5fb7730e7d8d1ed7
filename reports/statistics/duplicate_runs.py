"""Factors that change next to nothing: with a shared seed, runs that differ in such a factor alone are one run twice.

Counted as two, they make every other effect look surer than it is: with half of the runs copies of the others,
replicates give standard errors too small by the square root of two, and Lenth's method hardly any.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import f as f_distribution

from reports.statistics.results import Copied, EffectAnalysis, ErrorKind, Factor, Run

RARE = 0.01
"""The chance that independent runs without effect are this alike: docs/decisions/0016 has what others would do."""


@dataclass(frozen=True)
class Groups:
    """Runs that differ in one factor alone: of the same seed, and at the same levels of all others."""

    factor: Factor
    members: tuple[tuple[Run, ...], ...]

    @cached_property
    def _repeated(self) -> list[list[float]]:
        several = ([run.value for run in runs if run.value is not None] for runs in self.members)
        return [values for values in several if len(values) > 1]

    @property
    def df(self) -> int:
        """Degrees of freedom within the groups."""
        return sum(len(values) - 1 for values in self._repeated)

    @cached_property
    def variance(self) -> float:
        """The variance within the groups; infinite without any pair."""
        squares = sum(float(np.var(values)) * len(values) for values in self._repeated)
        return squares / self.df if self.df else np.inf

    @cached_property
    def kept(self) -> list[Run]:
        """The runs at the baseline; where a group has none, those at its first level."""
        name, order = self.factor.name, [self.factor.baseline, *self.factor.labels]
        kept: list[Run] = []
        for runs in self.members:
            first = min((run.levels[name] for run in runs), key=order.index)
            kept += [run for run in runs if run.levels[name] == first]
        return kept

    def told(self) -> Copied:
        """Count what is taken for copies."""
        repeated = self._repeated
        ranges = [float(np.ptp(values)) for values in repeated]
        n_runs = sum(map(len, self.members)) - len(self.kept)
        return Copied(self.factor.name, n_runs, len(repeated), ranges.count(0.0), max(ranges))


def grouped(factor: Factor, runs: Iterable[Run]) -> Groups:
    """Put together the runs that differ in this factor alone."""
    groups: dict[Hashable, list[Run]] = {}
    for run in runs:
        others = frozenset(item for item in run.levels.items() if item[0] != factor.name)
        groups.setdefault((run.block, others), []).append(run)
    return Groups(factor, tuple(map(tuple, groups.values())))


def least_changing(factors: Sequence[Factor], runs: Sequence[Run]) -> Groups | None:
    """Find the factor that changes results least; None where each changes them about as much as all do together."""
    found = min((grouped(factor, runs) for factor in factors), key=lambda one: one.variance, default=None)
    # Only to save time: noise is a part of all that varies, and copies vary by a small part of the noise.
    everything = np.var([run.value for run in runs if run.value is not None])
    return None if found is None or found.variance > everything / 2 else found


def are_copies(groups: Groups, rest: EffectAnalysis) -> bool:
    """Whether runs that differ in a factor alone are more alike than runs of this noise; ``rest`` is without it.

    Where the noise is pooled interactions, half of the groups have to be equal besides: if nearly all that the other
    factors do is real, runs of their own are as much alike, and copies of each other they are not.
    """
    if rest.sd is None or rest.plan.error is None:
        return False
    is_pure = rest.plan.error.kind in (ErrorKind.REPLICATES, ErrorKind.INERT)
    told = groups.told()
    is_rare = f_distribution.cdf(groups.variance / rest.sd**2, groups.df, rest.plan.error.df) < RARE
    return bool(is_rare) and (is_pure or 2 * told.n_equal >= told.n_groups)
