"""Shares of a number of steps or layers, as they were written."""

import math
import re
from fractions import Fraction

from gridsearch.errors import RequestError

OF_DEPTH = r"(100|[1-9]?[0-9])%|([1-9][0-9]?)/([1-9][0-9]?)"
"""How a share of the depth is spelled; 3/2 is spelled so too, and is none."""


def decimal(number: float) -> Fraction:
    """Return a number as it was written: 0.1 is a tenth, not the binary fraction beside it."""
    return Fraction(str(number))


def whole_steps(share: float, n_steps: int) -> int:
    """Return a share of some steps, rounded down.

    >>> whole_steps(0.29, 100), whole_steps(0.29, 99)
    (29, 28)
    """
    return int(decimal(share) * n_steps)


def share_of(n_of_them: int, n_steps: int) -> float:
    """Return the shortest decimal that is so many whole steps of some.

    >>> share_of(3, 30), share_of(1, 9), share_of(14, 141), share_of(33, 100)
    (0.1, 0.2, 0.1, 0.33)
    """
    power = 1
    while True:
        share = Fraction(math.ceil(Fraction(n_of_them * power, n_steps)), power)
        if share * n_steps < n_of_them + 1:
            return float(share)
        power *= 10


def is_share(value: object) -> bool:
    """Tell whether a value is a share of the encoder's depth.

    >>> [is_share(value) for value in ("1/2", "50%", "3/2", "embeddings", 0.5)]
    [True, True, False, False, False]
    """
    found = re.fullmatch(OF_DEPTH, value) if isinstance(value, str) else None
    return found is not None and _fraction(found[0]) <= 1


def whole_layers(share: str, n_layers: int) -> int:
    """Return a share of so many layers, rounded down: shares that add up to 1 are never more than all layers.

    >>> whole_layers("1/2", 12), whole_layers("50%", 5), whole_layers("1/3", 12)
    (6, 2, 4)
    """
    return int(_fraction(share) * n_layers)


def refuse_no_layer(knob: str, share: str, n_layers: int) -> None:
    """Raise RequestError for a share that is less than a layer, though not 0: it would silently do nothing."""
    if (wanted := _fraction(share)) and not whole_layers(share, n_layers):
        layers = f"{n_layers} layer{'s' * (n_layers != 1)}"
        raise RequestError(
            f"{knob} = {share} of the encoder's {layers} is less than one layer: choose an encoder of "
            f"{math.ceil(1 / wanted)} layers or more, or name another share or a number of layers in the space"
        )


def _fraction(share: str) -> Fraction:
    return Fraction(int(share[:-1]), 100) if share.endswith("%") else Fraction(share)
