"""Outside scores of whole rows: what somebody else measured of all trials of a cell together, such as of their mean.

A cell has no name that stays: its position and its levels change when the study grows. What it had trained stays, so a
score is that of a set of trials. It is kept beside what the study is bound to, under a key of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

ROW_SCORES = "row_scores"
"""What the ledger calls them."""
OfRows: TypeAlias = Mapping[tuple[str, ...], float | None]
"""Values by the ids of a row's trials; None takes one away."""


@dataclass(frozen=True)
class RowScore:
    """A score by its name, and the ids of the trials that it is of together, two or more of them."""

    name: str
    trials: tuple[str, ...]
    value: float

    def is_within(self, trials: Iterable[str]) -> bool:
        """Tell whether it is of some of these trials, or of all."""
        return set(self.trials) <= set(trials)


def read_row_scores(kept: Sequence[Mapping[str, Any]] | None) -> tuple[RowScore, ...]:
    """Read what a ledger keeps; nothing where no row was scored."""
    return tuple(RowScore(one["name"], tuple(one["trials"]), one["value"]) for one in kept or ())


def kept_after(known: Sequence[RowScore], name: str, given: OfRows) -> list[dict[str, Any]]:
    """Return what a ledger is to keep once these scores are given."""
    sets = [set(trials) for trials in given]
    left = [one for one in known if one.name != name or set(one.trials) not in sets]
    new = [RowScore(name, tuple(sorted(trials)), value) for trials, value in given.items() if value is not None]
    return [asdict(one) for one in (*left, *new)]


def score_of_row(
    scores: Sequence[RowScore], name: str, trials: Iterable[str], rows: Iterable[Sequence[str]]
) -> RowScore | None:
    """Return the score of a row by its trials: that of just these, else of the most of them.

    A score of fewer trials is that of another row, if one of all ``rows`` has just those.
    """
    mine = set(trials)
    found = [one for one in scores if one.name == name and one.is_within(mine)]
    others = [set(row) for row in rows if set(row) != mine]
    own = [one for one in found if set(one.trials) not in others]
    return max(own, key=lambda one: len(one.trials), default=None)
