"""Modules that the caller draws."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def empty(make: Callable[[], Module]) -> Module:
    """Make a module whose parameters the caller fills in; till then they are NaN, so that a forgotten one shows.

    None of them is drawn from the process's random state, which other trials use.
    """
    with torch.device("meta"):
        module = make().to_empty(device="cpu")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(float("nan"))
    return module
