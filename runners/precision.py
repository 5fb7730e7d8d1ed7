"""The arithmetic of a study that names none: bfloat16 where the processor multiplies it and it pays, else float32.

Both learn equally well (the space ``precision``, published in ``reports/published``). The choice becomes a fixed knob
of the study, and stays with it wherever it is resumed.
"""

import contextlib
from collections.abc import Callable

from gridsearch.encoders.checkpoint.config import read_config
from gridsearch.encoders.files import locate
from gridsearch.errors import NotBegunError
from gridsearch.space.space import Space
from gridsearch.study.manifest import TrialsManifest
from gridsearch.study.study import Study
from runners.machine import gpu_names, multiplies_bf16

KNOB = "precision"
N_WIDE = 128
"""Encoders with narrower states gain nothing: products of matrices are not what takes their time."""


def with_precision(space: Space, study: Study, place_of: Callable[[str], str] = str) -> Space:
    """Fix the precision, unless the space does, or varies it; ``place_of`` says where an encoder of this name is."""
    if KNOB in space.fixed or any(KNOB in level.knobs for factor in space.factors for level in factor.levels):
        return space
    if study.ledger_path.is_file():
        with contextlib.suppress(NotBegunError), study.open() as ledger:
            if ledger.is_begun and isinstance(manifest := ledger.manifest(), TrialsManifest):
                begun_with = manifest.fixed.get(KNOB)
                return space if begun_with is None else space.with_fixed({KNOB: begun_with})
    pays = prefers_bf16() and all(is_wide(place_of(name)) for name in space.values_of("encoder"))
    return space.with_fixed({KNOB: "bf16"}) if pays else space


def prefers_bf16() -> bool:
    """Whether wide encoders are to be computed in bfloat16 here. Where there is a GPU, trials run there."""
    return multiplies_bf16() and not gpu_names()


def is_wide(encoder: str) -> bool:
    """Whether an encoder gains from it. Raises RequestError for one that cannot be read."""
    if encoder == "tiny":
        return False
    config = read_config(locate(encoder))
    return int(config.get("hidden_size", config.get("dim", 768))) >= N_WIDE
