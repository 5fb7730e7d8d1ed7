"""Which members count, and how much: chosen on some rows, by the labels of these alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridsearch.tasks.judging.guesses import guess_of
from gridsearch.tasks.judging.judge import probabilities
from reports.statistics.ensembles.greedy import N_PICKS, greedy
from reports.statistics.ensembles.results import Chosen, JudgedRows, Method
from reports.statistics.results import Array

MOST_PICKED = 20
"""Greedy selection picks from so many of the best: of many members, those behind are picked by luck alone."""


@dataclass(frozen=True)
class Choice:
    """How members are chosen: at most ``most`` for a plain mean, or all where it is None; ``n_picks`` of greedy."""

    most: int | None
    n_picks: int = N_PICKS


@dataclass(frozen=True)
class Evidence:
    """What choices rest on: the members' logits (members, rows, labels) on some rows, and each one's metric there.

    The folds of ``rows`` are those of the nesting.
    """

    logits: Array
    scores: Array
    rows: JudgedRows

    @property
    def goodness(self) -> Array:
        """The metric of each member as a number of which more is better."""
        return -self.scores if self.rows.lower_is_better else self.scores

    @property
    def ranking(self) -> npt.NDArray[np.intp]:
        """Members by place, the best first, ties in their order."""
        return np.argsort(-self.goodness, kind="stable")


def choose(method: Method, about: Evidence, choice: Choice) -> Chosen:
    """Weigh the members by a method, and name the best one."""
    weights = _WEIGHING.get(method, _best)(about, choice)
    return Chosen(tuple(float(weight) for weight in weights), int(about.ranking[0]))


def _best(about: Evidence, choice: Choice) -> Array:
    """One for each of the best members."""
    weights = np.zeros(len(about.scores))
    weights[about.ranking[: choice.most]] = 1.0
    return weights


def _above_a_guess(about: Evidence, choice: Choice) -> Array:
    """What each member's metric is above the most that a guess reaches; where none is above it, all count alike."""
    rows = about.rows
    bound = guess_of(rows.metric, rows.labels, rows.labelling).bound
    assert bound is not None, "a metric of the user's own has no members"
    above = np.maximum(about.goodness - rows.goodness(bound), 0.0)
    return above if above.any() else np.ones(len(above))


def _greedily(about: Evidence, choice: Choice) -> Array:
    """How often each is picked."""
    best = np.sort(about.ranking if choice.most is None else about.ranking[:MOST_PICKED])
    weights, rows = np.zeros(len(about.scores)), about.rows
    weights[best] = greedy(
        np.stack([probabilities(one, rows.labelling.kind) for one in about.logits[best]]),
        rows.labels,
        rows.metric,
        rows.labelling,
        start=int(np.flatnonzero(best == about.ranking[0])[0]),
        blocks=rows.folds,
        n_picks=choice.n_picks,
    )
    return weights


_WEIGHING: Mapping[Method, Callable[[Evidence, Choice], Array]] = {
    Method.WEIGHTED: _above_a_guess,
    Method.GREEDY: _greedily,
}
