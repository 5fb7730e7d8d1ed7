"""Named random streams: one per purpose, each derived from the trial's seed and its own name.

Switching one trick on therefore never shifts the numbers that another one sees.
"""

from typing import TYPE_CHECKING

from gridsearch.canonical import fingerprint

if TYPE_CHECKING:
    import numpy
    import torch


def derived_seed(seed: int, *name: object) -> int:
    """Return a seed below 2**63 that depends on every part of the name and on nothing else.

    >>> derived_seed(0, "order", 1) == derived_seed(0, "order", 1) != derived_seed(0, "order", 2)
    True
    """
    return int(fingerprint([seed, list(name)])[:16], 16) >> 1


def torch_stream(seed: int, *name: object) -> "torch.Generator":
    """Return a CPU generator of its own for this purpose."""
    import torch

    return torch.Generator().manual_seed(derived_seed(seed, *name))


def numpy_stream(seed: int, *name: object) -> "numpy.random.Generator":
    """Return a NumPy generator of its own for this purpose."""
    import numpy

    return numpy.random.default_rng(derived_seed(seed, *name))
