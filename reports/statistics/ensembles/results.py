"""What is asked of ensembles, and what comes out: numbers and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER, TWO_CLASSES, Labelling
from reports.statistics.paired.resampled import Truth
from reports.statistics.results import Array


class Method(StrEnum):
    """How members become one, and how they are chosen.

    The three plain means are over the best few members. ``weighted`` is a mean of the probabilities of all, weighted by
    what their scores are above a guess. ``greedy``, too, is a mean of probabilities. Numbers stand for probabilities.
    """

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    RANKS = "ranks"
    WEIGHTED = "weighted"
    GREEDY = "greedy"


PLAIN = (Method.PROBABILITIES, Method.LOGITS, Method.RANKS)
"""Methods whose members all count alike: what has no score may join them."""


class Verdict(StrEnum):
    """What the interval of a gain says."""

    GAIN = "gain"
    LOSS = "loss"
    NONE = "none"


class WhyNot(StrEnum):
    """Why there is no ensemble, or not by a method."""

    TOO_FEW = "fewer than two members"
    ONE_LABEL = "the metric is undefined on rows of one label"
    NO_RANKING = "the metric is none of a ranking"
    NO_LOGITS = "numbers have no logits"
    MANY_ROWS = "so many rows take a while"


@dataclass(frozen=True)
class Member:
    """One of those that are averaged: what it says, (rows, outputs), on the rows that judge and on test.

    ``judged`` is None of an outside file for test alone, ``test`` where nothing is known of it.
    """

    name: str
    judged: Array | None
    test: Array | None = None


@dataclass(frozen=True)
class JudgedRows:
    """The rows that members are judged on: what they hold, the fold of each where a study divides them, the metric."""

    labels: Truth
    metric: str
    folds: npt.NDArray[np.integer] | None = None
    labelling: Labelling = TWO_CLASSES

    @property
    def lower_is_better(self) -> bool:
        """Whether small results are good."""
        return self.metric in LOWER_IS_BETTER

    def goodness(self, value: float) -> float:
        """Return a result as a number of which more is better; twice is the result again."""
        return -value if self.lower_is_better else value


@dataclass(frozen=True)
class Gain:
    """The metric of an ensemble and of the best member, by the same way of averaging; ``gain`` is positive if better.

    ``interval`` is the 95 % one of other such rows, for these trained members and choices; None of what was chosen on
    the rows that it is scored on.
    """

    score: float
    single: float
    gain: float
    interval: tuple[float, float] | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether it is told from nothing."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return Verdict.NONE
        return Verdict.GAIN if self.gain > 0 else Verdict.LOSS


@dataclass(frozen=True)
class Chosen:
    """The weight of each member, and the best single one by its place."""

    weights: Sequence[float]
    single: int

    @property
    def n_members(self) -> int:
        """How many members count."""
        return sum(weight > 0 for weight in self.weights)

    @property
    def alone(self) -> Sequence[float]:
        """The weights of the best single one by itself."""
        return [float(place == self.single) for place in range(len(self.weights))]


@dataclass(frozen=True)
class Ensembled:
    """An ensemble by one method.

    ``nested``: members and weights were chosen on rows of other folds, ``by_fold`` in their order. ``naive``: they were
    chosen on the very rows that they are scored on; those are the ensemble's, ``final``, which predicts test.
    """

    method: Method
    nested: Gain
    naive: Gain
    final: Chosen
    by_fold: Sequence[Chosen]


@dataclass(frozen=True)
class Ensembles:
    """All that is found of some members: the metric of each on all rows, and the ensemble by each method.

    ``why_not`` says why there is none, ``left_out`` why not by a method. ``n_folds`` are those of the nesting; they are
    the study's where it ``has_folds``, or cut from these. Plain means have ``most`` members at most; None where members
    were named, and all of them are in.
    """

    metric: str
    n_rows: int
    n_folds: int
    has_folds: bool
    most: int | None
    members: Sequence[tuple[str, float]]
    found: Sequence[Ensembled]
    left_out: Sequence[tuple[Method, WhyNot]] = ()
    why_not: WhyNot | None = None
