"""The noise of a table's runs: what standard errors linear combinations of them have, and how alike runs are."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reports.statistics.noise.draws import Draws
from reports.statistics.noise.frame import Frame
from reports.statistics.results import Array, Indexes


class Noise(ABC):
    """Several equally likely accounts of the noise, each with its variances on ``df`` degrees of freedom."""

    df: float

    @abstractmethod
    def standard_errors(self, weights: Array) -> Array:
        """Return those of linear combinations of runs; (statements, runs) to (accounts, statements)."""

    @property
    @abstractmethod
    def sd(self) -> float:
        """The standard deviation of a single run."""

    @abstractmethod
    def cell_covariance(self, levels: Indexes) -> Array:
        """Return the mean covariance of single runs of one seed at these levels, shape (cells, cells)."""

    @property
    def likeness(self) -> Array | None:
        """The correlation of two runs of a seed that differ in one factor, for each; None where it is not asked."""
        return None


@dataclass(frozen=True)
class IndependentNoise(Noise):
    """Runs with noise of their own, all alike: for rows that lie in no frame."""

    variance: float
    df: float

    def standard_errors(self, weights: Array) -> Array:
        """Return those of linear combinations of runs; (statements, runs) to (1, statements)."""
        return np.asarray(np.sqrt(self.variance * (weights**2).sum(axis=1))[None])

    @property
    def sd(self) -> float:
        """The standard deviation of a single run."""
        return float(np.sqrt(self.variance))

    def cell_covariance(self, levels: Indexes) -> Array:
        """Return a diagonal, shape (cells, cells)."""
        return np.asarray(self.variance * np.eye(len(levels)))


@dataclass(frozen=True)
class SeparableNoise(Noise):
    """Noise of which runs of one seed share a part, the less the more factors they differ in."""

    frame: Frame
    draws: Draws

    @property
    def df(self) -> float:  # type: ignore[override]  # a field elsewhere
        """Degrees of freedom of each account."""
        return self.draws.df

    def standard_errors(self, weights: Array) -> Array:
        """Return those of linear combinations of runs; (statements, runs) to (accounts, statements)."""
        contrasts = self.frame.contrasts
        loads = np.zeros((len(weights), len(contrasts.members)))
        for layer in range(int(self.frame.layers.max()) + 1):
            rows = self.frame.layers == layer
            parts = weights[:, rows] @ contrasts.matrix[:, self.frame.places[rows]].T
            loads += contrasts.summed(parts**2)
        variances = contrasts.eigenvalues(self.draws.shrinkage) @ loads.T
        return np.asarray(np.sqrt(self.draws.variance[:, None] * np.maximum(variances, 0.0)))

    @cached_property
    def _factors(self) -> list[tuple[Array, Array]]:
        """For each factor, what a match and a mismatch of its levels multiply the covariance by, in each account."""
        shrunk = np.exp(self.draws.shrinkage)
        return [
            ((1 + (k - 1) * shrunk[:, number]) / k, (1 - shrunk[:, number]) / k)
            for number, k in enumerate(self.frame.n_levels)
        ]

    @property
    def sd(self) -> float:
        """The standard deviation of a single run, but for what a seed does to all cells alike.

        How much that is, runs that are compared within a seed cannot tell: with one factor, next to nothing is known of
        it, and a mean over the accounts is as large as the wildest of them.
        """
        contrasts = self.frame.contrasts
        shares = contrasts.sizes[1:] / contrasts.sizes[1:].sum()  # the first group is that of the mean
        variances = self.draws.variance * (contrasts.eigenvalues(self.draws.shrinkage)[:, 1:] @ shares)
        return float(np.sqrt(variances.mean()))

    def cell_covariance(self, levels: Indexes) -> Array:
        """Return the mean covariance of single runs of one seed at these levels, shape (cells, cells)."""
        n_accounts = max(FEWEST_ACCOUNTS, min(MOST_ACCOUNTS, MOST_ENTRIES // len(levels) ** 2))
        chosen = np.linspace(0, len(self.draws.variance) - 1, n_accounts).astype(int)
        total = np.zeros((len(levels), len(levels)))
        same = [np.equal.outer(levels[:, number], levels[:, number]) for number in range(len(self.frame.n_levels))]
        for account in chosen:
            one = np.full(total.shape, self.draws.variance[account])
            for equal, (match, mismatch) in zip(same, self._factors, strict=True):
                one *= np.where(equal, match[account], mismatch[account])
            total += one
        return total / len(chosen)

    @property
    def likeness(self) -> Array:
        """The correlation of two runs of a seed that differ in one factor, for each factor."""
        return np.array([float((mismatch / match).mean()) for match, mismatch in self._factors])


MOST_ACCOUNTS, FEWEST_ACCOUNTS, MOST_ENTRIES = 60, 8, 1_000_000
"""So many accounts of the noise are averaged for the covariance of cells; fewer where there are many cells."""
