"""What an ensemble gains: chosen on the rows of other folds, and scored on those of one, fold after fold.

Source of the nesting: Varma & Simon 2006, Bias in error estimation when using cross-validation for model selection, BMC
Bioinformatics 7, 91. Chosen on all other folds, the gain would be unbiased too, and the interval too narrow: it covers
83 to 91 % in simulations, and 92 to 96 % as it is done here (docs/decisions/0028-nested-ensembles.md).

Where a study has folds, what predicts the other folds' rows was trained on this one's: no choice sees the labels of the
rows that it is scored on, but the members of the other folds do. That is so for the single best as for the ensemble.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gridsearch.tasks.judging.codes import Codes
from gridsearch.tasks.judging.weighted import Metric
from reports.statistics.ensembles.choosing import Choice, Evidence, choose
from reports.statistics.ensembles.greedy import RANKING
from reports.statistics.ensembles.mixing import Mixture
from reports.statistics.ensembles.results import (
    Chosen,
    Ensembled,
    Ensembles,
    Gain,
    JudgedRows,
    Member,
    Method,
    WhyNot,
)
from reports.statistics.paired.resampled import drawn_counts, finite, metric_of_counts
from reports.statistics.results import ALPHA, Array

MOST = 5
"""Members of a plain mean, unless they are named."""
N_FOLDS = 5
"""Of the nesting, where a study has no folds of its own."""
FEWEST_FOLDS = 3
"""Of two, each would choose for the other."""
N_DRAWS = 2000


def ensembles(
    members: Sequence[Member],
    rows: JudgedRows,
    methods: Iterable[Method] = Method,
    *,
    choice: Choice | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> Ensembles:
    """Find what each method makes of the members that are judged; those of test alone have no part in it.

    Random numbers, of ``seed``, divide the rows where no folds do, and draw rows for the intervals.
    """
    choice = choice or Choice(MOST)
    judged = {member.name: member.judged for member in members if member.judged is not None}
    folds = _divided(rows, seed)
    about = Ensembles(rows.metric, len(rows.labels), len(np.unique(folds)), rows.folds is not None, choice.most, (), ())
    if len(judged) < 2:
        return replace(about, why_not=WhyNot.TOO_FEW)
    nesting = _Nesting(np.stack([finite(one) for one in judged.values()]), rows, folds)
    if not np.isfinite(nesting.scores).all():
        return replace(about, why_not=WhyNot.ONE_LABEL)
    asked = [method for method in Method if method in set(methods)]
    left_out = {method: why for method in asked if (why := why_not(method, rows)) is not None}
    made = [nesting.made(method, choice) for method in asked if method not in left_out]
    return replace(
        about,
        members=tuple(zip(judged, nesting.scores[:, -1].tolist(), strict=True)),
        found=nesting.scored(made, n_draws, seed),
        left_out=tuple(left_out.items()),
    )


def why_not(method: Method, rows: JudgedRows) -> WhyNot | None:
    """Say why predictions of such rows are not averaged by a method; None where they are."""
    if method is Method.RANKS and (rows.metric not in RANKING or rows.labelling.kind != "class"):
        return WhyNot.NO_RANKING
    return WhyNot.NO_LOGITS if method is Method.LOGITS and rows.labelling.kind == "score" else None


def outer_folds(labels: npt.NDArray[np.integer], seed: int = 0, n_folds: int = N_FOLDS) -> npt.NDArray[np.intp]:
    """Divide rows at random into folds in each of which every label is about equally frequent."""
    generator = np.random.default_rng([seed, 1])  # not that by which rows are drawn
    folds, n_before = np.zeros(len(labels), dtype=np.intp), 0
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        folds[rows] = (n_before + np.arange(len(rows))) % n_folds
        n_before += len(rows)
    return folds


def choosers(n_folds: int) -> list[list[int]]:
    """Return, for each of three folds or more, those whose rows choose for it: about half of the others.

    Of any two, one chooses for the other, and not the other way round: in a circle, those before a fold choose for it.
    So what luck makes of one fold's gain has nothing to do with another's: rows may be drawn with all choices fixed.

    >>> choosers(3), choosers(4), choosers(5)[0]
    ([[2], [0], [1]], [[3, 2], [0, 3], [1], [2]], [4, 3])
    """
    steps = range(1, (n_folds - 1) // 2 + 1)
    opposite = [[fold + n_folds // 2] if n_folds % 2 == 0 and 2 * fold < n_folds else [] for fold in range(n_folds)]
    return [[(fold - step) % n_folds for step in steps] + opposite[fold] for fold in range(n_folds)]


def _divided(rows: JudgedRows, seed: int) -> npt.NDArray[np.intp]:
    """Return the study's folds, each cut in two where there are too few; without them, folds of our own."""
    if rows.folds is None:
        return outer_folds(_strata(rows), seed)
    if len(np.unique(rows.folds)) >= FEWEST_FOLDS:
        return rows.folds.astype(np.intp)
    return 2 * rows.folds.astype(np.intp) + outer_folds(_strata(rows), seed, 2)


