"""Members that are equally good: no average of them gains anything."""

import numpy as np

from reports.statistics.ensembles.results import JudgedRows, Member


def as_logits(chances: np.ndarray) -> np.ndarray:
    """Logits of two labels from probabilities of the second one."""
    return np.stack([np.zeros_like(chances), np.log(chances / (1 - chances))], axis=-1)


def half_solved(draw: np.random.Generator, n_members: int, n_rows: int) -> tuple[list[Member], JudgedRows]:
    """All members know half of the rows; on the other half labels and predictions are coin flips, each its own.

    The accuracy of every member, and of every average of members, is 3/4 on such rows.
    """
    labels = draw.integers(2, size=n_rows)
    flips = draw.uniform(0.01, 0.99, (n_members, n_rows))
    solved = np.arange(n_rows) < n_rows // 2
    order = draw.permutation(n_rows)
    chances = np.where(solved[order], np.where(labels == 1, 0.9, 0.1), flips)
    return members_of(as_logits(chances)), JudgedRows(labels, "accuracy")


def pure_noise(draw: np.random.Generator, n_members: int, n_rows: int) -> tuple[list[Member], JudgedRows]:
    """Nothing that a member says has to do with the labels."""
    labels = draw.permutation(np.arange(n_rows) % 2)
    return members_of(draw.normal(size=(n_members, n_rows, 2))), JudgedRows(labels, "auc")


def unequal(draw: np.random.Generator, n_members: int, n_rows: int) -> tuple[list[Member], JudgedRows]:
    """Members of different quality that are wrong about rows in common, and each about some of its own."""
    labels = draw.integers(2, size=n_rows)
    sides = np.where(labels == 1, 1.0, -1.0)
    quality = np.linspace(0.6, 1.2, n_members)[:, None]
    margins = quality * sides + draw.normal(size=n_rows) + draw.normal(size=(n_members, n_rows))
    return members_of(np.stack([-margins, margins], axis=-1)), JudgedRows(labels, "accuracy")


def members_of(logits: np.ndarray) -> list[Member]:
    return [Member(str(number), one) for number, one in enumerate(logits)]
