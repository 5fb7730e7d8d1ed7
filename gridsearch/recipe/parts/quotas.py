"""How many rows and batches of each part an epoch has: whole numbers that follow from the recipe alone."""

import math
from collections.abc import Sequence
from typing import Final

TEMPERATURES: Final = {"proportional": 1.0, "square_root": 2.0, "equal": math.inf}
"""Shares go by n^(1/T)."""


def quotas(sizes: Sequence[int], sampling: str | float) -> tuple[int, ...]:
    """Return how many rows of each part an epoch reads, of parts with so many: as many together, one at least of each.

    What is left by rounding down goes to the largest remainders, of equals the first.

    >>> quotas([900, 90, 10], "proportional"), quotas([900, 90, 10], "equal"), quotas([900, 90, 10], 2.0)
    ((900, 90, 10), (334, 333, 333), (697, 220, 83))
    """
    temperature = TEMPERATURES[sampling] if isinstance(sampling, str) else sampling
    if temperature == 1:
        return tuple(sizes)
    n_rows, weights = sum(sizes), [size ** (1 / temperature) for size in sizes]
    wanted = [n_rows * weight / sum(weights) for weight in weights]
    found = [max(1, math.floor(share)) for share in wanted]
    by_remainder = sorted(range(len(sizes)), key=lambda part: (found[part] - wanted[part], part))
    for part in by_remainder[: n_rows - sum(found)]:
        found[part] += 1
    return tuple(found)
