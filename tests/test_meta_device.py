"""The oracle of ``tests/meta_device.py`` itself: it finds each way in which the host waits, and nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gridsearch.to_device import to_device
from tests.meta_device import HostWaitsError, no_waiting

META = torch.device("meta")
WAITS: dict[str, Callable[[Tensor], Any]] = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x.sum()),
    "int": lambda x: int(x.sum()),
    "bool": lambda x: bool(x.any()),
    "if": lambda x: 1 if x.sum() > 0 else 0,
    "in": lambda x: 2.0 in x,
    "cpu": lambda x: x.cpu(),
    "to": lambda x: x.to("cpu"),
    "copy to the host": lambda x: torch.zeros(3).copy_(x),
    "numpy": lambda x: x.numpy(),
    "array": lambda x: np.asarray(x),
    "tolist": lambda x: x.tolist(),
    "index of a list": lambda x: [1, 2][x.long().sum()],
    "print": lambda x: f"{x}",
    "format": lambda x: f"{x.sum():.3f}",
    "repr": repr,
    "nonzero": lambda x: x.nonzero(),
    "where": lambda x: torch.where(x > 0),
    "boolean index": lambda x: x[x > 0],
    "masked_select": lambda x: x.masked_select(x > 0),
    "unique": lambda x: x.unique(),
    "bincount": lambda x: x.long().bincount(),
    "repeat_interleave": lambda x: x.repeat_interleave(x.long()),
    "one_hot": lambda x: nn.functional.one_hot(x.long()),
    "equal": lambda x: torch.equal(x, x + 1),
    "allclose": lambda x: torch.allclose(x, x),
    "error_if_nonfinite": lambda x: nn.utils.clip_grad_norm_(with_gradient(x), 1.0, error_if_nonfinite=True),
    "copy from the host": lambda x: torch.ones(3).to(META),
    "number from the host": lambda x: torch.tensor(1.0).to(x),
    "copy into": lambda x: x.copy_(torch.ones(3)),
    "rows from the host": lambda x: x[np.array([0, 2])],
}
PASSES: dict[str, Callable[[Tensor], Any]] = {
    "arithmetic": lambda x: (x * 2 + 1).square().mean(),
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "masked_fill": lambda x: x.masked_fill(x > 0, 0.0),
    "rows that are there": lambda x: x[(x * 0).long()],
    "to_device": lambda x: to_device(torch.ones(3), META),
    "clip": lambda x: nn.utils.clip_grad_norm_(with_gradient(x), 1.0),
    "of the host alone": lambda x: torch.ones(3).sum().item(),
}


def with_gradient(values: Tensor) -> nn.Parameter:
    parameter = nn.Parameter(values)
    parameter.grad = values
    return parameter


@pytest.mark.parametrize("way", WAITS)
def test_each_way_of_waiting_is_found(way: str) -> None:
    values = torch.zeros(3, device=META)
    with no_waiting(), pytest.raises((HostWaitsError, RuntimeError, NotImplementedError, TypeError)) as found:
        WAITS[way](values)
    # The error is about what was planted, and no slip of the test's own.
    assert isinstance(found.value, HostWaitsError) or "meta" in str(found.value).lower()


@pytest.mark.parametrize("way", PASSES)
def test_what_needs_no_waiting_passes(way: str) -> None:
    with no_waiting():
        PASSES[way](torch.zeros(3, device=META))
