"""The parts of an analysis of effects. Estimates are in units of the response; ``_in_sd`` are in run-to-run sd."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

ALPHA = 0.05
"""The chance that a page of pure noise names any effect at all."""
POWER = 0.80
"""The chance with which the smallest detectable effect is found."""


@dataclass(frozen=True)
class Factor:
    """A factor on trial; ``labels`` in declared order."""

    name: str
    labels: tuple[str, ...]
    baseline: str


@dataclass(frozen=True)
class Run:
    """One result: the level of every factor, its seed and fold (None if unknown), and the response.

    A trial that several cells share is given once: its copies are no evidence. One that did not ``learned`` is in no
    effect: what the others say holds where training succeeds.
    """

    levels: Mapping[str, str]
    block: Hashable | None
    value: float | None
    learned: bool = True


def term_name(factors: Iterable[str]) -> str:
    """Spell a main effect or an interaction.

    >>> term_name(["bert_adam", "warmup_proportion"])
    'bert_adam x warmup_proportion'
    """
    return " x ".join(factors)


class ErrorKind(StrEnum):
    """Where the error comes from that effects are tested against, the most trustworthy first."""

    REPLICATES = "replicates within cells"
    INERT = "factors that cannot act"
    SPARSE = "most contrasts, of which few are taken to be real"
    HIGH_ORDER = "interactions of three or more factors"
    INTERACTIONS = "interactions of two or more factors"


class Reason(StrEnum):
    """Why nothing could be tested or estimated; false where something could."""

    NONE = ""
    NO_RESULT = "no result"
    ONE_RESULT = "one result"
    NO_FACTOR = "no factor varies"
    NONE_REPEATED = "no run is repeated"
    FEW_REPEATED = "too few runs are repeated"
    NO_ROOM = "no degrees of freedom are left"
    ALL_SAME = "all results are the same"
    NO_NOISE = "the estimated noise is zero"


class Note(StrEnum):
    """What a plan's tests cannot bear."""

    MAIN_EFFECTS_ALONE = "interactions are not tested"
    NO_SEED_NOISE = "one run of each cell"


@dataclass(frozen=True)
class ErrorTerm:
    """The error of a single run, by its source.

    ``df`` counts what tells it; of contrasts of which few are real, all of them. ``with_replicates``: what few
    replicates there are is pooled as well. ``learns_likeness``: how alike runs of a seed are is estimated too.
    """

    kind: ErrorKind
    df: float
    with_replicates: bool = False
    learns_likeness: bool = False


@dataclass(frozen=True)
class Alias:
    """A term that these rows cannot tell from another; ``sign`` is None where it is not a plain match of signs."""

    factors: tuple[str, ...]
    sign: int | None


@dataclass(frozen=True)
class PlannedTerm:
    """A tested effect: a main effect or an interaction, of ``df`` contrasts: levels against the reference.

    ``standard_error_in_sd`` is that of the estimate, of several the least well estimated; runs being independent.
    ``smallest_effect_in_sd`` is found with 80 % chance.
    """

    factors: tuple[str, ...]
    df: int
    standard_error_in_sd: float
    smallest_effect_in_sd: float
    aliases: tuple[Alias, ...]


@dataclass(frozen=True)
class PlannedTests:
    """What a design can test, fixed by its rows alone; ``why_not`` tells why it can test nothing.

    ``n_cells`` counts cells that differ in factors that can act. ``critical_value`` is for a single |t|.
    ``smallest_effect_in_sd`` is that of the least well estimated main effect. ``words`` are the shortest
    products of two-level factors that are constant over the rows; ``resolution`` is the length of the shortest.
    ``not_tested`` are interactions without a test of their own, although no one tested term stands for them.
    """

    n_runs: int
    n_cells: int
    n_blocks: int
    inert: tuple[str, ...]
    constant: tuple[str, ...]
    why_not: Reason
    error: ErrorTerm | None = None
    terms: tuple[PlannedTerm, ...] = ()
    not_tested: tuple[PlannedTerm, ...] = ()
    orthogonal: bool = False
    critical_value: float | None = None
    smallest_effect_in_sd: float | None = None
    words: tuple[Alias, ...] = ()
    resolution: int | None = None
    notes: tuple[Note, ...] = ()

    @property
    def n_tests(self) -> int:
        """The number of tested effects."""
        return len(self.terms)

    @property
    def n_contrasts(self) -> int:
        """The size of the family of statements: the contrasts of all effects."""
        return sum(term.df for term in self.terms)


