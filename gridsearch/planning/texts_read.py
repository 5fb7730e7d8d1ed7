"""How much of its task's texts an encoder reads: training rows that are cut, tokens that it does not know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridsearch.encoders.card import EncoderCard
from gridsearch.recipe.percentiles import usable_length
from gridsearch.tasks.lengths import Lengths, TaskLengths

MILD, SEVERE = 5, 20
"""Percent of the training rows, or of their tokens: above the one it is a caution, above the other the first line."""
ENOUGH = 95
"""The percentile that cautions propose: it cuts too little for one."""


@dataclass(frozen=True)
class TextsRead:
    """A part of the task, read by an encoder. ``n_rows`` and ``n_tokens`` are those of its training rows, uncut.

    ``n_unknown`` of the tokens are the ``unknown`` one; ``of_ids``: texts are ids. ``cut``: each longest length that
    some trial has, with the rows that are longer. ``percentiles``: the length that each comes to which some cell names.
    ``enough``: the length that ``ENOUGH`` comes to, and the rows that are longer.
    """

    encoder: str
    part: str
    n_rows: int
    n_tokens: int
    n_unknown: int
    unknown: str
    of_ids: bool
    cut: Sequence[tuple[int, int]]
    enough: tuple[int, int]
    percentiles: Mapping[str, int] = field(default_factory=dict)

    @property
    def most_cut(self) -> tuple[int, int]:
        """The shortest length, and the rows that are longer."""
        return min(self.cut)

    @property
    def cut_percent(self) -> int:
        """Percent of the rows that the shortest length cuts, as they are told."""
        return percent(self.most_cut[1], self.n_rows)

    @property
    def unknown_percent(self) -> int:
        """Percent of the tokens that are unknown, as they are told."""
        return percent(self.n_unknown, self.n_tokens)


def percent(n: int, total: int) -> int:
    """Return a share in whole percent; nothing but all is 100.

    >>> percent(1, 3), percent(999, 1000), percent(0, 0)
    (33, 99, 0)
    """
    return 100 if 0 < total == n else min(round(100 * n / max(total, 1)), 99)


def texts_read(
    card: EncoderCard, lengths: TaskLengths, max_lengths: Iterable[int], percentiles: Mapping[str, int]
) -> list[TextsRead]:
    """Gather it for each part, of an encoder and the longest lengths to which it reads."""
    enough = usable_length(lengths.percentile(ENOUGH), card.max_tokens)
    return [_part_read(card, lengths, name, sorted(max_lengths), enough, percentiles) for name in lengths.parts]


def _part_read(
    card: EncoderCard,
    lengths: TaskLengths,
    name: str,
    max_lengths: list[int],
    enough: int,
    percentiles: Mapping[str, int],
) -> TextsRead:
    train: Lengths = lengths.parts[name]["train"]
    return TextsRead(
        encoder=card.name,
        part=name,
        n_rows=train.n_rows,
        n_tokens=train.n_tokens,
        n_unknown=train.n_unknown,
        unknown=lengths.unknown,
        of_ids=card.ids is not None,
        cut=tuple((length, train.n_cut(length)) for length in max_lengths),
        enough=(enough, train.n_cut(enough)),
        percentiles=dict(percentiles),
    )


def read_texts(kept: Mapping[str, Any]) -> TextsRead:
    """Read what a ledger keeps, whose tuples are lists."""
    cut, enough = [(length, n_cut) for length, n_cut in kept["cut"]], tuple(kept["enough"])
    return TextsRead(**{**kept, "cut": tuple(cut), "enough": enough})