def _strata(rows: JudgedRows) -> npt.NDArray[np.integer]:
    """Return the group of each row, of which every fold is to have its share."""
    if rows.labelling.kind == "class":
        return rows.labels
    known, codes = np.unique(rows.labels, axis=0, return_inverse=True)
    if rows.labelling.kind == "score":
        of = Codes(scores=tuple(known.tolist()))
    else:
        of = Codes(combinations=tuple(tuple(np.flatnonzero(one).tolist()) for one in known))
    return np.array(of.strata(codes.ravel().tolist()))


@dataclass(frozen=True)
class _Made:
    """What is chosen for each fold, and at last on all rows; and logits, of the ensemble and of the single best."""

    method: Method
    chosen: tuple[Chosen, ...]
    nested: tuple[Array, Array]
    naive: tuple[Array, Array]


class _Nesting:
    """Members' logits, cut into folds. ``scores`` is (members, folds + 1): on the rows that choose, and on all."""

    def __init__(self, logits: Array, rows: JudgedRows, folds: npt.NDArray[np.integer]) -> None:
        self.logits, self.rows, self.folds = logits, rows, folds
        self.own = [folds == fold for fold in np.unique(folds)]
        before = [np.any([self.own[place] for place in places], axis=0) for places in choosers(len(self.own))]
        self.chosen_on = [*before, np.ones(len(folds), dtype=bool)]
        counts = np.stack(self.chosen_on).astype(float)
        self.scores = np.stack([self._metric(one)(counts) for one in logits])

    def made(self, method: Method, choice: Choice) -> _Made:
        """Choose for each fold, and predict its rows; then choose on all rows, and predict them."""
        mixture = Mixture.by(method, self.logits, self.rows.folds, self.rows.labelling.kind)
        chosen = tuple(choose(method, self._evidence(place), choice) for place in range(len(self.chosen_on)))
        ensemble, single = np.zeros_like(self.logits[0]), np.zeros_like(self.logits[0])
        for one, own in zip(chosen, self.own, strict=False):
            ensemble[own], single[own] = mixture.of(one.weights, own), mixture.of(one.alone, own)
        final = chosen[-1]
        return _Made(method, chosen, (ensemble, single), (mixture.of(final.weights), mixture.of(final.alone)))

    def scored(self, made: Sequence[_Made], n_draws: int, seed: int) -> tuple[Ensembled, ...]:
        """Score what was predicted; all methods are held against the same resamples of the rows."""
        # The single best is the same for most methods: what is equal is resampled once.
        drawn = self._drawn({logits.tobytes(): logits for one in made for logits in one.nested}, n_draws, seed)
        observed = np.ones((1, len(self.rows.labels)))
        return tuple(
            Ensembled(
                one.method,
                self._gain(*(drawn[logits.tobytes()] for logits in one.nested)),
                self._gain(*(self._metric(logits)(observed) for logits in one.naive)),
                one.chosen[-1],
                one.chosen[:-1],
            )
            for one in made
        )

    def _metric(self, logits: Array) -> Metric:
        labels, labelling = self.rows.labels, self.rows.labelling
        if self.rows.metric not in RANKING or self.rows.folds is None:
            return metric_of_counts(self.rows.metric, labels, logits, labelling)
        of_folds = [metric_of_counts(self.rows.metric, labels[own], logits[own], labelling) for own in self.own]

        def mean_over_folds(counts: Array) -> Array:
            found = np.stack([of(counts[:, own]) for of, own in zip(of_folds, self.own, strict=True)])
            sizes = np.stack([counts[:, own].sum(axis=1) for own in self.own])
            # A fold of which no row counts says nothing; one that holds rows of one label leaves the mean undefined.
            return np.asarray(np.where(sizes > 0, found * sizes, 0.0).sum(axis=0) / sizes.sum(axis=0))

        return mean_over_folds

    def _evidence(self, place: int) -> Evidence:
        these = self.chosen_on[place]
        folds = None if self.rows.folds is None else self.folds[these]
        rows = replace(self.rows, labels=self.rows.labels[these], folds=folds)
        return Evidence(self.logits[:, these], self.scores[:, place], rows)

    def _drawn(self, predicted: dict[bytes, Array], n_draws: int, seed: int) -> dict[bytes, Array]:
        """Return the metric of each, first as observed, then of resamples: rows are drawn within their fold."""
        metrics = [self._metric(logits) for logits in predicted.values()]
        strata = [np.flatnonzero(own) for own in self.own]
        drawn = [
            np.stack([of(counts) for of in metrics])
            for counts in drawn_counts(len(self.rows.labels), n_draws, seed, strata)
        ]
        return dict(zip(predicted, np.concatenate(drawn, axis=1), strict=True)) if metrics else {}

    def _gain(self, ensemble: Array, single: Array) -> Gain:
        """Summarise metrics; only the first is observed."""
        differences = self.rows.goodness(1.0) * (ensemble - single)
        drawn = differences[1:][np.isfinite(differences[1:])]
        interval = None
        if len(drawn) > 1:
            low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2])
            interval = (float(low), float(high))
        return Gain(float(ensemble[0]), float(single[0]), float(differences[0]), interval)
