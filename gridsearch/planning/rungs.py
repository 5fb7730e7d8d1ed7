"""The rungs of a successive halving: how many cells run how far, which of them go on, and what is left to run."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import fmean
from typing import Any

Curve = Sequence[float | None]
"""A trial's metric on dev after each of its epochs; None where its numbers were not finite."""


@dataclass(frozen=True)
class Rung:
    """So many cells run to the end of so many epochs."""

    epochs: int
    n_cells: int


@dataclass(frozen=True)
class Halving:
    """The best 1 / ``eta`` of the cells of each rung go on to the next. The first has all cells, the last all epochs.

    Source: Jamieson & Talwalkar 2016, AISTATS, arXiv:1502.07943; ``eta`` as in arXiv:1603.06560.
    """

    eta: int
    rungs: tuple[Rung, ...]

    @property
    def n_epochs(self) -> int:
        """Epochs of the last rung: those of the recipe."""
        return self.rungs[-1].epochs

    @property
    def cost(self) -> int:
        """Epochs that it takes for one seed. A trial that goes on begins anew: there are no checkpoints."""
        return sum(rung.epochs * rung.n_cells for rung in self.rungs)

    @property
    def full_cost(self) -> int:
        """Epochs that all cells would take for one seed."""
        return self.n_epochs * self.rungs[0].n_cells

    def text(self, n_seeds: int, n_folds: int = 1) -> str:
        """Say what it comes to, for all runs of each cell.

        >>> Halving(3, make_rungs(64, 9, 3)).text(n_seeds=1)
        '64 cells x 1 epoch, 21 x 3, 7 x 9: 190 of 576 epochs'
        """
        first, *others = self.rungs
        steps = [f"{first.n_cells} cells x {first.epochs} epoch{'s' if first.epochs > 1 else ''}"]
        steps += [f"{rung.n_cells} x {rung.epochs}" for rung in others]
        times = [f"{n} {what}" for n, what in ((n_seeds, "seeds"), (n_folds, "folds")) if n > 1]
        each, n_runs = f", {' x '.join(times)} each" if times else "", n_seeds * n_folds
        return f"{', '.join(steps)}{each}: {n_runs * self.cost} of {n_runs * self.full_cost} epochs"

    def to_json(self) -> dict[str, Any]:
        """Return what the ledger keeps of it; :func:`read_halving` reads it again."""
        return asdict(self)


def read_halving(kept: Mapping[str, Any]) -> Halving:
    """Read a halving from what a ledger keeps."""
    return Halving(kept["eta"], tuple(Rung(**rung) for rung in kept["rungs"]))


def make_rungs(n_cells: int, n_epochs: int, eta: int, first_epochs: int = 1) -> tuple[Rung, ...]:
    """Divide by ``eta`` from the last rung's epochs down, and from the first rung's cells up, as often as both allow.

    The first rung has ``first_epochs`` at least, the last one cell at least.
    """
    n_promotions = 0
    while eta ** (n_promotions + 1) <= n_cells and n_epochs // eta ** (n_promotions + 1) >= first_epochs:
        n_promotions += 1
    return tuple(
        Rung(n_epochs // eta ** (n_promotions - number), n_cells // eta**number) for number in range(n_promotions + 1)
    )


def best_cells(scores: Sequence[float | None], n_best: int, *, lower_is_better: bool) -> tuple[int, ...]:
    """Return the places of the best scores, in their order of the table.

    What has no score (a run failed, or its numbers were not finite) ranks last; ties go to the earlier place.

    >>> best_cells([0.5, None, 0.7, 0.5], 2, lower_is_better=False)
    (0, 2)
    """

    def rank(place: int) -> tuple[bool, float]:
        score = scores[place]
        return score is None, 0.0 if score is None else score if lower_is_better else -score

    return tuple(sorted(sorted(range(len(scores)), key=rank)[:n_best]))


@dataclass(frozen=True)
class Standing:
    """How far a halving is.

    ``members`` are, for each rung that has begun, its cells by their positions in the table; ``lacking`` maps the
    trials of the last of these rungs that are still to run to the epochs at which they end, ``n_trials`` counts all of
    that rung; ``curves`` is what the ledger knows of each trial.
    """

    halving: Halving
    members: tuple[tuple[int, ...], ...]
    lacking: Mapping[str, int]
    curves: Mapping[str, Curve]
    n_trials: int

    @property
    def rung(self) -> Rung:
        """The rung that is being run, or was the last."""
        return self.halving.rungs[len(self.members) - 1]

    @property
    def first_epochs(self) -> int:
        """Epochs of the first rung."""
        return self.halving.rungs[0].epochs

    @property
    def is_last(self) -> bool:
        """Whether its trials run to their end."""
        return len(self.members) == len(self.halving.rungs)

    def score(self, trials: Sequence[str], epochs: int) -> float | None:
        """Return the mean of these trials after so many epochs; None unless all of them have a number there."""
        return mean_after(self.curves, trials, epochs)


def mean_after(curves: Mapping[str, Curve], trials: Sequence[str], epochs: int) -> float | None:
    """Return the mean of these trials after so many epochs; None unless all of them have a number there."""
    found = [curves.get(trial, ()) for trial in trials]
    values = [curve[epochs - 1] if len(curve) >= epochs else None for curve in found]
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def stand(
    halving: Halving,
    cells: Mapping[int, Sequence[str]],
    curves: Mapping[str, Curve],
    over: Set[str],
    *,
    lower_is_better: bool,
) -> Standing:
    """Tell from what is recorded which cells are in which rung, and what is left to run.

    ``cells`` maps positions to trials, in table order, none twice; ``over`` are the trials that never run again:
    finished or failed for good. A rung's choice looks at the epochs up to the rung's and at nothing later: what comes
    out later cannot change it.
    """
    members = [tuple(cells)]
    for rung, following in pairwise(halving.rungs):
        trials = _trials(cells, members[-1])
        lacking = {
            one: rung.epochs for one in trials if one not in over and len(curves.get(one, ())) < rung.epochs
        }  # fmt: skip
        if lacking:
            return Standing(halving, tuple(members), lacking, curves, len(trials))
        scores = [mean_after(curves, cells[one], rung.epochs) for one in members[-1]]
        best = best_cells(scores, following.n_cells, lower_is_better=lower_is_better)
        members.append(tuple(members[-1][place] for place in best))
    trials = _trials(cells, members[-1])
    lacking = {one: halving.n_epochs for one in trials if one not in over}
    return Standing(halving, tuple(members), lacking, curves, len(trials))


def _trials(cells: Mapping[int, Sequence[str]], members: Sequence[int]) -> list[str]:
    """Return the trials of some cells in table order, each once."""
    return list(dict.fromkeys(trial for one in members for trial in cells[one]))
