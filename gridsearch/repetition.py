"""Repetition: how often a cell is run, and on which rows. Seed and fold are blocks of the analysis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RULE = "components-1"
"""The rule by which rows are divided (tasks/folds.py), and its version: another one divides the same rows otherwise."""


@dataclass(frozen=True, order=True)
class Division:
    """How the rows of a study are divided into folds: into how many, by which random numbers, by which rule."""

    n_folds: int
    seed: int = 0
    rule: str = RULE


@dataclass(frozen=True, order=True)
class Repetition:
    """One run of a cell: its seed, and the fold whose rows judge it (0 where the rows are not divided)."""

    seed: int
    fold: int = 0

    @property
    def label(self) -> str:
        """Spell it as short as it goes; the fold only where rows are divided."""
        return f"{self.seed}.{self.fold}" if self.fold else str(self.seed)

    def name(self, among: Iterable["Repetition"]) -> str:
        """Tell it from the others of its cell: by what differs among them, and by nothing where it is the only one.

        >>> Repetition(1).name([Repetition(0), Repetition(1)])
        'seed 1'
        >>> Repetition(1, 2).name([Repetition(1, 1), Repetition(1, 2)])
        'fold 2'
        """
        several = list(among)
        seed = f"seed {self.seed}" if len({one.seed for one in several}) > 1 else ""
        fold = f"fold {self.fold}" if len({one.fold for one in several}) > 1 else ""
        return ", ".join(filter(None, (seed, fold)))


def repetitions(seeds: Sequence[int], n_folds: int = 1) -> tuple[Repetition, ...]:
    """Return every seed with every fold, seed by seed."""
    return tuple(Repetition(seed, fold) for seed in seeds for fold in range(n_folds))
