"""The layers and positions that each pooling reads, known without building one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Reads:
    """``layers``: those that pooling_layers chooses. ``below_the_top``: states of other layers than the last.

    ``sides``: which text of a pair a token is of. ``padding``: its result depends on it, so every row is padded to
    max_length. ``max_length``: so does its result on that number, however short the texts are.
    """

    layers: bool = False
    below_the_top: bool = False
    sides: bool = False
    padding: bool = False
    max_length: bool = False


_OF_LAYERS: Final = Reads(layers=True, below_the_top=True)

READS: Final[Mapping[str, Reads]] = {
    "cls": Reads(),
    "pooler": Reads(),
    "mean": Reads(),
    "max": Reads(),
    "first_last_avg": Reads(below_the_top=True),
    "first_last_avg_unmasked": Reads(below_the_top=True, padding=True, max_length=True),
    "cls_cat": _OF_LAYERS,
    "cls_cat_poolers": _OF_LAYERS,
    "mean_cat": _OF_LAYERS,
    "dynamic": _OF_LAYERS,
    "attention": Reads(),
    "flatten": Reads(max_length=True),
    "segments": Reads(sides=True),
}
"""By the value of the knob ``pooling``."""