@dataclass(frozen=True)
class Effect:
    """A tested term and what was found.

    ``levels`` are the levels that differ from the baseline, one for each factor, where it has one contrast. There
    ``estimate`` is, for a main effect, the mean at that level less the mean at the baseline; for an interaction half
    the difference between the first factor's effect (or interaction) at the last factor's level and at its baseline.
    The interval is simultaneous. ``statistic`` is t, ``p`` of this contrast alone. Of several contrasts, p values and
    ``statistic`` are of the surest, and ``found`` is whether any is.
    """

    factors: tuple[str, ...]
    levels: tuple[str, ...]
    df: int
    estimate: float | None
    standard_error: float | None
    interval: tuple[float, float] | None
    statistic: float
    p: float
    adjusted_p: float
    found: bool
    aliases: tuple[Alias, ...]

    @property
    def name(self) -> str:
        """The term in words."""
        return term_name(self.factors)


@dataclass(frozen=True)
class Comparison:
    """A level against the reference level (the baseline, where it ran), other factors averaged with equal weights.

    ``given`` holds other factors at a level instead. ``found``: its simultaneous interval excludes 0.
    """

    factor: str
    level: str
    reference: str
    given: Mapping[str, str]
    estimate: float
    standard_error: float
    interval: tuple[float, float]
    adjusted_p: float
    found: bool


@dataclass(frozen=True)
class LevelMean:
    """The mean at one level, other factors averaged with equal weights (an estimated marginal mean)."""

    factor: str
    level: str
    mean: float
    standard_error: float


@dataclass(frozen=True)
class Likeness:
    """How alike runs of one seed are that differ in one factor alone.

    ``correlation`` of their noise is an estimate, 0 where nothing speaks for more; None where it is not asked. Of
    ``n_pairs`` with the baseline ``n_equal`` are equal; ``mean`` is that of their differences, ``largest`` the size of
    the largest.
    """

    factor: str
    correlation: float | None
    n_pairs: int
    n_equal: int
    mean: float
    largest: float


@dataclass(frozen=True)
class UnequalNoise:
    """Factors at whose levels runs differ by unequal amounts, and the standard deviation of each combination.

    ``groups`` are combinations of their levels, the noisiest first.
    """

    factors: tuple[str, ...]
    groups: tuple[tuple[Mapping[str, str], float], ...]


@dataclass(frozen=True)
class RuinedBlock:
    """A combination of levels at which ``n_runs`` came to ``mean`` where the others lead to expect ``expected``.

    If its cells differ by more than all others, its runs are left out of the effects; else it is one of these.
    """

    levels: Mapping[str, str]
    n_runs: int
    mean: float
    expected: float
    p: float
    is_left_out: bool = True


@dataclass(frozen=True)
class EffectAnalysis:
    """Everything that a page says about effects; ``why_not`` tells why nothing could be tested.

    ``sd`` is of a single run. ``n_dropped`` runs had no finite result, ``n_copies`` repeated another one,
    ``n_not_learned`` did not learn, and those of ``ruined`` blocks may be far off; they are in no effect.
    Where folds do more to single cells than chance does, the mean over seeds counts as one run of the fold: so many
    fewer there are (``n_averaged``). ``likeness`` has every factor that was analysed.
    ``at_baseline`` are the effects of the factors of found interactions, those that they act together with being at
    their baseline.
    ``conditional`` splits a factor of a found interaction by the levels of the others; an interaction within a larger
    found one is left to that one. ``smallest_effect`` is found with 80 % chance.
    """

    plan: PlannedTests
    why_not: Reason
    n_dropped: int
    n_copies: int
    mean: float | None = None
    sd: float | None = None
    effects: tuple[Effect, ...] = ()
    means: tuple[LevelMean, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    conditional: tuple[Comparison, ...] = ()
    at_baseline: tuple[Comparison, ...] = ()
    smallest_effect: float | None = None
    likeness: tuple[Likeness, ...] = ()
    unequal: UnequalNoise | None = None
    n_not_learned: int = 0
    ruined: tuple[RuinedBlock, ...] = ()
    n_averaged: int = 0

    @property
    def n_results(self) -> int:
        """Runs with a finite result, counted or left out."""
        return self.plan.n_runs + self.n_averaged + self.n_copies + self.n_not_learned + self.n_ruined

    @property
    def n_ruined(self) -> int:
        """Runs of ruined blocks that are in no effect."""
        return sum(one.n_runs for one in self.ruined if one.is_left_out)

    @property
    def found(self) -> tuple[Effect, ...]:
        """The effects found, the surest first."""
        return tuple(sorted((e for e in self.effects if e.found), key=lambda e: (e.p, -abs(e.statistic))))
